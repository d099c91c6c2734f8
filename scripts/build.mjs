#!/usr/bin/env node
// TypeScript to dist/, then the sample's files that are not code (public/, *.sql) to the same places.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const project = process.argv[2] ?? 'tsconfig.build.json';

process.chdir(root);
rmSync('dist', { recursive: true, force: true });
const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const isCode = /\.(ts|tsx|md)$/;
cpSync('app', 'dist/app', { recursive: true, filter: (from) => !isCode.test(from) });
chmodSync('dist/server.js', 0o755);
