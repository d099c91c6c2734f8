import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { RawConnection } from '../../test/support/raw-http.ts';
import { readText } from './json-body.ts';
import { MAX_OPERATIONS_CONNECTIONS, OPERATIONS_BURST, Operations } from './operations.ts';
import { WRONG_TOKENS_BURST } from './wrong-tokens.ts';

const servers: Operations[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(token?: string, clock = new ManualClock()): Promise<number> {
  const operations = new Operations({ host: '127.0.0.1', port: 0, token, clock });
  servers.push(operations);
  operations.route({
    method: 'GET',
    path: '/livez',
    open: true,
    handler: () => ({ status: 200, body: { status: 'ok' } }),
  });
  operations.route({
    method: 'POST',
    path: '/reload',
    handler: () => ({ status: 202, body: 'reloading\n' }),
  });
  operations.route({ method: 'GET', path: '/broken', handler: () => Promise.reject(new Error('no')) });
  return await operations.start();
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    sent.on('error', reject).end();
  });
}

const token = 'a-token-of-sixteen';
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

describe('the operations server', () => {
  test('answers probes to anybody, in JSON that nobody keeps', async () => {
    const port = await start(token);
    const { status, body, headers } = await ask(port, 'GET', '/livez', { host: 'evil.example' });
    expect({ status, body }).toEqual({ status: 200, body: '{"status":"ok"}\n' });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect((await ask(port, 'HEAD', '/livez')).body).toBe('');
  });

  test('asks for the token where there is one', async () => {
    const port = await start(token);
    expect((await ask(port, 'POST', '/reload')).status).toBe(401);
    expect((await ask(port, 'POST', '/reload', bearer(`${token}x`))).status).toBe(401);
    expect((await ask(port, 'POST', '/reload', bearer(''))).status).toBe(401);
    expect(await ask(port, 'POST', '/reload', bearer(token))).toMatchObject({
      status: 202,
      body: 'reloading\n',
    });
  });

  test('without a token, answers what names this machine and comes from no page of a browser', async () => {
    const port = await start();
    expect((await ask(port, 'POST', '/reload')).status).toBe(202);
    expect((await ask(port, 'POST', '/reload', { host: '[::1]:3001' })).status).toBe(202);
    expect((await ask(port, 'POST', '/reload', { host: 'rebound.example:3001' })).status).toBe(401);
    expect((await ask(port, 'POST', '/reload', { origin: 'http://localhost:3000' })).status).toBe(401);
  });

  test('without a token, answers nothing that a browser says a page of another site has sent', async () => {
    const port = await start();
    for (const site of ['cross-site', 'same-site']) {
      expect((await ask(port, 'GET', '/broken', { 'sec-fetch-site': site })).status, site).toBe(401);
    }
    for (const site of ['none', 'same-origin']) {
      expect((await ask(port, 'POST', '/reload', { 'sec-fetch-site': site })).status, site).toBe(202);
    }
  });

  test('tells an address with many wrong tokens so, and still hears the right one from behind it', async () => {
    const clock = new ManualClock();
    const port = await start(token, clock);
    for (let guess = 0; guess < WRONG_TOKENS_BURST; guess++) {
      expect((await ask(port, 'POST', '/reload', bearer(`guess-${guess}`))).status).toBe(401);
    }
    const wrong = await ask(port, 'POST', '/reload', bearer('another'));
    expect(wrong).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect((await ask(port, 'POST', '/reload', bearer(token))).status).toBe(202);
    expect((await ask(port, 'GET', '/livez', bearer('wrong'))).status).toBe(200);
    clock.advance(1000);
    expect((await ask(port, 'POST', '/reload', bearer('another'))).status).toBe(401);
  });

  test('a request without a token is no guess', async () => {
    const port = await start(token);
    for (let times = 0; times < 2 * WRONG_TOKENS_BURST; times++) await ask(port, 'POST', '/reload');
    expect((await ask(port, 'POST', '/reload', bearer(token))).status).toBe(202);
  });

  test('has one budget for all calls that it lets in; probes and refusals take nothing of it', async () => {
    const clock = new ManualClock();
    const port = await start(undefined, clock);
    const statuses = new Map<number, number>();
    for (let call = 0; call < OPERATIONS_BURST + 20; call++) {
      const { status } = await ask(port, 'POST', '/reload');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (call % 100 === 0) {
        await ask(port, 'GET', '/livez');
        await ask(port, 'POST', '/reload', { origin: 'http://evil.example' });
      }
    }
    expect(Object.fromEntries(statuses)).toEqual({ 202: OPERATIONS_BURST, 429: 20 });
    expect((await ask(port, 'GET', '/livez')).status).toBe(200);
    clock.advance(1000);
    expect((await ask(port, 'POST', '/reload')).status).toBe(202);
  });

  test('tells unknown paths and methods apart, and shows neither to a stranger', async () => {
    const port = await start(token);
    expect((await ask(port, 'GET', '/nothing')).status).toBe(401);
    expect((await ask(port, 'GET', '/nothing', bearer(token))).status).toBe(404);
    expect((await ask(port, 'DELETE', '/livez', bearer(token))).status).toBe(405);
    expect((await ask(port, 'GET', 'http://evil.example/livez', bearer(token))).status).toBe(400);
  });

  test('outlives a route that throws', async () => {
    const port = await start();
    await expect(ask(port, 'GET', '/broken')).rejects.toThrow();
    expect((await ask(port, 'GET', '/livez')).status).toBe(200);
  });
});

