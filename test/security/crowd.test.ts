// The built server with ten thousand connections that do nothing, and with hundreds that send their heads byte by byte:
// visitors are answered meanwhile. And with requests for files that are not meant for anybody.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { RawConnection } from '../support/raw-http.ts';
import { until } from '../support/redis.ts';
import { attackedSite } from './attacked-site.ts';
import { HOST } from './matrix-site.ts';

let build: Build;
let server: RunningServer;
let port: number;
let attackedSettings: Readonly<Record<string, string>>;

beforeAll(async () => {
  build = buildServer();
  attackedSettings = attackedSite(build);
  server = await startBuilt(build, attackedSettings);
  port = Number(new URL(server.url).port);
}, 120_000);
afterAll(async () => {
  await server?.stop();
  build?.remove();
});

async function get(target: string): Promise<{ readonly status: number; readonly text: string }> {
  const connection = new RawConnection(port);
  const answer = await connection.ask(`GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  connection.close();
  return { status: answer?.status ?? 0, text: answer?.body.toString() ?? '' };
}

/** Open files that this process and the server may each have. */
function fileLimit(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? 1_000_000 : Number(limit);
}

async function idleConnections(count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  // Not more at once than the queue of the listening socket takes.
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(200, count - sockets.length) }, () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      return socket;
    });
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  return sockets;
}

const WANTED = 10_000;
const count = Math.max(100, Math.min(WANTED, fileLimit() - 1000));
const shortened = count < WANTED ? `, not ${WANTED}: the limit on open files is ${fileLimit()}` : '';

test(`${count} connections that do nothing${shortened}: visitors are answered`, {
  timeout: 90_000,
}, async () => {
  const idle = await idleConnections(count);
  try {
    for (let visit = 0; visit < 50; visit++) {
      const { status, text } = await get(`/echo/${2000 + (visit % 10)}`);
      expect(status).toBe(200);
      expect(text).toContain(`Echo ${2000 + (visit % 10)}`);
    }
  } finally {
    for (const socket of idle) socket.destroy();
  }
  expect((await get('/')).status).toBe(200);
});

test('300 heads that come byte by byte: visitors are answered', async () => {
  const slow = Array.from({ length: 300 }, () => new RawConnection(port));
  for (const connection of slow) connection.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Slow: `);
  const dripping = setInterval(() => {
    for (const connection of slow) connection.send('a');
  }, 50);
  try {
    for (let visit = 0; visit < 50; visit++) expect((await get(`/echo/${3000 + visit}`)).status).toBe(200);
  } finally {
    clearInterval(dripping);
    for (const connection of slow) connection.close();
  }
});

test.each([
  '/secret.txt',
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/%2e%2e%2fsecret.txt',
  '/%252e%252e%252fsecret.txt',
  '/..%5csecret.txt',
  '/..\\secret.txt',
  '/%c0%ae%c0%ae/secret.txt',
  '/%uff0e%uff0e/secret.txt',
  '/....//secret.txt',
  '/..;/secret.txt',
  '/style.css/../../secret.txt',
  '/style.css%00.txt',
  '/style.css%2f..%2f..%2fsecret.txt',
  '//127.0.0.1/secret.txt',
  '/file:///etc/passwd',
  '/.hidden',
  '/%2ehidden',
  '/package.json',
  '/pages/index.js',
  '/app.js',
  '/node_modules/zod/package.json',
  '/.env',
  '/proc/self/environ',
  '/dist/server.js',
])('%s leads to no file outside of public/, and to none that is hidden there', async (target) => {
  let { status, text } = await get(target);
  if (status === 308) ({ status, text } = await get(/written (\S+)/.exec(text)?.[1] ?? '/'));
  expect([400, 404]).toContain(status);
  expect(text).not.toMatch(/a secret|root:|"type":"module"|import /);
});

test('what is in public/ is served', async () => {
  expect(await get('/style.css')).toEqual({ status: 200, text: 'p { color: red }' });
});

test('the built server takes its limits and its proxies from the settings', { timeout: 60_000 }, async () => {
  const limited = await startBuilt(build, {
    ...attackedSettings,
    DATA_DIR: `${build.folder}/data-limited`,
    TRUSTED_PROXIES: '127.0.0.0/8',
    HSTS: 'max-age=77',
    MAX_CONNECTIONS: '16',
    SEND_TIMEOUT_MS: '1000',
    ACCESS_LOG: 'all',
  });
  try {
    const to = Number(new URL(limited.url).port);
    const connection = new RawConnection(to);
    const proxied = `Host: ${HOST}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n`;
    const answer = await connection.ask(`GET / HTTP/1.1\r\n${proxied}\r\n`);
    expect(answer?.headers.get('strict-transport-security')).toBe('max-age=77');
    await until(() => limited.output().includes('"client.address":"203.0.113.7"'));
    connection.close();

    // He takes nothing of eight megabytes.
    const reader = connect(to, '127.0.0.1').pause();
    reader.on('error', () => {});
    reader.write(`GET /big HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await once(reader, 'readable');
    const idle = Array.from({ length: 40 }, () => new RawConnection(to));
    await Promise.all(idle.slice(0, 20).map((each) => each.closed()));
    const visitor = new RawConnection(to);
    expect((await visitor.ask(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`))?.status).toBe(200);
    for (const each of [visitor, ...idle]) each.close();

    // What the operating system holds for him hides the end from him, so the server is asked.
    const operations = /"operations":"([^"]+)"/.exec(limited.output())?.[1];
    const metrics = async () => (await fetch(`${operations}/metrics`)).text();
    await until(async () => /^coherent_http_slow_readers_total\S* 1$/m.test(await metrics()));
    expect(await metrics()).toMatch(/^coherent_http_connections_refused_total\S* [1-9]/m);
    reader.destroy();
  } finally {
    await limited.stop();
  }
});
