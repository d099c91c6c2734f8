import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silent } from '../../../test/support/silent.ts';
import { hostSnapshot } from '../../../test/support/snapshots.ts';
import { Operations } from '../../operations/operations.ts';
import { MAX_SESSIONS, SESSION_COOKIE, SESSION_MS } from '../../operations/operations-session.ts';
import { WRONG_TOKENS_BURST } from '../../operations/wrong-tokens.ts';
import { Dashboard } from './dashboard.ts';
import type { DashboardFiles } from './dashboard-files.ts';
import { MAX_WATCHERS } from './event-stream.ts';

const token = 'a-token-of-sixteen';

const files: DashboardFiles = {
  pages: {
    dashboard: 'the dashboard',
    'login-asked': 'log in',
    'login-wrong': 'wrong',
    'login-too-many': 'too many',
  },
  assets: new Map([
    ['/dashboard/assets/1/main.js', { status: 200, body: 'script', contentType: 'text/javascript' }],
  ]),
  headers: { 'content-security-policy': "default-src 'none'" },
};

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0)) await part.close();
});

interface Started {
  readonly port: number;
  readonly clock: ManualClock;
  readonly dashboard: Dashboard;
  /** Of the purges that were asked for. */
  readonly done: string[];
}

async function start(given?: string): Promise<Started> {
  const clock = new ManualClock();
  const operations = new Operations({ host: '127.0.0.1', port: 0, token: given, clock });
  const done: string[] = [];
  operations.route({
    method: 'POST',
    path: '/purge',
    handler: () => {
      done.push('purge');
      return { status: 200, body: { keys: 1 } };
    },
  });
  operations.route({
    method: 'GET',
    path: '/explain',
    handler: () => ({ status: 200, body: { workers: [] } }),
  });
  const dashboard = new Dashboard({
    operations,
    token: given,
    clock,
    logger: silent,
    stats: { collect: () => Promise.resolve(hostSnapshot()), subscribe: () => () => {} },
    extras: () => ({ alerts: [], advice: [], tail: [], tailSkipped: 0 }),
    files,
  });
  open.push(dashboard, operations);
  return { port: await operations.start(), clock, dashboard, done };
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The head of the answer; what is read is up to the caller. */
function send(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body = '' }: Asked,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, method, path, headers, agent: false }, resolve)
      .on('error', reject)
      .end(body);
  });
}

async function ask(port: number, path: string, asked: Asked = {}) {
  const response = await send(port, path, asked);
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  return { status: response.statusCode, body, headers: response.headers };
}

const origin = (port: number, host = '127.0.0.1') => ({
  host: `${host}:${port}`,
  origin: `http://${host}:${port}`,
});
const action = { 'x-coherent-action': 'dashboard' };
const purge = (port: number, headers: Record<string, string>) =>
  ask(port, '/dashboard/do/purge', { method: 'POST', headers });
const login = (port: number, typed: string, headers: Record<string, string> = origin(port)) =>
  ask(port, '/dashboard/login', {
    method: 'POST',
    headers,
    body: new URLSearchParams({ token: typed }).toString(),
  });

async function session(port: number): Promise<{ cookie: string }> {
  const { headers } = await login(port, token);
  const [cookie = ''] = headers['set-cookie'] ?? [];
  return { cookie: cookie.split(';')[0] ?? '' };
}

