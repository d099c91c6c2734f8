// Holes over HTTP: the page is one for all and goes by the shortcut; what stands in its holes is one visitor's.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fragment, hole, invalid, layout, type Node, page, session, trusted } from '../../src/index.ts';
import { RawConnection } from '../support/raw-http.ts';
import { noWriting, type Site, startSite } from '../support/site.ts';

const schema = z.object({ name: z.string() });
const nameIn = (data: unknown) => schema.safeParse(data).data?.name ?? 'nobody';

const loads: string[] = [];
/** What the slow hole waits for. */
let gate = manual();
function manual() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

const Greeting = hole('greeting', {
  reads: { session: true },
  load: ({ session, props, signal }) => {
    loads.push(`greeting ${nameIn(session.data)}`);
    if (signal.aborted) throw new Error('aborted');
    return { name: nameIn(session.data), props };
  },
  view: ({ name }) => ({ b: `Hello, ${name}` }),
  anonymous: () => ({ a: { href: '/in', text: 'Sign in' } }),
});

const Seen = hole('seen', {
  reads: { cookies: ['seen'] },
  load: ({ cookies, props }) => ({ seen: cookies.get('seen') ?? '', item: props.item }),
  view: ({ seen, item }) => ({ i: `seen ${seen} at ${item}` }),
  anonymous: ({ item }: { item: string }) => ({ i: `first time at ${item}` }),
});

const Slow = hole('slow', {
  reads: { cookies: ['slow'] },
  timeoutMs: 60_000,
  load: () => gate.promise.then(() => 'slowly'),
  view: (text) => ({ em: text }),
  anonymous: () => ({ em: 'quickly' }),
});

const wrong = (name: string, how: object) =>
  hole(`wrong-${name}`, {
    reads: { cookies: ['wrong'] },
    view: () => ({ u: 'filled' }),
    anonymous: () => ({ u: 'anonymous' }),
    fallback: () => ({ u: 'fallback' }),
    ...how,
  });
const Throws = wrong('throws', {
  load: ({ cookies }: { cookies: { get(name: string): string | undefined } }) => {
    throw new Error(`no good: ${cookies.get('wrong')}`);
  },
});
const Hangs = wrong('hangs', { timeoutMs: 20, load: () => new Promise(() => {}) });
const Large = wrong('large', { maxBytes: 100, view: () => ({ u: 'x'.repeat(200) }) });
const Script = wrong('script', { view: () => ({ script: { html: trusted('alert(1)') } }) });
const Undeclared = wrong('undeclared', {
  load: ({ session }: { session: { data: unknown } }) => session.data,
});
const OtherCookie = wrong('other-cookie', {
  load: ({ cookies }: { cookies: { get(name: string): string | undefined } }) => cookies.get('session'),
});
const Nested = wrong('nested', { view: () => ({ u: { children: [Seen({ item: 'x' })] } }) });
const NoFallback = wrong('no-fallback', {
  fallback: undefined,
  load: () => {
    throw new Error('no good');
  },
});

const InFragment = fragment('holds-a-hole', {
  key: () => 'k',
  view: () => ({ p: { children: [Greeting()] } }),
});
const lorem = 'Text that is worth compressing, again and again. '.repeat(60);

let site: Site;
let renders = 0;

