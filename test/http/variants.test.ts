// Pages in variants and for tenants, over real sockets, by the ordinary path and by the fast path.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { layout, page, preferredLanguage, variant } from '../../src/index.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

const LOCALES = ['en', 'ar'] as const;
const loads: string[] = [];
let site: Site;
let connection: RawConnection;

beforeAll(async () => {
  site = await startSite({
    publicOrigin: 'https://example.org',
    settings: {
      variants: {
        locale: variant({
          values: LOCALES,
          reads: { headers: ['accept-language'] },
          choose: ({ headers }) => preferredLanguage(headers['accept-language'], LOCALES),
        }),
        sticky: variant({
          values: LOCALES,
          reads: { cookies: ['locale'] },
          choose: ({ cookies }) => cookies.locale,
        }),
      },
      host: z
        .string()
        .regex(/^[a-z]+\.example\.org$/)
        .transform((name) => name.split('.')[0] ?? ''),
    },
    pages: {
      _layout: layout({
        lang: ({ variants }) => variants.locale ?? 'en',
        dir: ({ variants }) => (variants.locale === 'ar' ? 'rtl' : 'ltr'),
        view: ({ content }) => ({ main: { children: [content] } }),
      }),
      _404: page({
        cache: { variants: ['locale'], host: true },
        load: ({ variants, host }) => ({ text: `nothing in ${variants.locale} of ${host}` }),
        view: ({ text }) => ({ p: text }),
      }),
      index: page({
        cache: { variants: ['locale'], sharedMaxAgeMs: 60_000 },
        load: ({ variants, dependsOn }) => {
          loads.push(`/ ${variants.locale}`);
          dependsOn('greetings');
          return { locale: variants.locale };
        },
        view: ({ locale }) => ({ p: `in ${locale}` }),
      }),
      cookie: page({
        cache: { variants: ['sticky'] },
        load: ({ variants }) => ({ sticky: variants.sticky }),
        view: ({ sticky }) => ({ p: `sticks to ${sticky}` }),
      }),
      'tenant/[id]': page({
        params: { id: z.string() },
        cache: { host: true },
        load: ({ host, params }) => {
          loads.push(`tenant ${host} ${params.id}`);
          return { host };
        },
        head: () => ({ title: 'T', canonical: '/tenant' }),
        view: ({ host }) => ({ p: `of ${host}` }),
      }),
      same: page({ load: () => loads.push('same'), view: () => ({ p: 'the same' }) }),
    },
  });
});
afterAll(() => site.close());

