// Resources: JSON, feeds, sitemaps, files that are cached, compressed, conditioned and purged as pages are.
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { fragment, notFound, page, redirect, resource, xml } from '../../src/index.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

let site: Site;
let loads = 0;
const pieces: number[] = [];

const posts = resource({
  query: { what: z.enum(['list', 'none', 'breaks', 'elsewhere', 'undefined']).default('list') },
  from: 'anywhere',
  load: ({ query, dependsOn }) => {
    loads++;
    dependsOn('posts');
    if (query.what === 'none') return notFound();
    if (query.what === 'elsewhere') return redirect('/else');
    if (query.what === 'breaks') throw new Error('secret of the server');
    return {
      posts: Array.from({ length: 200 }, (_, id) => ({ id, title: `Post <${id}>`, at: new Date(0) })),
    };
  },
  headers: ({ posts }) => ({ 'x-total': String(posts.length) }),
});

const feed = resource({
  type: 'rss',
  load: () => [{ title: 'Tom & "Jerry" <3', link: 'https://example.org/?a=1&b=2' }],
  body: (items) => xml`<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel>${items.map(
    ({ title, link }) => xml`<item><title>${title}</title><link>${link}</link></item>`,
  )}</channel></rss>`,
});

const piece = fragment('sitemap-piece', {
  key: (part: number) => part,
  load: ({ key, dependsOn }) => {
    pieces.push(key);
    dependsOn(`pages.part=${key}`);
    return Array.from({ length: 1000 }, (_, at) => `https://example.org/pages/${key * 1000 + at}`);
  },
  view: (addresses) => addresses.map((address) => xml`<url><loc>${address}</loc></url>`),
  cache: { ttlMs: 3_600_000 },
});

const sitemap = resource({
  type: 'xml',
  params: { part: z.coerce.number().int().min(0).max(1) },
  load: ({ params }) => ({ from: params.part * 50 }),
  body: ({ from }) =>
    xml`<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${Array.from({ length: 50 }, (_, at) =>
      piece(from + at),
    )}</urlset>`,
  cache: { ttlMs: 3_600_000 },
});

beforeEach(async () => {
  loads = 0;
  pieces.length = 0;
  site = await startSite({
    fragmentCache: true,
    cacheBytes: 50e6,
    pages: {
      posts,
      'feed.xml': feed,
      'sitemap/[part]': sitemap,
      'robots.txt': resource({ type: 'text', load: () => 'User-agent: *\nAllow: /\n', body: (text) => text }),
      pixel: resource({
        type: 'image/png',
        load: () => 2000,
        body: (size) => Buffer.alloc(size),
      }),
      wrong: resource({ type: 'csv', load: () => 1, body: () => ({ a: 1 }) as never }),
      gone: page({
        load: () => 410,
        status: (code) => code,
        headers: () => ({ Link: '</a>; rel="x"' }),
        view: () => ({ p: 'gone' }),
      }),
      teapot: page({ load: () => 418, status: (code) => code, view: () => ({ p: 'tea' }) }),
      'bad/cookie': page({ headers: () => ({ 'Set-Cookie': 'a=b' }), view: () => null }),
      'bad/lines': page({ headers: () => ({ 'x-a': 'a\r\nx-b: c' }), view: () => null }),
      'bad/status': page({ status: () => 302, view: () => null }),
    },
  });
});
afterEach(() => site.close());

