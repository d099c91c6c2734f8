import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { OPERATIONS_BURST, Operations } from './operations.ts';
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

  test('does not listen to who guesses, not even when he guesses right, and answers probes meanwhile', async () => {
    const clock = new ManualClock();
    const port = await start(token, clock);
    for (let guess = 0; guess < WRONG_TOKENS_BURST; guess++) {
      expect((await ask(port, 'POST', '/reload', bearer(`guess-${guess}`))).status).toBe(401);
    }
    const right = await ask(port, 'POST', '/reload', bearer(token));
    expect(right).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect((await ask(port, 'GET', '/livez', bearer('wrong'))).status).toBe(200);
    clock.advance(1000);
    expect((await ask(port, 'POST', '/reload', bearer(token))).status).toBe(202);
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
