// Guards: every way to what a page shows asks them first, whatever the cache holds and whatever is asked for.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  endpoint,
  forbidden,
  guard,
  hole,
  notFound,
  page,
  redirect,
  resource,
  session,
} from '../../src/index.ts';
import type { GuardAnswer } from '../../src/page/definitions/guard.ts';
import { RawConnection } from '../support/raw-http.ts';
import { noWriting, type Site, startSite } from '../support/site.ts';

const schema = z.object({ userId: z.number(), name: z.string() });
const nameIn = (data: unknown) => schema.safeParse(data).data?.name;

let asked: string[] = [];
let loads = 0;
let runs = 0;
/** What the inner guard answers to everybody, unless a visitor is known. */
let refuses: () => unknown = () => redirect('/sign-in');
const SECRET = 'what members read';

/** What a guarded page shows of one visitor, and to all who bring no session. */
const greeting = hole('greeting', {
  reads: { session: true },
  load: ({ session }) => nameIn(session.data),
  view: (name) => ({ b: `${SECRET} of ${name}` }),
  anonymous: () => ({ b: SECRET }),
});

const pages = {
  'sign-in': page({
    form: { name: z.string() },
    action: ({ form, session }) => {
      session.set({ userId: 1, name: form.name });
      return redirect('/club/news');
    },
    view: () => ({ h1: 'Sign in' }),
  }),
  _guard: guard(({ route, header }) => {
    asked.push(`outer ${route}`);
    return header('x-banned') === undefined ? undefined : forbidden();
  }),
  'club/_guard': guard(({ route, params, session }) => {
    asked.push(`inner ${route} ${Object.values(params)}`);
    if (nameIn(session.data) !== undefined) return undefined;
    return refuses() as GuardAnswer;
  }),
  'club/news': page({
    cache: { ttlMs: 60_000, sharedMaxAgeMs: 60_000 },
    load: () => ++loads,
    view: (n) => ({ p: `${SECRET} ${n}` }),
  }),
  'club/topics/[id]': page({
    params: { id: z.coerce.number() },
    query: { q: z.enum(['a', 'b']).optional() },
    form: { body: z.string().min(3, 'More.') },
    action: () => {
      runs++;
      return redirect('/club/news');
    },
    load: () => ++loads,
    view: (n, feedback) => ({ p: `${SECRET} ${n} ${feedback?.errors.body ?? ''}` }),
  }),
  'club/api/[id]': endpoint({
    params: { id: z.coerce.number() },
    GET: () => ({ secret: SECRET }),
    DELETE: () => {
      runs++;
    },
  }),
  'club/list': resource({
    type: 'application/json',
    load: () => ++loads,
    body: (n) => ({ secret: SECRET, n }),
  }),
  'club/hello': page({ load: () => ++loads, view: () => ({ p: { children: [greeting()] } }) }),
  'club/open': endpoint({ from: 'anywhere', GET: () => ({ secret: SECRET }) }),
  'club/mine': page({
    personal: true,
    load: ({ session }) => {
      loads++;
      return nameIn(session.data);
    },
    view: (name) => ({ p: `${SECRET} of ${name}` }),
  }),
};

let site: Site;
let member = '';
beforeEach(async () => {
  [asked, loads, runs] = [[], 0, 0];
  refuses = () => redirect('/sign-in');
  site = await startSite({
    pages,
    session: session({ schema }),
    surrogateKeys: true,
    hardTimeoutMs: 300,
    debugToken: 'a-token-of-sixteen-characters',
    writing: noWriting,
  });
  const signedIn = await send('POST', '/sign-in', {}, 'name=Ada');
  member = (signedIn.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  asked = [];
});
afterEach(() => site.close());

function send(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const form = { origin: site.origin, 'content-type': 'application/x-www-form-urlencoded' };
  return fetch(`${site.origin}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...(body !== undefined && form), ...headers },
    ...(body !== undefined && { body }),
  });
}

/** Every way to what the pages of the club show. */
const WAYS: readonly [string, () => Promise<Response>][] = [
  ['GET', () => send('GET', '/club/news')],
  ['HEAD', () => send('HEAD', '/club/news')],
  [
    'GET of what memory holds, with its ETag',
    async () => {
      const known = await send('GET', '/club/news', { cookie: member });
      return send('GET', '/club/news', { 'if-none-match': known.headers.get('etag') ?? '' });
    },
  ],
  ['GET with any ETag', () => send('GET', '/club/news', { 'if-none-match': '*' })],
  ['GET with a parameter', () => send('GET', '/club/topics/7?q=a')],
  ['GET with a parameter that no schema takes', () => send('GET', '/club/topics/seven')],
  ['GET with a query that no schema takes', () => send('GET', '/club/topics/7?q=c')],
  ['GET of a personal page', () => send('GET', '/club/mine')],
  ['GET of a page with a hole', () => send('GET', '/club/hello')],
  [
    'GET of a page with a hole that memory holds',
    async () => {
      await send('GET', '/club/hello', { cookie: member });
      return send('GET', '/club/hello');
    },
  ],
  ['GET of a resource', () => send('GET', '/club/list')],
  [
    'GET of a resource that memory holds',
    async () => {
      await send('GET', '/club/list', { cookie: member });
      return send('GET', '/club/list');
    },
  ],
  [
    'GET with a session that was forged',
    () => send('GET', '/club/news', { cookie: `${member.slice(0, -4)}AAAA` }),
  ],
  [
    'GET by an operator',
    () =>
      send('GET', '/club/news', {
        'x-coherent-token': 'a-token-of-sixteen-characters',
        'cache-control': 'no-cache',
      }),
  ],
  ['POST', () => send('POST', '/club/topics/7', {}, 'body=hello')],
  ['POST of a form that cannot be taken', () => send('POST', '/club/topics/7', {}, 'body=h')],
  ['POST of what is no form', () => send('POST', '/club/topics/7', {}, '%zz')],
  [
    'POST of JSON',
    () => send('POST', '/club/topics/7', { 'content-type': 'application/json' }, '{"body":"hello"}'),
  ],
];

const ENDPOINTS: readonly [string, () => Promise<Response>][] = [
  ['GET of an endpoint', () => send('GET', '/club/api/7')],
  ['HEAD of an endpoint', () => send('HEAD', '/club/api/7')],
  ['DELETE', () => send('DELETE', '/club/api/7', { origin: site.origin })],
  [
    'GET of an endpoint for all sites',
    () => send('GET', '/club/open', { origin: 'https://elsewhere.example' }),
  ],
  ['an address that no schema of an endpoint takes', () => send('GET', '/club/api/seven')],
];

const REFUSALS: readonly [string, () => unknown, number][] = [
  ['redirects', () => redirect('/sign-in'), 303],
  ['forbids', () => forbidden(), 403],
  ['says that there is nothing', () => notFound(), 404],
  [
    'throws',
    () => {
      throw new Error(`${SECRET}: a guard's own words`);
    },
    503,
  ],
  ['rejects', () => Promise.reject(new Error('no')), 503],
  ['hangs', () => new Promise(() => {}), 503],
  ['answers true', () => true, 503],
  ['answers false', () => false, 503],
  ['answers null', () => null, 503],
  ['answers an object of its own', () => ({ location: '/' }), 503],
];

