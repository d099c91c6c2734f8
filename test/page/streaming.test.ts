import { once } from 'node:events';
import type { Transform } from 'node:stream';
import type * as zlib from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { HttpUsage } from '../../src/http/observability/usage.ts';
import { fragment, layout, notFound, page, redirect, trusted } from '../../src/index.ts';
import { assemble } from '../../src/page/application/application.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

/** Every stream that compresses: real ones, kept so that a test can count them, and make one fail. */
const encoders = vi.hoisted((): Transform[] => []);
vi.mock('node:zlib', async (original) => {
  const real = await original<typeof zlib>();
  const kept = <T extends Transform>(encoder: T) => {
    encoders.push(encoder);
    return encoder;
  };
  const createGzip: typeof zlib.createGzip = (options) => kept(real.createGzip(options));
  const createBrotliCompress: typeof zlib.createBrotliCompress = (options) =>
    kept(real.createBrotliCompress(options));
  return { ...real, createGzip, createBrotliCompress };
});

const open: Site[] = [];
afterEach(async () => {
  encoders.length = 0;
  for (const site of open.splice(0)) await site.close();
});

const around = layout({
  head: () => ({ link: { rel: 'stylesheet', href: '/x.css' } }),
  view: ({ content }) => [
    { header: 'The site' },
    { main: { children: [content] } },
    { footer: 'Its end, and some words that make it worth compressing. '.repeat(30) },
  ],
});

/** A page whose `load` waits until it is told what to answer. */
function slow() {
  let answer: (outcome: () => unknown) => void = () => {};
  const told = new Promise<() => unknown>((resolve) => {
    answer = resolve;
  });
  let loads = 0;
  const made = page({
    params: { id: z.coerce.number() },
    shell: ({ params }) => ({ title: `Report ${params.id}` }),
    load: async () => {
      loads += 1;
      return (await told)();
    },
    view: (rows) => ({ p: `rows: ${String(rows)}` }),
  });
  return { page: made, answer, loads: () => loads };
}

async function slowSite() {
  const report = slow();
  const site = await startSite({ pages: { _layout: around, 'reports/[id]': report.page } });
  open.push(site);
  return { ...site, ...report, address: `${site.origin}/reports/7` };
}

/** The head of the answer and its first bytes, and then the rest. */
async function begin(address: string, headers: Record<string, string> = { 'accept-encoding': 'identity' }) {
  const response = await fetch(address, { headers });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const read = async () => decoder.decode((await reader?.read())?.value, { stream: true });
  let first = await read();
  // An encoder may write what it was told to flush in several pieces.
  while (headers['accept-encoding'] !== 'identity' && !first.endsWith('<main>')) first += await read();
  const rest = async () => {
    let text = '';
    for (let part = await read(); part !== ''; part = await read()) text += part;
    return text;
  };
  return { response, first, rest };
}

test('head and layout go out before load has answered, and the finished page is what is cached', async () => {
  const { address, answer, loads } = await slowSite();
  const { response, first, rest } = await begin(address);
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('private, no-cache');
  expect(response.headers.has('etag')).toBe(false);
  expect(first).toContain('<title>Report 7</title>');
  expect(first).toContain('/x.css');
  expect(first.endsWith('<header>The site</header><main>')).toBe(true);

  // Who comes while it is rendered gets the shell as well, from the same render.
  const second = await begin(address);
  expect(second.first).toBe(first);
  answer(() => 3);
  const whole = first + (await rest());
  expect(whole).toContain('<main><p>rows: 3</p></main>');
  expect(second.first + (await second.rest())).toBe(whole);
  expect(loads()).toBe(1);

  const cached = await fetch(address, { headers: { 'accept-encoding': 'identity' } });
  expect(cached.headers.get('cache-status')).toContain('coherent; hit');
  expect(await cached.text()).toBe(whole);
  const etag = cached.headers.get('etag') ?? '';
  expect(
    (await fetch(address, { headers: { 'if-none-match': etag, 'accept-encoding': 'identity' } })).status,
  ).toBe(304);
});

test.each(['br', 'gzip'])('it is compressed with %s on its way for those who take it', async (encoding) => {
  const { address, answer } = await slowSite();
  const { response, first, rest } = await begin(address, { 'accept-encoding': encoding });
  expect(response.headers.get('content-encoding')).toBe(encoding);
  expect(first.endsWith('<main>')).toBe(true);
  answer(() => 3);
  const whole = first + (await rest());
  const cached = await fetch(address, { headers: { 'accept-encoding': 'identity' } });
  expect(await cached.text()).toBe(whole);
});

