// What the front lets through, over real sockets: hosts, proxies, TLS. Each with the page in memory, too, where the
// fast path answers.
import { afterEach, describe, expect, test } from 'vitest';
import type { TrustProxyOptions } from '../../src/http/request/trust-proxy.ts';
import { page } from '../../src/index.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

const open: Site[] = [];
afterEach(async () => {
  for (const site of open.splice(0)) await site.close();
});

const pages = {
  index: page({ view: () => ({ h1: 'home' }) }),
  proto: page({
    cache: { vary: ['x-forwarded-proto', 'x-forwarded-host'] },
    load: ({ headers }) => headers,
    view: (headers) => `proto=${headers['x-forwarded-proto']};`,
  }),
};

async function site(trustProxy: TrustProxyOptions) {
  const started = await startSite({ pages, trustProxy });
  open.push(started);
  const get = async (target: string, ...headers: readonly string[]) => {
    const connection = new RawConnection(started.port);
    const response = await connection.ask([`GET ${target} HTTP/1.1`, ...headers, '', ''].join('\r\n'));
    connection.close();
    return response;
  };
  return { ...started, get };
}

describe('a server with a list of hosts', () => {
  test('refuses others, also for a page that the fast path knows, and learns nothing from them', async () => {
    const { get, hits } = await site({ allowedHosts: 'a.test' });
    expect((await get('/', 'Host: evil.example'))?.status).toBe(421);
    for (let visit = 0; visit < 3; visit++) await get('/', 'Host: a.test');
    const before = hits.stats();
    expect(before.answers).toBeGreaterThan(0);
    for (const host of ['evil.example', 'a.test.evil.example', '127.0.0.1', 'b.test']) {
      for (let visit = 0; visit < 3; visit++)
        expect((await get('/', `Host: ${host}`))?.status, host).toBe(421);
    }
    expect(hits.stats()).toEqual(before);
    expect((await get('/', 'Host: a.test'))?.status).toBe(200);
    expect(hits.stats().answers).toBe(before.answers + 1);
  });

  test('answers neither files nor questions nor redirects for others', async () => {
    const { port } = await site({ allowedHosts: 'a.test' });
    for (const request of ['OPTIONS *', 'OPTIONS /', 'GET //x', 'GET /style.css', 'POST /', 'HEAD /']) {
      const connection = new RawConnection(port);
      const answer = await connection.ask(`${request} HTTP/1.1\r\nHost: evil.example\r\n\r\n`, true);
      expect(answer?.status, request).toBe(421);
      expect(answer?.headers.get('cache-control')).toBe('no-store');
      connection.close();
    }
  });
});

describe('what a proxy says', () => {
  const asked = ['Host: a.test', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: a.test'];

  test('reaches a page that declared it, from a trusted proxy', async () => {
    const { get } = await site({ trustedProxies: '127.0.0.0/8' });
    expect((await get('/proto', ...asked))?.body.toString()).toContain('proto=https;');
    expect((await get('/proto', 'Host: a.test'))?.body.toString()).toContain('proto=;');
  });

  test('reaches nothing from anybody else, and makes no entry of its own', async () => {
    const { get } = await site({ trustedProxies: '10.0.0.0/8' });
    const plain = await get('/proto', 'Host: a.test');
    const tried = await get('/proto', ...asked);
    expect(tried?.body).toEqual(plain?.body);
    expect(tried?.headers.get('cache-status')).toContain('hit');
  });
});

describe('Strict-Transport-Security', () => {
  const hsts = 'max-age=60';
  const sent = async (get: Awaited<ReturnType<typeof site>>['get'], ...headers: readonly string[]) =>
    (await get('/', 'Host: a.test', ...headers))?.headers.get('strict-transport-security');

  test('depends on each request behind a trusted proxy, also where the fast path answers', async () => {
    const { get, hits } = await site({ trustedProxies: '127.0.0.1', hsts });
    for (let turn = 0; turn < 3; turn++) {
      for (let visit = 0; visit < 3; visit++) expect(await sent(get, 'X-Forwarded-Proto: https')).toBe(hsts);
      for (let visit = 0; visit < 3; visit++)
        expect(await sent(get, 'X-Forwarded-Proto: http')).toBeUndefined();
      expect(await sent(get, 'X-Forwarded-Proto: https', 'X-Forwarded-Proto: http')).toBeUndefined();
      expect(await sent(get)).toBeUndefined();
    }
    expect(hits.stats().answers).toBeGreaterThan(5);
  });

  test('is not what a stranger makes of it', async () => {
    const { get } = await site({ trustedProxies: '10.0.0.1', hsts });
    for (let visit = 0; visit < 3; visit++) {
      expect(await sent(get, 'X-Forwarded-Proto: https')).toBeUndefined();
    }
  });
});
