// What the primary does when time is up: each test waits for seconds that no setting shortens honestly (a worker must have
// the time to start), so they wait together.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, type TestContext, test } from 'vitest';
import { ask, compileFixtures, eventually, FixtureServer, readiness } from './fixture-server.ts';

let fixtures: ReturnType<typeof compileFixtures>;

beforeAll(() => {
  fixtures = compileFixtures();
});
afterAll(() => fixtures.remove());

function start(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  environment: Readonly<Record<string, string>>,
): FixtureServer {
  const server = new FixtureServer(fixtures.main, environment);
  onTestFinished(() => server.destroy());
  return server;
}

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
    await server.until('reload ended: the new worker did not become ready');
    expect((await readiness(operations)).pids).toEqual(before);
    await eventually(() => server.family().length === 3, 'the one that hung is gone');
    rmSync(folder, { recursive: true });
  });
});