describe('with a token', () => {
  test('a browser logs in once, and its cookie opens the page, the figures and the actions', async () => {
    const { port, done } = await start(token);
    expect(await ask(port, '/dashboard')).toMatchObject({ status: 401, body: 'log in' });
    const reply = await login(port, token);
    expect(reply).toMatchObject({ status: 303, headers: { location: '/dashboard' } });
    expect(reply.headers['set-cookie']?.[0]).toMatch(
      new RegExp(`^${SESSION_COOKIE}=[\\w-]{43}; Path=/dashboard; Max-Age=\\d+; HttpOnly; SameSite=Strict$`),
    );
    const cookie = await session(port);
    expect(await ask(port, '/dashboard', { headers: cookie })).toMatchObject({
      status: 200,
      body: 'the dashboard',
    });
    expect((await purge(port, { ...cookie, ...origin(port), ...action })).status).toBe(200);
    expect((await ask(port, '/dashboard/do/explain?url=/', { headers: cookie })).status).toBe(200);
    expect(done).toEqual(['purge']);
  });

  test('without a session nothing is told and nothing is done', async () => {
    const { port, done } = await start(token);
    for (const headers of [{}, { cookie: `${SESSION_COOKIE}=` }, { cookie: `${SESSION_COOKIE}=made-up` }]) {
      expect((await ask(port, '/dashboard/session', { headers })).status).toBe(401);
      expect((await ask(port, '/dashboard/events', { headers })).status).toBe(401);
      expect((await ask(port, '/dashboard/do/explain?url=/', { headers })).status).toBe(401);
      expect((await purge(port, { ...headers, ...origin(port), ...action })).status).toBe(401);
    }
    expect((await ask(port, '/frame')).status).toBe(401);
    expect(done).toEqual([]);
  });

  test('the cookie opens nothing beside the dashboard', async () => {
    const { port, done } = await start(token);
    const cookie = await session(port);
    expect((await ask(port, '/purge', { method: 'POST', headers: cookie })).status).toBe(401);
    expect(done).toEqual([]);
  });

  test('another page cannot use the session: not by a form, not by a script', async () => {
    const { port, done } = await start(token);
    const cookie = await session(port);
    const foreign = { ...cookie, host: `127.0.0.1:${port}`, ...action };
    const origins = [
      'https://evil.example',
      'null',
      'http://127.0.0.1:3000',
      `http://localhost:${port}`,
      `http://127.0.0.1:${port}.evil.example`,
    ];
    for (const from of origins) expect((await purge(port, { ...foreign, origin: from })).status).toBe(403);
    expect((await purge(port, foreign)).status).toBe(403); // no Origin
    expect((await purge(port, { ...cookie, ...origin(port) })).status).toBe(403); // no header of the script
    const crossSite = { ...cookie, 'sec-fetch-site': 'cross-site' };
    expect((await ask(port, '/dashboard/events', { headers: crossSite })).status).toBe(403);
    expect((await ask(port, '/dashboard/do/explain?url=/', { headers: crossSite })).status).toBe(403);
    expect(
      (await login(port, token, { host: `127.0.0.1:${port}`, origin: 'https://evil.example' })).status,
    ).toBe(403);
    expect((await ask(port, '/dashboard/logout', { method: 'POST', headers: cookie })).status).toBe(403);
    expect(done).toEqual([]);
  });

  test('wrong tokens wear an address out, and the right one is still heard', async () => {
    const { port, clock } = await start(token);
    for (let n = 0; n < WRONG_TOKENS_BURST; n++) expect((await login(port, 'wrong')).status).toBe(401);
    expect(await login(port, 'wrong')).toMatchObject({ status: 429, body: 'too many' });
    expect((await login(port, token)).status).toBe(303);
    clock.advance(2000);
    expect((await login(port, 'wrong')).status).toBe(401);
  });

  test('a form that is too long is a wrong token', async () => {
    const { port } = await start(token);
    expect((await login(port, 'x'.repeat(5000))).status).toBe(401);
  });

  test('a session ends: by logging out, with its time, and when too many came after it', async () => {
    const { port, clock } = await start(token);
    const isIn = async (headers: { cookie: string }) =>
      (await ask(port, '/dashboard/session', { headers })).status === 200;
    const first = await session(port);
    await ask(port, '/dashboard/logout', { method: 'POST', headers: { ...first, ...origin(port) } });
    expect(await isIn(first)).toBe(false);

    const second = await session(port);
    clock.advance(SESSION_MS - 1);
    expect(await isIn(second)).toBe(true);
    clock.advance(1);
    expect(await isIn(second)).toBe(false);

    const third = await session(port);
    for (let n = 0; n < MAX_SESSIONS - 1; n++) await session(port);
    expect(await isIn(third)).toBe(true);
    await session(port);
    expect(await isIn(third)).toBe(false);
  });

  test('behind TLS the cookie is Secure', async () => {
    const { port } = await start(token);
    const { status, headers } = await login(port, token, {
      host: 'ops.example',
      origin: 'https://ops.example',
    });
    expect(status).toBe(303);
    expect(headers['set-cookie']?.[0]).toMatch(/; Secure$/);
  });
});