const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${site.origin}${path}`, { redirect: 'manual', ...init });

describe('a JSON resource', () => {
  it('is made once and then lies in memory, with an ETag, until its data is purged', async () => {
    const first = await ask('/posts');
    expect(first.headers.get('content-type')).toBe('application/json');
    expect(first.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
    expect(first.headers.get('access-control-allow-origin')).toBe('*');
    expect(first.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(first.headers.get('x-total')).toBe('200');
    expect(await first.json()).toMatchObject({
      posts: { 3: { id: 3, title: 'Post <3>', at: '1970-01-01T00:00:00.000Z' } },
    });
    const hit = await ask('/posts');
    expect(hit.headers.get('cache-status')).toMatch(/hit/);
    expect(loads).toBe(1);
    const etag = hit.headers.get('etag') ?? '';
    expect((await ask('/posts', { headers: { 'if-none-match': etag } })).status).toBe(304);
    site.purge('posts');
    await ask('/posts');
    expect(loads).toBe(2);
  });

  it('is compressed, and answers HEAD', async () => {
    const connection = new RawConnection(site.port);
    const zipped = await connection.ask('GET /posts HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n');
    expect(zipped?.headers.get('content-encoding')).toBe('gzip');
    expect(zipped?.headers.get('vary')).toBe('accept-encoding');
    expect(JSON.parse(gunzipSync(zipped?.body ?? '').toString()).posts).toHaveLength(200);
    const head = await connection.ask('HEAD /posts HTTP/1.1\r\nhost: x\r\n\r\n', true);
    expect(head?.status).toBe(200);
    connection.close();
  });

  it('that is not there, fails, or is asked for wrongly says so in JSON', async () => {
    const none = await ask('/posts?what=none');
    expect([none.status, none.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    expect(await none.json()).toEqual({ type: 'about:blank', title: 'Not Found', status: 404 });
    expect((await ask('/posts?what=elsewhere')).headers.get('location')).toBe('/else');
    const wrong = await ask('/posts?what=x');
    expect([wrong.status, z.object({ detail: z.string() }).parse(await wrong.json()).detail]).toEqual([
      400,
      expect.stringContaining("'what'"),
    ]);
    const broken = await ask('/posts?what=breaks', { headers: { accept: 'text/html' } });
    expect([broken.status, broken.headers.get('content-type')]).toEqual([500, 'application/problem+json']);
    expect(JSON.stringify(await broken.json())).not.toContain('secret');
    expect(broken.headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('other types', () => {
  it('are XML whose text is escaped', async () => {
    const answer = await ask('/feed.xml');
    expect(answer.headers.get('content-type')).toBe('application/rss+xml; charset=utf-8');
    expect(await answer.text()).toContain(
      '<item><title>Tom &amp; &quot;Jerry&quot; &lt;3</title><link>https://example.org/?a=1&amp;b=2</link></item>',
    );
  });

  it('are text, or bytes that are not compressed in vain', async () => {
    const robots = await ask('/robots.txt');
    expect(robots.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await robots.text()).toBe('User-agent: *\nAllow: /\n');
    const pixel = await ask('/pixel', { headers: { 'accept-encoding': 'gzip' } });
    expect(pixel.headers.get('content-encoding')).toBeNull();
    expect((await pixel.arrayBuffer()).byteLength).toBe(2000);
    expect((await ask('/wrong')).status).toBe(500);
    expect(site.log.lines.map(({ fields }) => String(fields.err)).join()).toContain('its type is text/csv');
  });
});

test('a sitemap of 100,000 addresses is joined of pieces, of which a new row remakes one', async () => {
  const both = await Promise.all(['/sitemap/0', '/sitemap/1'].map(async (path) => (await ask(path)).text()));
  expect(both.join('').match(/<loc>/g)).toHaveLength(100_000);
  expect(pieces).toHaveLength(100);
  pieces.length = 0;
  site.purge('pages.part=17');
  const again = await (await ask('/sitemap/0')).text();
  expect(again).toBe(both[0]);
  expect(pieces).toEqual([17]);
  expect((await ask('/sitemap/1')).headers.get('cache-status')).toMatch(/hit/);
});

describe('a page', () => {
  it('may be gone, and that is kept; another status is not', async () => {
    const gone = await ask('/gone');
    expect([gone.status, gone.headers.get('link')]).toEqual([410, '</a>; rel="x"']);
    expect((await ask('/gone')).headers.get('cache-status')).toMatch(/hit/);
    const teapot = await ask('/teapot');
    expect([teapot.status, teapot.headers.get('cache-control')]).toEqual([418, 'no-store']);
  });

  it.each(['cookie', 'lines', 'status'])('has no %s of its own that would do harm', async (what) => {
    const answer = await ask(`/bad/${what}`);
    expect(answer.status).toBe(500);
    expect(answer.headers.get('set-cookie') ?? answer.headers.get('x-b')).toBeNull();
    expect(site.log.lines.map(({ fields }) => String(fields.err)).join()).toContain('/bad/');
  });
});