describe('whatever stands at the operations port', () => {
  const head = 'GET /livez HTTP/1.1\r\nHost: a\r\n';
  test.each<[string, string]>([
    ['nothing', ''],
    ['a head without an end', `${head}X: `],
    ['a body without an end', `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc`],
    ['a body that nobody takes', `${head}Content-Length: 500000\r\n\r\nabc`],
    ['questions that take their time', 'GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['streams', 'GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('a probe gets in: %s', async (_name, bytes) => {
    const operations = new Operations({ host: '127.0.0.1', port: 0, token: undefined });
    servers.push(operations);
    const open = true;
    operations.route({ method: 'GET', path: '/livez', open, handler: () => ({ status: 200, body: 'ok' }) });
    operations.route({ method: 'GET', path: '/never', handler: () => new Promise(() => {}) });
    operations.route({
      method: 'GET',
      path: '/stream',
      open,
      handler: () => ({ status: 200, body: '', stream: (response) => response.write('first') }),
    });
    operations.route({
      method: 'POST',
      path: '/body',
      open,
      handler: async (request) => ({ status: 200, body: await readText(request, 100) }),
    });
    const port = await operations.start();
    const crowd = Array.from({ length: MAX_OPERATIONS_CONNECTIONS + 100 }, () => {
      const connection = new RawConnection(port);
      connection.send(bytes);
      return connection;
    });
    // Some have given way: all places are taken.
    await Promise.any(crowd.map((connection) => connection.closed()));
    for (let probes = 0; probes < 15; probes++) {
      expect((await ask(port, 'GET', '/livez')).status).toBe(200);
    }
    for (const connection of crowd) connection.close();
  });

  test('a client that closes its sending side at once gets its answer', async () => {
    const port = await start();
    const socket = connect(port, '127.0.0.1').end('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toContain('200 OK');
  });

  test.each([
    ['chunks over HTTP/1.0', 400, 'POST /reload HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['another coding', 501, 'POST /reload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  ])(
    'a request whose end is not certain is refused, and ends its connection: %s',
    async (_name, status, bytes) => {
      const connection = new RawConnection(await start());
      expect((await connection.ask(bytes))?.status).toBe(status);
      await connection.closed();
    },
  );
});
