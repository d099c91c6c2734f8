import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Program {
  /** What `fork` runs. */
  readonly file: string;
  fork(...args: string[]): ChildProcess;
  remove(): void;
}

/** A TypeScript file made runnable by plain Node, for tests that kill whole processes. */
export async function program(entry: URL): Promise<Program> {
  // Inside the package, where the programs find their dependencies.
  const folder = mkdtempSync(join(root, 'node_modules', '.test-program-'));
  await build({
    root,
    configFile: false,
    logLevel: 'silent',
    ssr: { external: true },
    build: {
      ssr: fileURLToPath(entry),
      outDir: folder,
      emptyOutDir: false,
      copyPublicDir: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'program.mjs' } },
    },
  });
  return {
    file: join(folder, 'program.mjs'),
    fork: (...args) => fork(join(folder, 'program.mjs'), args, { execArgv: [] }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
