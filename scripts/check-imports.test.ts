import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A tree of planted files, checked by the same command that CI runs. */
describe('the import rule', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'import-rule-'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(
      join(folder, 'package.json'),
      '{ "type": "module", "dependencies": { "pg": "*", "ioredis": "*" } }',
    );
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function check(files: Record<string, string>): { status: number | null; output: string } {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const run = spawnSync(process.execPath, [join(root, 'scripts/check-imports.mjs')], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status: run.status, output: run.stdout + run.stderr };
  }

  it('accepts imports that point down', () => {
    const { status, output } = check({
      'src/core/units.ts': 'export type Seq = number;',
      'src/render/render.ts': "import type { Seq } from '../core/units.ts';\nexport const seq: Seq = 1;",
    });
    expect(output).toContain('no dependency violations');
    expect(status).toBe(0);
  });

  it.each([
    [
      'core-imports-nothing',
      { 'src/core/a.ts': "import '../render/b.ts';", 'src/render/b.ts': 'export {};' },
    ],
    ['render-knows-no-io', { 'src/render/a.ts': "import '../data/b.ts';", 'src/data/b.ts': 'export {};' }],
    [
      'cache-stands-alone',
      {
        'src/cache/a.ts': "import type { B } from '../page/b.ts';\nexport type A = B;",
        'src/page/b.ts': 'export type B = 1;',
      },
    ],
    ['primary-stays-light', { 'src/cluster/a.ts': "import '../page/b.ts';", 'src/page/b.ts': 'export {};' }],
    [
      'the-app-uses-the-public-door',
      { 'app/pages/a.ts': "import '../../src/page/b.ts';", 'src/page/b.ts': 'export {};' },
    ],
    ['postgres-client-has-one-home', { 'src/page/a.ts': "import pg from 'pg';\nexport default pg;" }],
    [
      'redis-client-has-two-homes',
      { 'src/data/a.ts': "import { Redis } from 'ioredis';\nexport default Redis;" },
    ],
    ['no-cycles', { 'src/page/a.ts': "import './b.ts';", 'src/page/b.ts': "import './a.ts';" }],
    ['no-unresolved', { 'src/page/a.ts': "import './missing.ts';" }],
  ])('reports a planted violation of %s', (rule, files) => {
    const { status, output } = check(files);
    expect(output).toContain(`error ${rule}`);
    expect(status).not.toBe(0);
  });
});
