// What the primary does when time is up: each test waits for seconds that no setting shortens honestly (a worker must have
// the time to start), so they wait together.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, type TestContext, test } from 'vitest';
import { ask, compileFixtures, eventually, FixtureServer, readiness } from './fixture-server.ts';

let fixtures: ReturnType<typeof compileFixtures>;

beforeAll(() => {
  fixtures = compileFixtures();
});
afterAll(() => fixtures.remove());

/** What is waited for is time itself: nothing is to happen in it. */
async function passed(ms: number): Promise<void> {
  const since = performance.now();
  await eventually(() => performance.now() - since > ms, 'time passes');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function start(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  environment: Readonly<Record<string, string>>,
): FixtureServer {
  const server = new FixtureServer(fixtures.main, environment);
  onTestFinished(() => server.destroy());
  return server;
}

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
const processOf = (server: FixtureServer, name: string) =>
  server.family().find((pid) => commandOf(pid).includes(`fixtures/${name}.js`)) ?? 0;

const DOES_NOTHING = {
  worker: 'worker is stopped by a signal: killed',
  feed: 'the change feed is stopped by a signal: killed',
  services: 'the services process is stopped by a signal: killed',
};

describe.concurrent('a process that does nothing any more', () => {
  test.for(['worker', 'feed', 'services'] as const)(
    'is replaced when it is a %s that was stopped',
    async (name, context) => {
      const { expect } = context;
      const folder = mkdtempSync(path.join(tmpdir(), 'coherent-stopped-'));
      writeFileSync(path.join(folder, 'feed'), 'leading');
      const environment = { DATABASE_URL: '', FIXTURE_FEED_FILE: path.join(folder, 'feed') };
      const server = start(context, environment);
      await server.started();
      const stopped = processOf(server, name);
      process.kill(stopped, 'SIGSTOP');
      // By its state, seen at two looks a second apart: long before it has been silent for too long.
      await server.until(DOES_NOTHING[name]);
      await eventually(() => ![0, stopped].includes(processOf(server, name)), 'another one runs');
      expect(server.family()).not.toContain(stopped);
      rmSync(folder, { recursive: true });
    },
  );

  test('is replaced when it is a feed whose event loop does not turn', async ({ onTestFinished }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-blocked-'));
    const file = path.join(folder, 'feed');
    writeFileSync(file, 'leading');
    const server = start({ onTestFinished }, { FIXTURE_FEED_FILE: file, HEARTBEAT_TIMEOUT_MS: '3000' });
    await server.started();
    const blocked = processOf(server, 'feed');
    writeFileSync(file, 'blocked');
    await server.until('the change feed says nothing any more: killed');
    writeFileSync(file, 'leading');
    await eventually(() => ![0, blocked].includes(processOf(server, 'feed')), 'another one runs');
    rmSync(folder, { recursive: true });
  });

  test('is told by the probe when it is the primary, while workers go on', async ({
    expect,
    onTestFinished,
  }) => {
    const server = start({ onTestFinished }, { OPS_PORT: String(await freePort()), WORKERS: '1' });
    const { url, operations } = await server.started();
    const probe = () =>
      promisify(execFile)(process.execPath, [fixtures.healthcheck], {
        cwd: '/',
        env: { OPS_PORT: new URL(operations).port },
      });
    expect((await probe()).stdout).toBe('healthy\n');
    const held = ask(url, '/slow?ms=2500');
    await ask(url);
    server.signal('SIGSTOP');
    await expect(probe()).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('no answer from'),
    });
    expect((await held).boot).toBe('ok');
    server.signal('SIGCONT');
    await eventually(async () => (await readiness(operations)).status === 200, 'ready again');
    expect(server.said('worker is wedged: its event loop does not turn')).toEqual([]);
  });

  test('is nobody when the whole group was suspended and goes on', async ({ expect, onTestFinished }) => {
    const server = start({ onTestFinished }, { HEARTBEAT_TIMEOUT_MS: '2000' });
    const { operations } = await server.started();
    const { pids } = await readiness(operations);
    // Ctrl-Z stops them all; fg continues them, one after the other.
    const family = server.family();
    for (const pid of family) process.kill(pid, 'SIGSTOP');
    await passed(5000);
    for (const pid of family) process.kill(pid, 'SIGCONT');
    await passed(4000);
    expect((await readiness(operations)).pids).toEqual(pids);
  });
});

describe.concurrent('a primary', () => {
  test('gives up with exit code 1 and the worker’s own words when no slot ever boots', async ({
    expect,
    onTestFinished,
  }) => {
    const server = start({ onTestFinished }, { FIXTURE_BOOT: 'throw' });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.stderr).toContain('no worker became ready in 5 attempts per slot');
    expect(server.stderr).toContain('the fixture throws at start');
    expect(server.said('worker died').length).toBeGreaterThanOrEqual(10);
    expect(server.said('worker died').length).toBeLessThan(20);
  });

  test('replaces a worker whose event loop does not turn', async ({ expect, onTestFinished }) => {
    const server = start({ onTestFinished }, { HEARTBEAT_TIMEOUT_MS: '3000' });
    const { url, operations } = await server.started();
    const stuck = ask(url, '/block?ms=60000').catch((error: unknown) => error);
    await server.until('worker is wedged: its event loop does not turn');
    await eventually(async () => (await readiness(operations)).serving === 2, 'two workers serve');
    // The successor was there before the process that does not hear SIGTERM was put down.
    expect(server.said('worker did not leave in time: killed')).toHaveLength(0);
    await server.until('worker did not leave in time: killed');
    expect(await stuck).toBeInstanceOf(Error);
  });

  test('replaces a worker that dies while the balancer turns away', async ({ expect, onTestFinished }) => {
    const server = start({ onTestFinished }, { WORKERS: '1', SHUTDOWN_DELAY_MS: '6000' });
    const { url, operations } = await server.started();
    const { pid } = await ask(url);
    server.signal('SIGTERM');
    await eventually(async () => (await readiness(operations)).status === 503, 'not ready');
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      const { serving, pids } = await readiness(operations);
      return serving === 1 && pids[0] !== pid;
    }, 'another worker serves');
    expect((await ask(url)).pid).not.toBe(pid);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await server.gone();
  });

  test('gives up on a new worker that never says it is ready', async ({ expect, onTestFinished }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-reload-'));
    const build = path.join(folder, 'build');
    const server = start({ onTestFinished }, { FIXTURE_BOOT_FILE: build, BOOT_TIMEOUT_MS: '6000' });
    const { operations } = await server.started();
    const before = (await readiness(operations)).pids;
    writeFileSync(build, 'never');
    server.signal('SIGHUP');
    await server.until('reload ended: the workers that serve go on');
    expect((await readiness(operations)).pids).toEqual(before);
    await eventually(() => server.family().length === 3, 'the one that hung is gone');
    rmSync(folder, { recursive: true });
  });
});
