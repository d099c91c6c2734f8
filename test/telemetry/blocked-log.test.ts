// Nobody reads what the server writes: it serves on, remembers no more than it may, and can be stopped.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { placeSite } from '../support/lay-out.ts';
import { RawConnection } from '../support/raw-http.ts';
import { until } from '../support/redis.ts';

let build: Build;
let child: ChildProcess | undefined;

beforeAll(() => {
  build = buildServer();
  placeSite(build.folder, 'test/fixtures/tiny-app');
}, 120_000);

afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
afterAll(() => build?.remove());

const REQUEST = `GET /${'long-path-'.repeat(45)} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Fifty at a time, each answered. */
async function askOften(visitor: RawConnection, times: number): Promise<void> {
  for (let asked = 0; asked < times; asked += 50) {
    visitor.send(REQUEST.repeat(50));
    for (let at = 0; at < 50; at++) expect((await visitor.next())?.status).toBe(404);
  }
}

interface Reader {
  /** For the child. */
  readonly stdout: 'pipe' | number;
  /** Everything that is there to be read now. */
  read(): string;
}

function fifo(): Reader & { close(): void } {
  const path = join(build.folder, 'log.fifo');
  execFileSync('mkfifo', [path]);
  const from = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stdout = openSync(path, constants.O_WRONLY);
  const buffer = Buffer.alloc(1 << 20);
  return {
    stdout,
    read: () => {
      try {
        return buffer.toString('utf8', 0, readSync(from, buffer));
      } catch {
        return '';
      }
    },
    close: () => {
      closeSync(stdout);
      closeSync(from);
    },
  };
}

/** What Node gives a child: a pair of sockets. Journals of systems do the same. */
function sockets(): Reader & { close(): void } {
  return { stdout: 'pipe', read: () => String(child?.stdout?.read() ?? ''), close: () => {} };
}

test.each([
  ['a pipe', fifo],
  ['a socket', sockets],
])('%s that is full holds up no request and no end', { timeout: 120_000 }, async (_, open) => {
  const reader = open();
  child = spawn(process.execPath, [join(build.folder, 'package/dist/server.js')], {
    cwd: build.folder,
    stdio: ['ignore', reader.stdout, 'inherit'],
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
      SHUTDOWN_DELAY_MS: '0',
      HEARTBEAT_TIMEOUT_MS: '5000',
      ACCESS_LOG: 'all',
    },
  });
  let said = '';
  await until(() => {
    said += reader.read();
    return said.includes('"msg":"serving"');
  });
  const [, port] = /"msg":"serving".*?"url":"http:\/\/[^:"]+:(\d+)"/.exec(said) ?? [];
  const [, operations = ''] = /"operations":"([^"]+)"/.exec(said) ?? [];

  // From here on nobody reads. A line has some 700 bytes, so this is more than any pipe and the queue can take.
  const visitor = new RawConnection(Number(port));
  await askOften(visitor, 2500);
  visitor.close();
  expect((await fetch(`${operations}/livez`)).status).toBe(200);

  // The reader goes on: what was kept is whole, and what was not is told of.
  said = '';
  await until(() => {
    said += reader.read();
    return said.includes('log lines were dropped');
  });
  const lines = said
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  const requests = lines.filter(({ msg }) => msg === 'request').length;
  const dropped = lines.find(({ msg }) => msg.startsWith('log lines were dropped')).lines;
  expect(dropped).toBeGreaterThan(0);
  expect(requests + dropped).toBeLessThanOrEqual(2500);
  expect(said).not.toContain('wedged');

  // Full again, and asked to stop.
  const another = new RawConnection(Number(port));
  await askOften(another, 1000);
  another.close();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  reader.close();
});
