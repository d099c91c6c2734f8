// Layouts of folders, and what a page says about itself.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { layout, page } from '../../src/index.ts';
import { type Site, startSite } from '../support/site.ts';

let site: Site;
const around = (name: string, more: object = {}) =>
  layout({
    ...more,
    head: () => ({ meta: { name, content: 'x' } }),
    view: ({ content }) => ({ div: { id: name, children: content } }),
  });
const shown = page({ view: () => ({ p: 'page' }) });

beforeEach(async () => {
  site = await startSite({
    publicOrigin: 'https://example.org',
    pages: {
      _layout: around('outer', { lang: 'en' }),
      'de/_layout': around('german', { lang: 'de' }),
      'de/shop/_layout': around('shop', { dir: 'ltr' }),
      index: shown,
      'de/index': shown,
      'de/shop/cart': shown,
      'de/arabic': page({
        head: () => ({
          title: 'T',
          lang: 'ar',
          dir: 'rtl',
          meta: [
            { name: 'author', content: '"Ada"' },
            { property: 'article:tag', content: 'x' },
          ],
          links: [
            { rel: 'alternate', hreflang: 'en', href: '/en' },
            { rel: 'preload', as: 'font', href: '/f.woff2', crossorigin: 'anonymous' },
          ],
          jsonLd: [{ '@type': 'Article', name: '</script><script>alert(1)' }],
        }),
        view: () => ({ p: 'page' }),
      }),
    },
  });
});
afterEach(() => site.close());

const get = async (path: string) => (await fetch(`${site.origin}${path}`)).text();

it('layouts of folders stand inside of those around them, and the innermost says the language', async () => {
  expect(await get('/')).toContain('<html lang="en">');
  expect(await get('/de')).toContain('<html lang="de">');
  const cart = await get('/de/shop/cart');
  expect(cart).toContain('<html lang="de" dir="ltr">');
  expect(cart).toContain('<div id="outer"><div id="german"><div id="shop"><p>page</p></div></div></div>');
  expect(cart).toMatch(/name="outer".*name="german".*name="shop"/);
  // What is not there is said in the application's own layout.
  expect(await get('/de/none')).not.toContain('german');
});

it('a page says its language, meta, links and structured data itself', async () => {
  const html = await get('/de/arabic');
  expect(html).toContain('<html lang="ar" dir="rtl">');
  expect(html).toContain('<meta name="author" content="&quot;Ada&quot;">');
  expect(html).toContain('<meta property="article:tag" content="x">');
  expect(html).toContain('<link rel="alternate" hreflang="en" href="https://example.org/en">');
  expect(html).toContain('<link rel="preload" as="font" href="/f.woff2" crossorigin="anonymous">');
  expect(html).toContain('<script type="application/ld+json">[{'.replace('[', ''));
  expect(html).not.toContain('<script>alert');
});
