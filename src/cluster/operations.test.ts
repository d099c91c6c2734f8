import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { Operations } from './operations.ts';

const servers: Operations[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(token?: string): Promise<number> {
  const operations = new Operations({ host: '127.0.0.1', port: 0, token });
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
