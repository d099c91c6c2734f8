// Alerts of a real server at a real receiver, and what the report says of them.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const BLOCKING_PAGE = `
import { page } from 'coherent-render-server';
export default page({
  cache: { ttlMs: 0 },
  view: () => {
    const untilMs = performance.now() + 250;
    while (performance.now() < untilMs);
    return { p: 'at last' };
  },
});`;

interface Told {
  readonly id: string;
  readonly code: string;
  readonly state: string;
  readonly severity: string;
  readonly message: string;
  readonly figures: Readonly<Record<string, number>>;
}

let database: TestDatabase;
let build: Build;
let app: string;
let receiver: Server;
let address: string;
let told: Told[] = [];
let running: RunningServer | undefined;

beforeAll(async () => {
  build = buildServer();
  database = await testDatabase();
  app = join(build.folder, 'site');
  mkdirSync(join(app, 'pages'), { recursive: true });
  mkdirSync(join(app, 'node_modules'));
  symlinkSync(join(build.folder, 'package'), join(app, 'node_modules/coherent-render-server'));
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  writeFileSync(join(app, 'pages/block.js'), BLOCKING_PAGE);
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    told.push(JSON.parse(body));
    response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/services/s3cret`;
}, 120_000);
afterEach(async () => {
  await running?.stop();
  running = undefined;
  told = [];
});
afterAll(async () => {
  receiver?.close();
  await database?.close();
  build?.remove();
});

async function start(env: Readonly<Record<string, string>>) {
  const server = await startBuilt(build, {
    NODE_ENV: 'production',
    APP: app,
    DATABASE_URL: database.url,
    FEED: 'off',
    L3: 'off',
    MONITOR_INTERVAL_MS: '200',
    ALERT_HOLD_MS: '0',
    ALERT_CLEAR_MS: '1000',
    ALERT_WEBHOOK_URL: address,
    ALERT_WEBHOOK_FORMAT: 'json',
    ...env,
  });
  running = server;
  const line =
    server
      .output()
      .split('\n')
      .find((each) => each.includes('"serving"')) ?? '';
  const operations = /"operations":"([^"]+)"/.exec(line)?.[1]?.replace('localhost', '127.0.0.1') ?? '';
  return { server, operations };
}

async function answer<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

function of(code: string): Told[] {
  return told.filter((each) => each.code === code);
}

const patient = { timeout: 20_000, interval: 50 };

describe('an alert of a running server', () => {
  it('is told once when a page blocks the event loop, and once when that is over', async () => {
    const { server, operations } = await start({
      ALERT_LOOP_DELAY_MS: '100',
      ALERT_SLOW_RENDER_PERCENT: '0',
    });
    let blocks = true;
    const blocking = (async () => {
      while (blocks) await (await fetch(`${server.url}/block`)).text();
    })();
    await expect.poll(() => of('slow_loop'), patient).toHaveLength(1);
    const report = await answer<{ alerts: { standing: object[] } }>(`${operations}/report`);
    expect(report.alerts.standing).toContainEqual(expect.objectContaining({ code: 'slow_loop' }));
    blocks = false;
    await blocking;
    await expect
      .poll(() => of('slow_loop').map(({ state }) => state), patient)
      .toEqual(['raised', 'resolved']);
    const [raised, resolved] = of('slow_loop');
    expect(raised).toMatchObject({ severity: 'warning', figures: { slot: 0, limit: 100 } });
    expect(raised?.figures.loopDelayP99Ms).toBeGreaterThan(100);
    expect(resolved?.id).toBe(raised?.id);
    expect(server.output()).toContain('"alert":"slow_loop"');
    expect(server.output()).toContain('resolved: the event loop of a worker');
    expect(server.output()).not.toContain('s3cret');
  });

  it('is told when a worker is killed, and the report of the command line says so', async () => {
    const { operations } = await start({ ALERT_RESTARTS: '1' });
    const ready = await answer<{ workers: { pid: number }[] }>(`${operations}/readyz`);
    process.kill(ready.workers[0]!.pid, 'SIGKILL');
    await expect.poll(() => of('restarts'), patient).toHaveLength(1);
    expect(of('restarts')).toMatchObject([
      {
        state: 'raised',
        severity: 'critical',
        message: 'workers or the change feed died in the last ten minutes, so often: 1',
      },
    ]);
    const env = { PATH: process.env.PATH, OPS_PORT: new URL(operations).port, NODE_ENV: 'production' };
    const asked = promisify(execFile)(
      process.execPath,
      [join(build.folder, 'package/dist/server.js'), 'report'],
      { env: { ...env, DATABASE_URL: database.url }, cwd: build.folder },
    );
    const { stdout } = await asked;
    expect(stdout).toContain('[critical] restarts since');
    expect(stdout).toMatch(/^Renders {3}\d/m);
  });

  it('holds nothing up where the webhook hangs', async () => {
    const hanging = createServer(() => {}).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const { port } = hanging.address() as AddressInfo;
    const { server, operations } = await start({
      ALERT_RESTARTS: '1',
      ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/s3cret`,
    });
    const ready = await answer<{ workers: { pid: number }[] }>(`${operations}/readyz`);
    process.kill(ready.workers[0]!.pid, 'SIGKILL');
    await expect.poll(() => server.output(), patient).toContain('"alert":"restarts"');
    await expect.poll(async () => (await fetch(`${operations}/readyz`)).status, patient).toBe(200);
    expect(await server.stop()).toBe(0);
    hanging.closeAllConnections();
    hanging.close();
  });
});