describe.each(REFUSALS)('a guard that %s', (_, answer, status) => {
  it.each([...WAYS, ...ENDPOINTS])('%s', async (way, ask) => {
    refuses = answer;
    const response = await ask();
    const body = await response.text();
    expect(response.status).toBe(status);
    expect(body).not.toContain(SECRET);
    expect(response.headers.get('cache-control')).toMatch(/no-store/);
    for (const name of ['etag', 'surrogate-key', 'cache-groups', 'cdn-cache-control'])
      if (status !== 503) expect(response.headers.get(name), name).toBeNull();
    if (status === 303) expect(response.headers.get('location')).toBe('/sign-in');
    expect(runs).toBe(0);
    expect(loads).toBe(way.includes('memory holds') ? 1 : 0);
    expect(site.hits.stats().targets).toBe(0);
  });
});

it('the outermost is asked first, and who it refuses is not asked about further in', async () => {
  await send('GET', '/club/topics/7', { cookie: member });
  expect(asked).toEqual(['outer /club/topics/[id]', 'inner /club/topics/[id] 7']);
  asked = [];
  expect((await send('GET', '/club/topics/7', { cookie: member, 'x-banned': '1' })).status).toBe(403);
  expect(asked).toEqual(['outer /club/topics/[id]']);
});

it('a page is made once for all who may see it, and each of them is asked about', async () => {
  for (let n = 0; n < 5; n++)
    expect(await (await send('GET', '/club/news', { cookie: member })).text()).toContain(`${SECRET} 1`);
  expect(loads).toBe(1);
  expect(asked.filter((each) => each.startsWith('inner'))).toHaveLength(5);
  expect(site.hits.stats()).toMatchObject({ answers: 0, targets: 0 });
});

it('what a guarded page says to caches on the way is that it is none of theirs', async () => {
  const answer = await send('GET', '/club/news', { cookie: member });
  expect(answer.headers.get('cache-control')).toBe('private, no-cache');
  for (const name of ['surrogate-key', 'cache-groups', 'cdn-cache-control'])
    expect(answer.headers.get(name)).toBeNull();
  const again = await send('GET', '/club/news', {
    cookie: member,
    'if-none-match': answer.headers.get('etag') ?? '',
  });
  expect([again.status, again.headers.get('cache-control')]).toEqual([304, 'private, no-cache']);
});

it('one connection with requests of two visitors gives each their own', async () => {
  const connection = new RawConnection(site.port);
  const get = (cookie: string) => `GET /club/news HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\n${cookie}\r\n`;
  const known = `Cookie: ${member}\r\n`;
  connection.send(get(known) + get('') + get(known) + get(''));
  const statuses: (number | undefined)[] = [];
  for (let n = 0; n < 4; n++) statuses.push((await connection.next())?.status);
  expect(statuses).toEqual([200, 303, 200, 303]);
  connection.close();
});

it('the log names no session, and of a guard that failed the route', async () => {
  refuses = () => {
    throw new Error('words of the guard');
  };
  await send('GET', '/club/news');
  const [line] = site.log.lines.filter(({ level }) => level === 'error');
  expect(line?.fields).toMatchObject({ route: '/club/news', status: 503 });
});
