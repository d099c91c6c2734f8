#!/usr/bin/env node
// node scripts/run-program.mjs FILE.ts [ARGUMENT]...: runs a program of the tests, made runnable by plain Node.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const [program, ...given] = process.argv.slice(2);
if (program === undefined) throw new Error('which program? node scripts/run-program.mjs FILE.ts');

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside the package, where the program finds its dependencies.
const folder = mkdtempSync(join(root, 'node_modules', '.program-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

await build({
  root,
  configFile: false,
  logLevel: 'error',
  ssr: { external: true },
  build: {
    ssr: join(root, program),
    outDir: folder,
    emptyOutDir: false,
    copyPublicDir: false,
    target: 'node20',
    rollupOptions: { output: { entryFileNames: 'main.mjs' } },
  },
});
const child = spawn(process.execPath, [join(folder, 'main.mjs'), ...given], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
