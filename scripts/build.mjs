#!/usr/bin/env node
// TypeScript to dist/, then the sample's files that are not code (public/, *.sql) to the same places.
//   node scripts/build.mjs [--if-changed] [tsconfig.build.json]
// --if-changed (npm start): dist/ stays when it was made from files of the same names, sizes and times.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = ['config', 'workers', 'src', 'app'];
const FILES = [
  'server.ts',
  'healthcheck.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.client.json',
  'scripts/build.mjs',
  'scripts/build-dashboard.mjs',
];
const STAMP = 'dist/.built-from';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const words = process.argv.slice(2);
const ifChanged = words.includes('--if-changed');
const project = words.find((word) => !word.startsWith('--')) ?? 'tsconfig.build.json';

const fingerprint = fingerprintOf([...FILES, project, ...SOURCES.flatMap(filesBelow)]);
if (ifChanged && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint) process.exit(0);
if (ifChanged) process.stderr.write('Building dist/ ...\n');

// The compiler is a native program: a package for this platform, which is optional for npm and not for us.
const compiler = `node_modules/@typescript/typescript-${process.platform}-${process.arch}`;
if (!existsSync('node_modules/typescript/bin/tsc') || !existsSync(compiler)) {
  process.stderr.write(
    `The build needs ${compiler}, which is not installed: run npm ci without --omit, ` +
      'or bring a dist/ that was built elsewhere and start that with node dist/server.js.\n',
  );
  process.exit(1);
}

rmSync('dist', { recursive: true, force: true });
const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const dashboard = spawnSync(process.execPath, ['scripts/build-dashboard.mjs'], { stdio: 'inherit' });
if (dashboard.status !== 0) process.exit(dashboard.status ?? 1);

const isCode = /\.(ts|tsx|md)$/;
cpSync('app', 'dist/app', { recursive: true, filter: (from) => !isCode.test(from) });
chmodSync('dist/server.js', 0o755);
writeFileSync(STAMP, fingerprint);

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name));
}

function fingerprintOf(files) {
  const hash = createHash('sha256').update(project);
  for (const file of files.sort()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}
