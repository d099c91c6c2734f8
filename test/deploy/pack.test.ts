import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

/** As a fresh clone has none of them. */
const NOT_CLONED = new Set(['node_modules', 'dist', '.git', '.data', '.ci', 'coverage']);
const clone = mkdtempSync(join(tmpdir(), 'coherent-clone-'));
afterAll(() => rmSync(clone, { recursive: true }));

test('npm pack in a fresh clone builds first, and packs what runs and no tests', { timeout: 120_000 }, () => {
  cpSync(resolve('.'), clone, { recursive: true, filter: (from) => !NOT_CLONED.has(basename(from)) });
  symlinkSync(resolve('node_modules'), join(clone, 'node_modules'));
  const told = execFileSync('npm', ['pack', '--dry-run', '--json', '--loglevel=error'], {
    cwd: clone,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [packed] = JSON.parse(told.slice(told.indexOf('[\n'))) as [{ files: { path: string }[] }];
  const paths = packed.files.map(({ path }) => path);
  for (const needed of [
    'dist/server.js',
    'dist/healthcheck.js',
    'dist/workers/render.js',
    'dist/workers/feed.js',
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/app/schema.sql',
    'dist/app/public/style.css',
    'docs/errors.md',
  ])
    expect(paths).toContain(needed);
  expect(
    paths.filter((path) => /(^|[./])(test|bench|coverage)[./]|\.contract\.|\.chaos\./.test(path)),
  ).toEqual([]);
  expect(paths.filter((path) => !/^(dist|docs)\//.test(path)).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'package.json',
  ]);
});
