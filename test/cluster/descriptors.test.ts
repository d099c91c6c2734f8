// More visitors than descriptors: some are turned away, and nothing dies of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { placeSite } from '../support/lay-out.ts';
import { eventually, readiness } from './fixture-server.ts';

let build: Build;
let child: ChildProcess | undefined;
const sockets: Socket[] = [];

beforeAll(() => {
  build = buildServer();
  placeSite(build.folder, 'test/fixtures/tiny-app');
}, 120_000);
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
afterAll(() => build?.remove());

test('a process that has no descriptor left lives on, tells what it can, and serves again afterwards', {
  timeout: 60_000,
}, async () => {
  const lines: { msg: string; url?: string; operations?: string }[] = [];
  let rest = '';
  child = spawn('/bin/sh', ['-c', `ulimit -n 220; exec ${process.execPath} package/dist/server.js`], {
    cwd: build.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
      APP: join(build.folder, 'site'),
      DATA_DIR: join(build.folder, 'data'),
      HOST: '127.0.0.1',
      PORT: '0',
      OPS_PORT: '0',
      WORKERS: '1',
      MAX_CONNECTIONS: '10000',
    },
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line)));
  });
  await eventually(() => lines.some(({ msg }) => msg === 'serving'), 'it serves');
  const { url = '', operations = '' } = lines.find(({ msg }) => msg === 'serving') ?? {};
  const { pids } = await readiness(operations);

  const { port } = new URL(url);
  for (let at = 0; at < 300; at++) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
    socket.write('GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n');
    sockets.push(socket.resume());
  }
  // The primary, too, is short of descriptors, until it has handed them all on: then figures are asked for.
  for (let times = 0; times < 3; times++) {
    await eventually(async () => {
      const metrics = await fetch(`${operations}/metrics`).catch(() => undefined);
      return (await metrics?.text())?.includes('v8js_memory_heap_used_bytes{slot="0"}') === true;
    }, 'figures are told');
  }
  expect((await readiness(operations)).pids).toEqual(pids);

  for (const socket of sockets.splice(0)) socket.destroy();
  await eventually(
    async () =>
      (await fetch(`${url}/nothing`, { headers: { connection: 'close' } }).catch(() => undefined))?.status ===
      404,
    'it serves',
  );
  expect((await readiness(operations)).pids).toEqual(pids);
  await eventually(async () => {
    const metrics = await (await fetch(`${operations}/metrics`)).text();
    return metrics.includes('coherent_http_connections{slot="0"} 0');
  }, 'nothing is kept of them');
});
