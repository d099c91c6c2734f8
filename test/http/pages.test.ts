import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { notFound, page, redirect } from '../../src/index.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

const loads: string[] = [];
let site: Site;
let connection: RawConnection;

const long = 'All of this text is here to be worth compressing. '.repeat(60);

beforeAll(async () => {
  site = await startSite({
    pages: {
      index: page({ head: () => ({ title: 'Home <1>' }), view: () => ({ h1: { text: long } }) }),
      'users/[id]': page({
        params: { id: z.coerce.number().int().positive() },
        query: { page: z.coerce.number().int().min(1).max(500).default(1) },
        load: ({ params, query, dependsOn }) => {
          loads.push(`${params.id} ${query.page}`);
          dependsOn(`users#${params.id}`);
          if (params.id === 404) return notFound();
          if (params.id === 308) return redirect('/users/1', { permanent: true });
          if (params.id === 307) return redirect('/users/1');
          return { id: params.id, page: query.page };
        },
        head: ({ id }) => ({ title: `User ${id}` }),
        view: ({ id, page }) => ({ p: `user ${id} page ${page}` }),
      }),
    },
  });
});
afterAll(() => site.close());

const get = (target: string, headers = '') => {
  connection ??= new RawConnection(site.port);
  return connection.ask(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n${headers}\r\n`);
};

describe('a page over a real socket', () => {
  test('is rendered once and then served from memory, and says so', async () => {
    const first = await get('/users/17');
    expect(first?.status).toBe(200);
    expect(first?.body.toString()).toContain('<p>user 17 page 1</p>');
    expect(first?.headers.get('cache-status')).toBe('coherent; fwd=uri-miss; stored');
    const second = await get('/users/17');
    expect(second?.headers.get('cache-status')).toMatch(/^coherent; hit; ttl=[45]\d; detail=L1$/);
    expect(second?.body).toEqual(first?.body);
    expect(loads.filter((load) => load === '17 1')).toHaveLength(1);
  });

  test('is one entry for every spelling of the same inputs', async () => {
    await get('/users/21');
    for (const target of [
      '/users/21?page=1',
      '/users/021',
      '/users/21?utm_source=x&page=01',
      '/users/21?p%61ge=1',
    ]) {
      expect((await get(target))?.headers.get('cache-status'), target).toContain('hit');
    }
    expect((await get('/users/21?page=2'))?.body.toString()).toContain('page 2');
  });

  test('is rendered anew once its data was purged', async () => {
    await get('/users/33');
    site.purge('users#33');
    expect((await get('/users/33'))?.headers.get('cache-status')).toBe('coherent; fwd=uri-miss; stored');
  });

  test('is answered with 304 to whoever holds it, in each encoding by its own tag', async () => {
    for (const encoding of ['identity', 'gzip', 'br']) {
      const accept = `Accept-Encoding: ${encoding}\r\n`;
      const full = await get('/', accept);
      const etag = full?.headers.get('etag');
      const held = await get('/', `${accept}If-None-Match: "x", W/${etag}\r\n`);
      expect(held?.status).toBe(304);
      expect(held?.headers.get('etag')).toBe(etag);
      expect(held?.headers.get('vary')).toBe('accept-encoding');
      expect(held?.headers.has('content-length')).toBe(false);
    }
    expect((await get('/', 'If-None-Match: *\r\n'))?.status).toBe(304);
    expect((await get('/', 'If-None-Match: "other"\r\n'))?.status).toBe(200);
  });

  test('comes compressed to those who take it, and plain to those who do not', async () => {
    const plain = await get('/');
    expect(plain?.headers.has('content-encoding')).toBe(false);
    const gzip = await get('/', 'Accept-Encoding: gzip\r\n');
    expect(gunzipSync(gzip?.body ?? Buffer.alloc(0))).toEqual(plain?.body);
    const br = await get('/', 'Accept-Encoding: gzip, deflate, br, zstd\r\n');
    expect(br?.headers.get('content-encoding')).toBe('br');
    expect(brotliDecompressSync(br?.body ?? Buffer.alloc(0))).toEqual(plain?.body);
    for (const headers of [
      'Accept-Encoding: br\r\nX-No-Compression: 1\r\n',
      'Accept-Encoding: br;q=0, gzip;q=0\r\n',
    ]) {
      expect((await get('/', headers))?.headers.has('content-encoding'), headers).toBe(false);
    }
  });

  test('has the same headers for HEAD as for GET, and no body', async () => {
    connection ??= new RawConnection(site.port);
    const headers = 'Host: a.test\r\nAccept-Encoding: br\r\n\r\n';
    const full = await connection.ask(`GET / HTTP/1.1\r\n${headers}`);
    const head = await connection.ask(`HEAD / HTTP/1.1\r\n${headers}`, true);
    const names = [...(full?.headers.keys() ?? [])];
    expect([...(head?.headers.keys() ?? [])]).toEqual(names);
    expect(head?.headers.get('content-length')).toBe(String(full?.body.length));
    expect((await get('/'))?.status).toBe(200);
  });

  test('carries the headers that keep browsers safe', async () => {
    const response = await get('/');
    expect(response?.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response?.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(response?.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
    expect(response?.body.toString()).toContain('<title>Home &lt;1></title>'.replace('1>', '1&gt;'));
  });

  test('answers what is not there with 404, kept for ten seconds', async () => {
    const first = await get('/users/404');
    expect(first?.status).toBe(404);
    expect((await get('/users/404'))?.headers.get('cache-status')).toMatch(/hit; ttl=\d;/);
    expect((await get('/nowhere'))?.status).toBe(404);
    expect((await get('/nowhere/else'))?.headers.get('cache-status')).toContain('hit');
  });

  test('answers a moved page with its new address, for good only where the page says so', async () => {
    for (const status of [307, 308]) {
      const response = await get(`/users/${status}`);
      expect(response?.status).toBe(status);
      expect(response?.headers.get('location')).toBe('/users/1');
      expect((await get(`/users/${status}`))?.headers.get('cache-status')).toContain('hit');
      site.purge(`users#${status}`);
      expect((await get(`/users/${status}`))?.headers.get('cache-status')).toContain('fwd=uri-miss');
    }
  });

  test('is the same bytes by the fast path, which takes what memory has given once', async () => {
    const before = site.hits.stats().answers;
    for (const headers of [
      '',
      'Accept-Encoding: br\r\n',
      'If-None-Match: *\r\n',
      'Accept-Encoding: gzip\r\n',
    ]) {
      const quick = await get('/users/21?page=2', headers);
      // A header that the fast path leaves to the ordinary path, and that changes nothing.
      const ordinary = await get('/users/21?page=2', `${headers}X-Coherent-Test: 1\r\n`);
      const steady = (response: typeof quick) =>
        [...(response?.headers ?? [])]
          .filter(([name]) => name !== 'date')
          .map(([name, value]) => [name, value.replace(/ttl=\d+/, 'ttl')]);
      expect(quick?.status).toBe(ordinary?.status);
      expect(steady(quick)).toEqual(steady(ordinary));
      expect(quick?.body).toEqual(ordinary?.body);
    }
    expect(site.hits.stats().answers - before).toBeGreaterThanOrEqual(3);
    const known = site.hits.stats().answers;
    expect((await get('/users/21?page=2', 'Host: b.test\r\n'))?.status).toBe(400);
    expect(site.hits.stats().answers).toBe(known);
  });
});

test('an answer from memory says which part of memory it came from', async () => {
  const pages = {
    index: page({ cache: { static: true }, view: () => 'pinned' }),
    other: page({ view: () => 'held' }),
  };
  const two = await startSite({ pages });
  try {
    for (const [path, tier] of [
      ['/', 'STATIC'],
      ['/other', 'L1'],
    ]) {
      await (await fetch(two.origin + path)).text();
      const again = await fetch(two.origin + path);
      expect(again.headers.get('cache-status')).toContain(`detail=${tier}`);
      await again.text();
    }
  } finally {
    await two.close();
  }
});