test('everybody who waits for a page is sent bytes that were compressed once for each encoding', async () => {
  const { address, answer, loads } = await slowSite();
  const visits = ['br', 'gzip', 'identity'].flatMap((encoding) => Array<string>(25).fill(encoding));
  const begun = await Promise.all(visits.map((encoding) => begin(address, { 'accept-encoding': encoding })));
  // Their shell was sent long ago.
  for (const encoding of ['br', 'gzip', 'identity'])
    begun.push(await begin(address, { 'accept-encoding': encoding }));
  expect(encoders).toHaveLength(2);
  answer(() => 'abc '.repeat(20_000));
  const answers = await Promise.all(begun.map(async ({ first, rest }) => first + (await rest())));
  const cached = await (await fetch(address)).text();
  expect(new Set(answers)).toEqual(new Set([cached]));
  expect(encoders.filter(({ destroyed }) => !destroyed)).toEqual([]);
  expect(encoders).toHaveLength(2);
  expect(loads()).toBe(1);
});

test('an encoder lives as long as one of those who are sent its bytes', async () => {
  const { address, answer } = await slowSite();
  const visit = async () => {
    const leave = new AbortController();
    const response = await fetch(address, {
      headers: { 'accept-encoding': 'gzip' },
      signal: leave.signal,
    });
    return { leave, response };
  };
  const first = await visit();
  const second = await visit();
  // Keeps the render going, and has no part in the encoder.
  const other = await begin(address);
  const [shared] = encoders;
  first.leave.abort();
  const third = await visit();
  expect(encoders).toEqual([shared]);
  expect(shared?.destroyed).toBe(false);
  const closed = once(shared as Transform, 'close');
  second.leave.abort();
  third.leave.abort();
  await closed;
  const { rest, first: shell } = await begin(address, { 'accept-encoding': 'gzip' });
  expect(encoders).toHaveLength(2);
  answer(() => 3);
  expect(shell + (await rest())).toContain('<main><p>rows: 3</p></main>');
  expect(await other.rest()).toContain('rows: 3');
});

test('who waits for what another request began is told so, and all of them are counted as misses', async () => {
  const usage = new HttpUsage(systemClock);
  const report = slow();
  const site = await startSite({ pages: { 'reports/[id]': report.page }, usage });
  open.push(site);
  const address = `${site.origin}/reports/7`;
  const read = async () => {
    const response = await fetch(address);
    return { status: response.headers.get('cache-status'), text: response.text() };
  };
  const first = await read();
  const second = await read();
  expect([first.status, second.status]).toEqual([
    'coherent; fwd=uri-miss; detail=STREAMED',
    'coherent; fwd=uri-miss; collapsed; detail=STREAMED',
  ]);
  report.answer(() => 3);
  expect(await first.text).toBe(await second.text);
  expect(usage.stats().cache).toEqual([
    { route: '/reports/[id]', tier: 'none', result: 'miss', requests: 2, collapsed: 1 },
  ]);
});

test('what goes wrong once the shell is out is told in the page, and no cache keeps it', async () => {
  const cases: [() => unknown, string][] = [
    [() => notFound(), '<main><meta name="robots" content="noindex"><h1>Not found</h1>'],
    [() => redirect('/else?a=1&b=2'), '<main><meta http-equiv="refresh" content="0;url=/else?a=1&amp;b=2">'],
    [
      () => {
        throw new Error('swordfish');
      },
      '<main><meta name="robots" content="noindex"><h1>Something went wrong</h1><p>Error 500, reference <code>id1</code>',
    ],
    [
      () => redirect('/.//swordfish.example'),
      '<main><meta name="robots" content="noindex"><h1>Something went wrong</h1><p>Error 500, reference <code>id1</code>',
    ],
  ];
  for (const [outcome, expected] of cases) {
    const { address, answer, log } = await slowSite();
    const { first, rest } = await begin(address);
    answer(outcome);
    const whole = first + (await rest());
    expect(whole).toContain(expected);
    expect(whole).not.toContain('swordfish');
    expect(whole.endsWith('</footer></body></html>')).toBe(true);
    if (expected.includes('500')) {
      expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
      expect((await fetch(address)).status).toBe(500);
    }
  }
});

test.each(['identity', 'gzip', 'br'])(
  'a page whose layout changed meanwhile is not glued to the old one: the visitor is sent to the new one (%s)',
  async (encoding) => {
    let version = 1;
    const Nav = fragment('nav', {
      key: () => 0,
      load: ({ dependsOn }) => {
        dependsOn('nav#1');
        return version;
      },
      view: (shown) => ({ nav: `nav ${shown}` }),
    });
    const report = slow();
    const changing = layout({ view: ({ content }) => [Nav({}), { main: { children: [content] } }] });
    const site = await startSite({
      pages: { _layout: changing, 'reports/[id]': report.page },
      fragmentCache: true,
    });
    open.push(site);
    const address = `${site.origin}/reports/7`;
    const headers = { 'accept-encoding': encoding };
    const before = await begin(address, headers);
    expect(before.first).toContain('nav 1');
    version = 2;
    site.purge('nav#1');
    // Boards the render that began before the purge, is sent its shell, and may not have its result.
    const after = await begin(address, headers);
    expect(after.first).toContain('nav 1');
    report.answer(() => 3);
    expect(await before.rest()).toContain('rows: 3');
    const rest = await after.rest();
    expect(rest).toContain('<meta http-equiv="refresh" content="0">');
    expect(rest).not.toContain('rows');
    const cached = await (await fetch(address)).text();
    expect(cached).toContain('nav 2');
    expect(cached).toContain('rows: 3');
  },
);