describe('without a token', () => {
  test('this machine is let in, at any of its loopback names', async () => {
    const { port, done } = await start();
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      expect((await ask(port, '/dashboard', { headers: { host: `${host}:${port}` } })).body).toBe(
        'the dashboard',
      );
      expect((await purge(port, { ...origin(port, host), ...action })).status).toBe(200);
    }
    expect(done).toHaveLength(3);
  });

  test('a name that was pointed here (DNS rebinding) is refused, though its origin is its own', async () => {
    const { port, done } = await start();
    const rebound = origin(port, 'rebound.example');
    expect((await ask(port, '/dashboard', { headers: rebound })).status).toBe(403);
    expect((await ask(port, '/dashboard/events', { headers: rebound })).status).toBe(403);
    expect((await purge(port, { ...rebound, ...action })).status).toBe(403);
    expect(done).toEqual([]);
  });

  test('a page of another port of this machine is refused', async () => {
    const { port, done } = await start();
    const site = { host: `localhost:${port}`, origin: 'http://localhost:3000', ...action };
    expect((await purge(port, site)).status).toBe(403);
    expect((await ask(port, '/dashboard/events', { headers: site })).status).toBe(403);
    expect(
      (await ask(port, '/dashboard/session', { headers: { 'sec-fetch-site': 'same-site' } })).status,
    ).toBe(403);
    expect(done).toEqual([]);
  });

  test('there is nothing to log in to', async () => {
    const { port } = await start();
    expect((await login(port, '')).status).toBe(401);
  });
});

describe('the figures', () => {
  test('come at once and then every second, and end with the session', async () => {
    const { port, clock } = await start(token);
    const { cookie } = await session(port);
    const response = await send(port, '/dashboard/events', { headers: { cookie } });
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    const events = namesOf(response);
    expect([await events.next(), await events.next()]).toMatchObject([
      { value: 'greeting' },
      { value: 'frame' },
    ]);
    clock.advance(1000);
    expect(await events.next()).toMatchObject({ value: 'frame' });
    await ask(port, '/dashboard/logout', { method: 'POST', headers: { cookie, ...origin(port) } });
    clock.advance(1000);
    expect(await events.next()).toMatchObject({ done: true });
  });

  test('are for so many at most: the oldest gives way to the next, and connects again', async () => {
    const { port } = await start();
    const all = await Promise.all(
      Array.from({ length: MAX_WATCHERS }, () => send(port, '/dashboard/events', {})),
    );
    expect(all.map(({ statusCode }) => statusCode)).toEqual(all.map(() => 200));
    const ended = new Promise((resolve) => {
      for (const each of all) {
        each.on('error', () => {}).once('close', resolve);
        each.resume();
      }
    });
    expect((await send(port, '/dashboard/events', {})).statusCode).toBe(200);
    await ended;
  });

  // Node closes the first of them only.
  test('hold no place for one that has left with more of them in its pipeline', async () => {
    const { port } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /dashboard/events HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(MAX_WATCHERS));
    await once(socket, 'data');
    socket.resetAndDestroy();
    const all = Array.from({ length: MAX_WATCHERS }, () => send(port, '/dashboard/events', {}));
    for (const { statusCode, closed } of await Promise.all(all))
      expect({ statusCode, closed }).toEqual({ statusCode: 200, closed: false });
  });

  test('are to be had once, for programs', async () => {
    const { port } = await start(token);
    const { status, body } = await ask(port, '/frame', { headers: { authorization: `Bearer ${token}` } });
    expect({ status, workers: JSON.parse(body).workers.length }).toEqual({ status: 200, workers: 2 });
  });
});

test('a build without the pages says so', async () => {
  const operations = new Operations({ host: '127.0.0.1', port: 0, token: undefined });
  const dashboard = new Dashboard({
    operations,
    token: undefined,
    clock: new ManualClock(),
    logger: silent,
    stats: { collect: () => Promise.resolve(hostSnapshot()), subscribe: () => () => {} },
    extras: () => ({ alerts: [], advice: [], tail: [], tailSkipped: 0 }),
    files: undefined,
  });
  open.push(dashboard, operations);
  const port = await operations.start();
  expect(await ask(port, '/dashboard')).toMatchObject({ status: 404 });
});

/** The names of the events, as they come. */
async function* namesOf(response: IncomingMessage): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      yield /^event: (\w+)$/m.exec(text.slice(0, end))?.[1] ?? '';
      text = text.slice(end + 2);
    }
  }
}
