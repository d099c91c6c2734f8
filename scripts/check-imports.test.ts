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
      '{ "type": "module", "dependencies": { "pg": "*", "ioredis": "*", "@opentelemetry/api": "*" } }',
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

  /** One file a rule, planted together: reading the tree costs more than looking at it. */
  const planted: readonly (readonly [rule: string, from: string, text: string])[] = [
    ['core-imports-nothing', 'src/core/a.ts', "import '../render/leaf.ts';"],
    ['render-knows-no-io', 'src/render/a.ts', "import '../data/leaf.ts';"],
    ['cache-stands-alone', 'src/cache/a.ts', "import type { B } from '../page/leaf.ts';\nexport type A = B;"],
    ['data-stands-alone', 'src/data/b.ts', "import '../cache/leaf.ts';"],
    ['primary-stays-light', 'src/cluster/a.ts', "import '../page/leaf.ts';"],
    ['the-app-uses-the-public-door', 'app/pages/a.ts', "import '../../src/page/leaf.ts';"],
    ['postgres-client-has-one-home', 'src/page/a.ts', "import pg from 'pg';\nexport default pg;"],
    [
      'redis-client-has-two-homes',
      'src/data/a.ts',
      "import { Redis } from 'ioredis';\nexport default Redis;",
    ],
    [
      'tracing-has-one-door',
      'src/http/a.ts',
      "import { trace } from '@opentelemetry/api';\nexport default trace;",
    ],
    ['cache-memory-stands-on-its-floor', 'src/cache/memory/a.ts', "import '../shared/leaf.ts';"],
    ['cache-redis-stands-on-its-floor', 'src/cache/redis/a.ts', "import '../disk/leaf.ts';"],
    ['http-has-no-other-rooms', 'src/worker/a.ts', "import '../http/other/leaf.ts';"],
    ['worker-knows-no-primary', 'src/worker/b.ts', "import '../cluster/leaf.ts';"],
    ['host-link-stays-light', 'src/host-link/a.ts', "import '../cache/leaf.ts';"],
    ['no-cycles', 'src/page/b.ts', "import './c.ts';"],
    ['no-unresolved', 'src/page/d.ts', "import './missing.ts';"],
  ];

  it('reports every planted violation, by its rule and where it stands', () => {
    const { status, output } = check({
      'src/page/leaf.ts': 'export type B = 1;',
      'src/data/leaf.ts': 'export {};',
      'src/cache/leaf.ts': 'export {};',
      'src/render/leaf.ts': 'export {};',
      'src/cache/shared/leaf.ts': 'export {};',
      'src/cache/disk/leaf.ts': 'export {};',
      'src/http/other/leaf.ts': 'export {};',
      'src/cluster/leaf.ts': 'export {};',
      'src/page/c.ts': "import './b.ts';",
      ...Object.fromEntries(planted.map(([, from, text]) => [from, text])),
    });
    for (const [rule, from] of planted) expect(output).toContain(`error ${rule}: ${from}`);
    expect(status).not.toBe(0);
  });
});
