// Rows as they come: what a page must not say is left out of it, told once, and the page lives. Nothing in a row gets a
// script vouched for.
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fragment, json, layout, page, trusted } from '../../src/index.ts';
import { type Site, type SiteOptions, startSite } from '../support/site.ts';

const open: Site[] = [];
async function site(options: SiteOptions): Promise<Site> {
  const started = await startSite(options);
  open.push(started);
  return started;
}
afterEach(async () => {
  for (const started of open.splice(0)) await started.close();
});

const get = async (address: string) => {
  const response = await fetch(address);
  return {
    status: response.status,
    html: await response.text(),
    policy: response.headers.get('content-security-policy') ?? '',
  };
};
const hashOf = (code: string) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`;

describe('a value that may not stand where it stands', () => {
  const websites = ['https://a.example', 'example.com:8080', 'javascript:1', 'skype:bob'];

  test('is left out for everybody, and told once for its place, whatever the row and the request', async () => {
    const card = fragment('card', {
      key: (website: string) => website,
      view: (website) => ({ a: { href: website, text: website } }),
    });
    const users = page({
      params: { n: z.coerce.number() },
      view: () => ({
        ul: { children: websites.map((href) => ({ li: { children: [{ a: { href } }, card(href)] } })) },
      }),
    });
    const { origin, log } = await site({ pages: { 'users/[n]': users } });
    for (const n of [1, 2, 3]) {
      const { status, html } = await get(`${origin}/users/${n}`);
      expect(status).toBe(200);
      expect(html.match(/href/g)).toHaveLength(2);
      expect(html).toContain('<li><a></a><a>skype:bob</a></li>');
    }
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)).toEqual([
      {
        view: '/users/[n]',
        place: expect.stringMatching(/ul\.children\[\]\.li\.children\[\]\.a$/),
        value: 'example.com:8080',
      },
      { view: 'fragment card', place: 'root.a', value: 'example.com:8080' },
    ]);
  });

  test('in <head> is left out, too', async () => {
    const nothing = null as unknown as string;
    const odd = page({
      head: () => ({
        title: nothing,
        description: nothing,
        robots: nothing,
        canonical: '//evil.example/x',
        openGraph: { title: nothing, url: nothing, image: '/\\evil.example/x.png', type: 'article' },
      }),
      view: () => 'x',
    });
    const { origin } = await site({ pages: { index: odd } });
    const { status, html } = await get(origin);
    expect(status).toBe(200);
    expect(html).toContain(
      '<title></title><link rel="canonical" href="/evil.example/x">' +
        '<meta property="og:image" content="/evil.example/x.png"><meta property="og:type" content="article"></head>',
    );
  });

  test('is a failure of its own page alone where the page is nested ten thousand levels deep', async () => {
    const nested = page({
      params: { depth: z.coerce.number() },
      view: (_, __) => '',
      load: ({ params }) => params.depth,
    });
    const deep = page({
      params: { depth: z.coerce.number() },
      load: ({ params }) => params.depth,
      view: (depth) => {
        let node: unknown = { b: 'x' };
        for (let at = 0; at < depth; at++) node = { b: { children: [node] } };
        return node as never;
      },
    });
    const { origin, log } = await site({ pages: { 'deep/[depth]': deep, 'other/[depth]': nested } });
    expect((await get(`${origin}/deep/50`)).status).toBe(200);
    expect((await get(`${origin}/deep/10000`)).status).toBe(500);
    expect((await get(`${origin}/other/1`)).status).toBe(200);
    expect(log.lines.find(({ level }) => level === 'error')?.fields.err).toMatchObject({ code: 'E_DEPTH' });
  });
});

describe('the content security policy', () => {
  test('vouches for script elements that were rendered, in the page, its layout and its fragments', async () => {
    const Counter = fragment('counter', {
      key: () => 0,
      view: () => [{ script: { html: trusted('fragment()') } }, Inner({})],
    });
    const Inner = fragment('inner', { key: () => 0, view: () => ({ script: { html: trusted('inner()') } }) });
    const pages = {
      _layout: layout({ view: ({ content }) => [{ script: { html: trusted('layout()') } }, content] }),
      index: page({
        view: () => [
          Counter({}),
          { script: { html: trusted('line()\r\nend()\r') } },
          { script: { type: 'application/json', html: json({ a: 1 }) } },
        ],
      }),
      other: page({ view: () => Counter({}) }),
    };
    const { origin } = await site({ pages, fragmentCache: true });
    for (const path of ['/', '/']) {
      const { policy } = await get(origin + path);
      for (const code of ['layout()', 'fragment()', 'inner()', 'line()\nend()\n'])
        expect(policy).toContain(hashOf(code));
      expect(policy.match(/sha256/g)).toHaveLength(4);
    }
    // Its fragment comes from the cache.
    expect((await get(`${origin}/other`)).policy.match(/sha256/g)).toHaveLength(3);
  });

  test('vouches for nothing that came with a row in HTML that is trusted, and tells how it would be', async () => {
    const row = '<p>hello</p><script>steal()</script>';
    const pages = {
      index: page({ load: () => row, view: (body) => ({ article: { html: trusted(body) } }) }),
      // The page trusts a text in which the row ends its script.
      inside: page({
        view: () => ({ script: { html: trusted('let name = "</script><script>steal()</script>";') } }),
      }),
    };
    const { origin, log } = await site({ pages });
    for (let times = 0; times < 2; times++) {
      const { html, policy } = await get(origin);
      expect(html).toContain(row);
      expect(policy).not.toContain('sha256');
      expect((await get(`${origin}/inside`)).policy).not.toContain(hashOf('steal()'));
    }
    const told = log.lines.filter(({ level }) => level === 'warn');
    expect(told).toMatchObject([{ fields: { view: '/', place: expect.stringMatching(/article$/) } }]);
    expect(told[0]?.message).toContain('{ script: { html: trusted(code) } }');
  });
});
