// The operations port of the built server: from another address, with and without the token, and from a page in the
// operator's browser.
import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WRONG_TOKENS_BURST } from '../../src/operations/wrong-tokens.ts';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { RawConnection } from '../support/raw-http.ts';
import { attackedSite } from './attacked-site.ts';

const TOKEN = 'a-token-of-sixteen';

let database: TestDatabase;
let build: Build;
let site: Readonly<Record<string, string>>;
const servers: RunningServer[] = [];

beforeAll(async () => {
  build = buildServer();
  database = await testDatabase();
  site = attackedSite(build);
}, 120_000);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await database?.close();
  build?.remove();
});

async function start(env: Readonly<Record<string, string>>): Promise<number> {
  const server = await startBuilt(build, {
    ...site,
    DATABASE_URL: database.url,
    DATA_DIR: join(build.folder, `data-${servers.length}`),
    ...env,
  });
  servers.push(server);
  return Number(/"operations":"[^"]+:(\d+)"/.exec(server.output())?.[1]);
}

/** An address of this machine that is not loopback. */
function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
}

function ask(
  host: string,
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  localAddress = '',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const from = localAddress === '' ? {} : { localAddress };
    const sent = request({ host, port, method, path, headers, agent: false, ...from }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end();
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('without a token', () => {
  let port: number;
  beforeAll(async () => {
    port = await start({});
  });

  test('another address finds nobody listening', async ({ skip }) => {
    const address = ownAddress();
    if (address === undefined) return skip('this machine has no address but loopback');
    const refused = await new Promise((resolve) => {
      connect(port, address)
        .on('connect', () => resolve(undefined))
        .on('error', (error) => resolve('code' in error ? error.code : error));
    });
    expect(refused).toBe('ECONNREFUSED');
  });

  test('a page in the operator’s browser can do nothing, by whatever name it calls this machine', async () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { host: `rebound.example:${port}` },
      { host: `127.0.0.1.evil.example:${port}` },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      for (const [method, path] of [
        ['POST', '/purge'],
        ['POST', '/reload'],
        ['GET', '/explain?key=a'],
        ['GET', '/metrics'],
      ] as const) {
        expect(await ask('127.0.0.1', port, method, path, headers), `${method} ${path}`).toBe(401);
      }
    }
  });

  test('whoever is on this machine may ask', async () => {
    expect(await ask('127.0.0.1', port, 'GET', '/explain?key=a')).toBe(200);
  });
});

describe('with a token, listening everywhere', () => {
  let port: number;
  beforeAll(async () => {
    port = await start({ OPS_HOST: '0.0.0.0', OPS_TOKEN: TOKEN });
  });

  test('nothing but probes is answered without it, from whatever address', async () => {
    for (const address of ['127.0.0.1', ownAddress() ?? '127.0.0.2']) {
      expect(await ask(address, port, 'GET', '/readyz')).toBe(200);
      expect(await ask(address, port, 'GET', '/livez')).toBe(200);
      for (const path of ['/metrics', '/explain?key=a', '/rollout', '/no-such-thing']) {
        expect(await ask(address, port, 'GET', path), path).toBe(401);
      }
      for (const path of ['/purge', '/reload'])
        expect(await ask(address, port, 'POST', path), path).toBe(401);
      expect(await ask(address, port, 'GET', '/explain?key=a', bearer(TOKEN))).toBe(200);
    }
  });

  test('forms and requests that a page could have a browser send are not let in', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const headers of [
      form,
      { ...form, cookie: `token=${TOKEN}` },
      { ...form, origin: 'https://evil.example' },
    ]) {
      expect(await ask('127.0.0.1', port, 'POST', '/purge', headers)).toBe(401);
      expect(await ask('127.0.0.1', port, 'POST', `/purge?token=${TOKEN}`, headers)).toBe(401);
    }
    // A browser asks first whether it may send the token from a page of another origin. It may not.
    const preflight = { origin: 'https://evil.example', 'access-control-request-headers': 'authorization' };
    expect(await ask('127.0.0.1', port, 'OPTIONS', '/purge', preflight)).toBe(401);
  });

  test('who guesses is told to slow down; the right token is heard from behind the same address', async ({
    skip,
  }) => {
    if (process.platform !== 'linux')
      return skip('every 127.x.y.z is an address of this machine on Linux alone');
    const from = '127.0.0.3';
    for (let guess = 0; guess < WRONG_TOKENS_BURST; guess++) {
      expect(await ask('127.0.0.1', port, 'POST', '/reload', bearer(`guess-number-${guess}`), from)).toBe(
        401,
      );
    }
    // One a second is forgiven, which is used up.
    const answers = new Set<number>();
    for (let guess = 0; guess < WRONG_TOKENS_BURST; guess++) {
      answers.add(await ask('127.0.0.1', port, 'POST', '/reload', bearer('a-guess'), from));
    }
    expect(answers).toContain(429);
    expect(await ask('127.0.0.1', port, 'GET', '/explain?key=a', bearer(TOKEN), from)).toBe(200);
    expect(await ask('127.0.0.1', port, 'GET', '/livez', {}, from)).toBe(200);
    expect(await ask('127.0.0.1', port, 'GET', '/explain?key=a', bearer(TOKEN))).toBe(200);
  });

  test('has limits of its own', async () => {
    const large = new RawConnection(port);
    expect(
      (await large.ask(`GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(10_000)}\r\n\r\n`))?.status,
    ).toBe(431);
    large.close();
    const slow = new RawConnection(port);
    slow.send('GET /livez HTTP/1.1\r\nHost: a\r\nX: ');
    expect((await slow.next())?.status).toBe(408);
    slow.close();
  });
});

test('from a network of its own: loopback is another one there, and nobody answers', ({ skip }) => {
  const inside = (script: string) =>
    spawnSync('unshare', ['--net', 'sh', '-c', `ip link set lo up && ${process.execPath} -e "${script}"`], {
      encoding: 'utf8',
    });
  const port = /"operations":"[^"]+:(\d+)"/.exec(servers[0]?.output() ?? '')?.[1];
  const tried = inside(
    `require('net').connect(${port}, '127.0.0.1').on('error', (e) => console.log(e.code)).on('connect', () => console.log('in'))`,
  );
  if (tried.status !== 0) return skip('making a network namespace takes root, unshare and ip');
  expect(tried.stdout.trim()).toBe('ECONNREFUSED');
});