beforeAll(async () => {
  site = await startSite({
    session: session({ schema }),
    writing: noWriting,
    hardTimeoutMs: 60_000,
    pages: {
      _layout: layout({
        view: ({ content, route }) => [
          route !== '/plain' && { header: { children: [Greeting()] } },
          { main: { children: [content] } },
        ],
      }),
      index: page({
        cache: { sharedMaxAgeMs: 60_000 },
        load: ({ dependsOn }) => {
          dependsOn('home');
          return ++renders;
        },
        view: (): Node => [{ p: lorem }, Seen({ item: 'home & <1>' }), { p: `${lorem}!` }],
      }),
      plain: page({ view: () => ({ p: 'no holes' }) }),
      slow: page({ view: () => [{ p: 'before' }, Slow(), { p: 'after' }] }),
      wrong: page({
        view: () => [
          Throws(),
          Hangs(),
          Large(),
          Script(),
          Undeclared(),
          OtherCookie(),
          Nested(),
          NoFallback(),
          { p: 'stands' },
        ],
      }),
      'in-fragment': page({ view: () => InFragment({}) }),
      'bad-props': page({ view: () => Reflect.apply(Seen, undefined, [{ item: new Date(0) }]) }),
      form: page({
        form: { do: z.string() },
        action: ({ form, session: writable }) => {
          if (form.do === 'in') writable.set({ userId: 1, name: 'Maren' });
          if (form.do === 'refused') return invalid({ do: 'No.' });
          return undefined;
        },
        view: (_, feedback) => ({ p: feedback?.errors.do ?? 'form' }),
      }),
      waits: page({
        shell: () => ({ title: 'Waits' }),
        load: () => gate.promise,
        view: () => [{ p: 'waited' }, Seen({ item: 'shell' })],
      }),
    },
  });
});
afterAll(() => site.close());
beforeEach(() => {
  loads.length = 0;
  gate.resolve();
  gate = manual();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${site.origin}${path}`, { headers });
const body = async (path: string, headers: Record<string, string> = {}) => (await get(path, headers)).text();

async function signIn(): Promise<string> {
  const answer = await fetch(`${site.origin}/form`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: site.origin },
    body: new URLSearchParams({ do: 'in' }),
  });
  return (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
}

/** As it comes, without taking it out of its encoding. */
async function raw(path: string, headers: Record<string, string>) {
  const asked = request(`${site.origin}${path}`, { headers }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part);
  return { headers: answer.headers, body: Buffer.concat(parts) };
}

/** What the log was told since, messages of errors included. */
const toldSince = (from: number) =>
  site.log.lines
    .slice(from)
    .map(({ fields, message }) => `${JSON.stringify(fields)} ${message} ${textOf(fields.err)}`)
    .join('\n');
const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.message} ${error.stack} ${textOf(error.cause)}` : '';

const took = async (request: () => Promise<unknown>) => {
  const before = site.hits.stats().answers;
  await request();
  return site.hits.stats().answers - before;
};

describe('a visitor who brings nothing that a hole reads', () => {
  test('is shown the page as it is kept, which no shared cache may keep', async () => {
    const answer = await get('/');
    expect(await answer.text()).toContain('<header><a href="/in">Sign in</a></header>');
    expect(answer.headers.get('cache-control')).toBe('private, max-age=0, must-revalidate');
    expect(answer.headers.get('vary')).toBe('accept-encoding, cookie');
    expect(answer.headers.get('cdn-cache-control')).toBeNull();
    expect(answer.headers.get('etag')).not.toBeNull();
    expect(loads).toEqual([]);
  });

  test('takes the shortcut, whatever other cookies are sent; those that count step aside', async () => {
    await body('/');
    await body('/');
    for (const cookie of ['_ga=GA1.2.3', 'presession=1; seen2=x', 'a="seen"', 'asession=1;b=seen'])
      expect(await took(() => body('/', { cookie })), cookie).toBe(1);
    for (const cookie of ['seen=1', 'a=b;seen=', 'a=b;  session=x', '__Host-session=x', 'session =x'])
      expect(await took(() => body('/', { cookie })), cookie).toBe(0);
  });

  test('is anybody whose session does not open, and may keep the page by its tag', async () => {
    const etag = (await get('/')).headers.get('etag') ?? '';
    const forged = await get('/', { cookie: 'session=AAAA', 'if-none-match': etag });
    expect(forged.status).toBe(304);
    expect(await body('/', { cookie: 'session=AAAA' })).toContain('Sign in');
    expect(loads).toEqual([]);
  });
});

describe('a visitor whose session or cookie a hole reads', () => {
  test('has it filled, in an answer that is kept by nobody', async () => {
    const cookie = await signIn();
    const etag = (await get('/')).headers.get('etag') ?? '';
    for (const headers of [{ cookie }, { cookie, 'if-none-match': etag }, { cookie, 'if-none-match': '*' }]) {
      const answer = await get('/', headers);
      expect(answer.status).toBe(200);
      const html = await answer.text();
      expect(html).toContain('<header><b>Hello, Maren</b></header>');
      expect(html).toContain('first time at home &amp; &lt;1&gt;');
      expect(html.replace('<b>Hello, Maren</b>', '<a href="/in">Sign in</a>')).toBe(await body('/'));
      expect(answer.headers.get('cache-control')).toBe('private, no-store');
      expect(answer.headers.get('etag')).toBeNull();
      expect(answer.headers.get('vary')).toBeNull();
    }
    expect(renders).toBe(1);
  });

  test('is shown the others as they are, each hole by what it reads alone', async () => {
    const html = await body('/', { cookie: 'seen=3%3C' });
    expect(html).toContain('Sign in');
    expect(html).toContain('<i>seen 3&lt; at home &amp; &lt;1&gt;</i>');
    const cookie = await signIn();
    const both = await body('/', { cookie: `${cookie}; seen=4` });
    expect(both).toContain('Hello, Maren');
    expect(both).toContain('seen 4');
  });

  test('never changes what others are shown', async () => {
    const cookie = await signIn();
    await Promise.all([1, 2, 3].map((n) => body('/', { cookie: `${cookie}; seen=${n}` })));
    expect(await body('/')).not.toMatch(/Maren|seen \d/);
  });

  test('is sent the same bytes in gzip, and its own in the clear', async () => {
    const { headers, body: zipped } = await raw('/', {
      'accept-encoding': 'gzip, br',
      cookie: 'seen=abcdefabcdefabcdef',
    });
    expect(headers['content-encoding']).toBe('gzip');
    expect(zipped.includes('<i>seen abcdefabcdefabcdef at home &amp; &lt;1&gt;</i>')).toBe(true);
    expect(zipped.length).toBeLessThan(1500);
    expect(gunzipSync(zipped).toString()).toBe(await body('/', { cookie: 'seen=abcdefabcdefabcdef' }));
  });

  test('by HEAD is told the headers and has nothing filled; by HTTP/1.0 has it in one piece', async () => {
    const cookie = await signIn();
    loads.length = 0;
    const head = await fetch(`${site.origin}/`, { method: 'HEAD', headers: { cookie } });
    expect([head.status, head.headers.get('cache-control'), head.headers.get('etag')]).toEqual([
      200,
      'private, no-store',
      null,
    ]);
    expect(loads).toEqual([]);
    const old = new RawConnection(site.port);
    const answer = await old.ask(`GET / HTTP/1.0\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n\r\n`);
    expect(answer?.body.toString()).toContain('Hello, Maren');
    expect(Number(answer?.headers.get('content-length'))).toBe(answer?.body.length);
    old.close();
  });

  test('is filled on the page that is shown again for a form, too', async () => {
    const cookie = await signIn();
    const answer = await fetch(`${site.origin}/form`, {
      method: 'POST',
      headers: { origin: site.origin, cookie },
      body: new URLSearchParams({ do: 'refused' }),
    });
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('Hello, Maren');
  });

  test('is filled on the page of what is not there', async () => {
    const answer = await get('/nowhere', { cookie: await signIn() });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('Hello, Maren');
  });
});

describe('a page with a slow hole', () => {
  test('is sent up to it at once, and goes on when it is there', async () => {
    await body('/slow');
    const answer = await get('/slow', { cookie: 'slow=1' });
    const reader = (answer.body ?? expect.fail('no body')).getReader();
    const first = Buffer.from((await reader.read()).value ?? '').toString();
    expect(first).toContain('<p>before</p>');
    expect(first).not.toContain('<em>');
    gate.resolve();
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += Buffer.from(part.value).toString();
    expect(rest).toMatch(/^<em>slowly<\/em><p>after<\/p>/);
  });

  test('stops what it reads when its visitor leaves', async () => {
    await body('/slow');
    const socket = connect(site.port, '127.0.0.1');
    socket.write('GET /slow HTTP/1.1\r\nHost: a.test\r\nCookie: slow=1\r\n\r\n');
    await once(socket, 'data');
    expect(site.holes.stats().running).toBe(1);
    socket.resetAndDestroy();
    await expect.poll(() => site.holes.stats().running).toBe(0);
    gate.resolve();
    expect(site.log.lines.filter((line) => JSON.stringify(line).includes('slow'))).toEqual([]);
  });
});

describe('a hole that goes wrong', () => {
  test('is its fallback, told by its kind and not by its words, and the page stands', async () => {
    const before = site.log.lines.length;
    const html = await body('/wrong', { cookie: 'wrong=secret' });
    expect(html).toContain('<u>fallback</u>'.repeat(7));
    expect(html).toContain('<u>anonymous</u><p>stands</p>');
    const told = toldSince(before);
    expect(told).not.toContain('secret');
    for (const name of [
      'throws',
      'hangs',
      'large',
      'script',
      'undeclared',
      'other-cookie',
      'nested',
      'no-fallback',
    ])
      expect(told).toContain(`wrong-${name}`);
    expect(told).toContain('its maxBytes is 100');
    expect(told).toContain('longer than its timeoutMs (20)');
    expect(told).toContain('holds an inline script');
    expect(told).toContain('reads the session, which it has not declared');
    expect(told).toContain("reads the cookie 'session'");
    expect(told).toContain('stands inside the hole');
    expect(told).toContain('LOG_PERSONAL_ERRORS=on');
  });

  test('fails its page where it stands inside a fragment, or is given what is no plain data', async () => {
    for (const [path, why] of [
      ['/in-fragment', 'stands inside a fragment'],
      ['/bad-props', 'props.item is an instance of a class'],
    ] as const) {
      expect((await get(path)).status).toBe(500);
      expect(toldSince(0)).toContain(why);
    }
  });

  test.each([
    ['a b', {}, 'its name is'],
    ['x', { reads: {} }, 'reads names nothing'],
    ['x', { reads: { cookies: ['a b'] } }, 'which is no name'],
    ['x', { anonymous: undefined }, 'it needs view, and anonymous'],
    ['x', { timeoutMs: 0 }, 'timeoutMs is 0'],
  ])('is refused when it is declared as %j %j', (name, how, why) => {
    const right = { reads: { session: true }, view: () => '', anonymous: () => '' };
    expect(() => Reflect.apply(hole, undefined, [name, { ...right, ...how }])).toThrow(why);
  });
});

describe('a page that is streamed', () => {
  test('shows its shell to visitors without cookies, and is filled as a whole for the others', async () => {
    const anonymous = get('/waits', { cookie: 'other=1' });
    const answer = await anonymous;
    const reader = (answer.body ?? expect.fail('no body')).getReader();
    expect(Buffer.from((await reader.read()).value ?? '').toString()).toContain('Sign in');
    const cookie = await signIn();
    const signedIn = body('/waits', { cookie });
    const seen = get('/waits', { cookie: 'seen=7' });
    gate.resolve();
    expect(await signedIn).toMatch(/Hello, Maren.*waited.*first time at shell/s);
    expect(await (await seen).text()).toMatch(/Sign in.*waited.*seen 7 at shell/s);
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += Buffer.from(part.value).toString();
    expect(rest).toContain('first time at shell');
  });
});

test('the marks of holes are never sent', async () => {
  for (const path of ['/', '/wrong', '/slow', '/nowhere', '/in-fragment'])
    expect(await body(path)).not.toContain('<!--');
});