async function get(target: string, headers: Readonly<Record<string, string>> = {}) {
  connection ??= new RawConnection(site.port);
  const lines = Object.entries({ host: 'acme.example.org', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const response = await connection.ask(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`);
  if (response === undefined) throw new Error('no answer');
  return { ...response, html: response.body.toString() };
}

const took = async (request: () => Promise<unknown>) => {
  const before = site.hits.stats().answers;
  await request();
  return site.hits.stats().answers - before;
};

describe('a page in variants', () => {
  test('is one entry for each value that is chosen, however that was asked for', async () => {
    loads.length = 0;
    for (const [sent, value] of [
      ['ar', 'ar'],
      ['ar-EG, en;q=0.1', 'ar'],
      ['en', 'en'],
      ['fr', 'en'],
      ['xx;q=broken', 'en'],
    ] as const) {
      const { html } = await get('/', { 'accept-language': sent });
      expect(html, sent).toContain(`in ${value}`);
      expect(html, sent).toContain(`<html lang="${value}" dir="${value === 'ar' ? 'rtl' : 'ltr'}">`);
    }
    expect((await get('/')).html).toContain('in en');
    expect(loads).toEqual(['/ ar', '/ en']);
  });

  test('names in Vary what was read, and may be shared where that is no cookie', async () => {
    const { headers } = await get('/', { 'accept-language': 'ar' });
    expect(headers.get('vary')).toBe('accept-encoding, accept-language');
    expect(headers.get('cache-control')).toContain('s-maxage=60');
  });

  test('takes the fast path in each of them, and is the right one there', async () => {
    for (const value of ['ar', 'en', 'ar', 'en']) await get('/', { 'accept-language': value });
    const ways: [Record<string, string>, string][] = [
      [{ 'accept-language': 'ar' }, 'in ar'],
      [{ 'accept-language': 'en' }, 'in en'],
      [{ 'Accept-Language': 'ar-EG' }, 'in ar'],
      [{}, 'in en'],
    ];
    for (const [headers, text] of ways) {
      expect(
        await took(async () => {
          expect((await get('/', headers)).html).toContain(text);
        }),
        text,
      ).toBe(1);
    }
  });

  test('is purged in all of them', async () => {
    await get('/', { 'accept-language': 'ar' });
    await get('/', { 'accept-language': 'en' });
    loads.length = 0;
    site.purge('greetings');
    await get('/', { 'accept-language': 'ar' });
    await get('/', { 'accept-language': 'en' });
    expect(loads).toEqual(['/ ar', '/ en']);
  });

  test('that rest on a cookie says so, is kept by no cache in between, and takes the fast path', async () => {
    for (let times = 0; times < 2; times++) {
      await get('/cookie', { cookie: 'a=b; locale=ar' });
      await get('/cookie', { cookie: 'a=c' });
    }
    const answers = await took(async () => {
      const arabic = await get('/cookie', { cookie: 'other=1; locale=ar' });
      expect(arabic.html).toContain('sticks to ar');
      expect(arabic.headers.get('vary')).toBe('accept-encoding, cookie');
      expect(arabic.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
      expect((await get('/cookie', { cookie: 'locale=en; a=locale=ar' })).html).toContain('sticks to en');
      expect((await get('/cookie', { cookie: 'xlocale=ar' })).html).toContain('sticks to en');
    });
    expect(answers).toBe(3);
  });
});

describe('a page of tenants', () => {
  test('is made for each host, with links of its own', async () => {
    loads.length = 0;
    for (const host of ['acme.example.org', 'Zoo.example.org:8080', 'zoo.example.org', 'acme.example.org']) {
      const name = host.slice(0, host.indexOf('.')).toLowerCase();
      const { html } = await get('/tenant/1', { host });
      expect(html).toContain(`of ${name}`);
      expect(html).toContain(`href="https://${name}.example.org/tenant"`);
    }
    expect(loads).toEqual(['tenant acme 1', 'tenant zoo 1']);
  });

  test('takes the fast path for each, and never the one of another', async () => {
    for (let times = 0; times < 2; times++)
      for (const host of ['acme.example.org', 'zoo.example.org']) await get('/tenant/2', { host });
    for (const host of ['acme.example.org', 'zoo.example.org', 'acme.example.org']) {
      const answers = await took(async () => {
        expect((await get('/tenant/2', { host })).html).toContain(`of ${host.slice(0, host.indexOf('.'))}`);
      });
      expect(answers, host).toBe(1);
    }
  });

  test('that no schema knows are answered 421, pages that are the same for all included', async () => {
    await get('/same');
    for (const target of ['/same', '/tenant/1', '/nowhere', '/'])
      for (const host of ['evil.example.com', 'example.org', 'acme.example.org.evil.com', '127.0.0.1'])
        expect((await get(target, { host })).status, `${host} ${target}`).toBe(421);
  });

  test('share what is the same for all', async () => {
    loads.length = 0;
    await get('/same', { host: 'first.example.org' });
    await get('/same', { host: 'second.example.org' });
    expect(loads.length).toBeLessThanOrEqual(1);
  });

  test('have a 404 of their own, in their variant', async () => {
    const { status, html } = await get('/nowhere', { host: 'zoo.example.org', 'accept-language': 'ar' });
    expect(status).toBe(404);
    expect(html).toContain('nothing in ar of zoo');
    expect((await get('/nowhere')).html).toContain('nothing in en of acme');
  });
});
