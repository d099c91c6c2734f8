// The server as a user that has no name, no home and no file of its own, as OpenShift runs images: a random id, group 0.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { placeSite } from '../support/lay-out.ts';
import { until } from '../support/redis.ts';

const UID = 1_000_650_000;
const mayBecomeAnybody = process.getuid?.() === 0;

let build: Build;
let folder: string;
let child: ChildProcess;
let said: string;

beforeAll(() => {
  build = buildServer();
  placeSite(build.folder, 'test/fixtures/tiny-app');
  chmodSync(build.folder, 0o755);
}, 120_000);
afterAll(() => build?.remove());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crs-any-user-'));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'data'));
});
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true });
});

function start(environment: Readonly<Record<string, string>>): void {
  said = '';
  child = spawn(process.execPath, [join(build.folder, 'package/dist/server.js')], {
    cwd: folder,
    uid: UID,
    gid: 0,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      APP: join(build.folder, 'site'),
      DATA_DIR: join(folder, 'data'),
      HOST: '127.0.0.1',
      PORT: '0',
      OPS_PORT: '0',
      WORKERS: '1',
      ...environment,
    },
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => (said += text));
}

const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' };

describe.skipIf(!mayBecomeAnybody)('a user without a name (only root can become one)', () => {
  test('serves from a folder that its group may write, with what it keeps there', {
    timeout: 60_000,
  }, async () => {
    chmodSync(join(folder, 'data'), 0o770);
    start(production);
    await until(() => said.includes('"msg":"serving"'));
    expect(said).not.toMatch(/E_DATA_DIR|refuses cached pages/);
    expect(statSync(join(folder, 'data/l3')).uid).toBe(UID);
  });

  test('is told at the start which folder it cannot write, and the way out', {
    timeout: 60_000,
  }, async () => {
    chmodSync(join(folder, 'data'), 0o755);
    start(production);
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(said).toContain('E_DATA_DIR');
    expect(said).toContain('REDIS_URL');
  });

  test('serves without the disk tier where that folder is only a cache, and is told so', {
    timeout: 60_000,
  }, async () => {
    chmodSync(join(folder, 'data'), 0o755);
    start({ ...production, REDIS_URL: 'redis://127.0.0.1:1' });
    await until(() => said.includes('"msg":"serving"'));
    expect(said).toContain('the disk refuses cached pages: that tier is off');
  });

  test('is told what an embedded Postgres wants of it', { timeout: 60_000 }, async () => {
    chmodSync(join(folder, 'data'), 0o770);
    start({});
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(said).toContain(`User id ${UID} has no entry in /etc/passwd`);
    expect(said).toContain('DATABASE_URL');
  });
});