test('load may fail while the layout is still waiting for something of its own', async () => {
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const Nav = fragment('nav', { key: () => 0, load: () => gate, view: () => ({ nav: 'nav' }) });
  const failing = page({
    shell: () => ({ title: 'x' }),
    load: async (): Promise<string> => {
      setImmediate(go);
      throw new Error('early');
    },
    view: () => 'never',
  });
  const around = layout({ view: ({ content }) => [Nav({}), content] });
  const site = await startSite({ pages: { _layout: around, index: failing } });
  open.push(site);
  expect((await fetch(site.origin)).status).toBe(500);
});

test('a page that is quick after all gets its own status, length and tag', async () => {
  const { address, answer } = await slowSite();
  answer(() => notFound());
  const response = await fetch(address);
  expect(response.status).toBe(404);
  expect(response.headers.has('content-length')).toBe(true);
});

test('HEAD, a condition and HTTP/1.0 are answered in one piece', async () => {
  const { port, answer } = await slowSite();
  const asked = [
    'HEAD /reports/1 HTTP/1.1\r\nHost: a.test\r\n\r\n',
    'GET /reports/2 HTTP/1.1\r\nHost: a.test\r\nIf-None-Match: "x"\r\n\r\n',
    'GET /reports/3 HTTP/1.0\r\nHost: a.test\r\n\r\n',
  ].map((request) => new RawConnection(port).ask(request, request.startsWith('HEAD')));
  // Asked after them, and by now its shell is here: theirs would have been, too.
  await begin(`http://127.0.0.1:${port}/reports/4`);
  answer(() => 1);
  for (const response of await Promise.all(asked)) {
    expect(response?.headers.has('content-length')).toBe(true);
    expect(response?.headers.has('etag')).toBe(true);
  }
});

test('a visitor who leaves ends the render, and the server goes on', async () => {
  const { address, answer, origin } = await slowSite();
  const leaving = new AbortController();
  const response = await fetch(address, { signal: leaving.signal });
  leaving.abort();
  await expect(response.text()).rejects.toThrow();
  answer(() => 5);
  expect(await (await fetch(`${origin}/reports/7`)).text()).toContain('rows: 5');
});

test('head and shell together are refused, and a layout that hides the content is not streamed', async () => {
  const both = page({ shell: () => ({ title: 'a' }), head: () => ({ title: 'b' }), view: () => 'x' });
  expect(() => assemble({ modules: [{ file: 'index', exported: both }], build: 'b' })).toThrow(
    'both head and shell',
  );
  const report = slow();
  const twice = layout({ view: ({ content }) => [content, content] });
  const site = await startSite({ pages: { _layout: twice, 'reports/[id]': report.page } });
  open.push(site);
  report.answer(() => 2);
  expect(await (await fetch(`${site.origin}/reports/7`)).text()).toContain('<p>rows: 2</p><p>rows: 2</p>');
});

test('data that looks like the mark where the content will stand is data; a layout that writes it is not streamed', async () => {
  const MARK = '<!--coherent:content-->';
  let answer: (text: string) => void = () => {};
  const told = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const spoofing = page({
    query: { q: z.string() },
    shell: ({ query }) => ({ title: query.q, description: query.q }),
    load: () => told,
    view: (text) => ({ p: text }),
  });
  const site = await startSite({ pages: { _layout: around, index: spoofing } });
  open.push(site);
  const { first, rest } = await begin(`${site.origin}/?q=${encodeURIComponent(MARK)}`);
  expect(first.endsWith('<header>The site</header><main>')).toBe(true);
  expect(first).toContain('&lt;!--coherent:content--');
  answer(MARK);
  expect(await rest()).toContain('&lt;!--coherent:content--');

  const marking = layout({ view: ({ content }) => [trusted(MARK), { main: { children: [content] } }] });
  const whole = await startSite({ pages: { _layout: marking, index: spoofing } });
  open.push(whole);
  const response = await fetch(`${whole.origin}/?q=a`);
  expect(response.headers.has('content-length')).toBe(true);
  expect(await response.text()).toContain(`${MARK}<main><p>&lt;!--coherent`);
});

test('a compressed answer whose encoder fails in the middle ends the connection, so that nobody takes it for whole', async () => {
  const { address, answer, origin } = await slowSite();
  const response = await fetch(address, { headers: { 'accept-encoding': 'gzip' } });
  const reader = response.body?.getReader();
  await reader?.read();
  const encoder = encoders.at(-1);
  encoder?.destroy(new Error('out of memory'));
  await expect(reader?.read()).rejects.toThrow();
  answer(() => 5);
  expect(await (await fetch(`${origin}/reports/7`)).text()).toContain('rows: 5');
});
