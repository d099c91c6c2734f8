// Personal pages: one visitor each, kept nowhere, with shared fragments inside.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { fragment, guard, invalid, notFound, page, redirect, session } from '../../src/index.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { silent } from '../support/silent.ts';
import { type Site, startSite } from '../support/site.ts';

/** Roles are of the whole server. */
const reader = `reader_${process.pid}`;
let held: TestDatabase;
let database: Database;
let site: Site;
let gate: { readonly open: () => void; readonly opened: Promise<void> };
let waiting = 0;

const schema = z.object({ userId: z.number(), name: z.string() });
const visitor = (data: unknown) => schema.safeParse(data).data;
/** Of the application: entered by a guard, as a request's own. */
const current = new AsyncLocalStorage<string>();
let cards = 0;

const card = fragment('card', {
  key: ({ id }: { id: number; name: string }) => id,
  load: async ({ key, db }) => {
    cards++;
    return { note: await db.one<{ body: string }>('select body from notes where id = $1 limit 1', [key]) };
  },
  view: ({ note }) => ({
    b: `card ${note?.body ?? 'of nothing'}, seen by ${current.getStore() ?? 'nobody'}`,
  }),
});

const pages = {
  _guard: guard(({ header }) => {
    current.enterWith(header('x-marker') ?? '');
    return undefined;
  }),
  in: page({
    form: { name: z.string(), id: z.coerce.number() },
    action: ({ form, session, flash }) => {
      session.set({ userId: form.id, name: form.name });
      flash('Welcome.', 'success');
      return redirect('/mine');
    },
    view: () => ({ h1: 'Sign in' }),
  }),
  mine: page({
    personal: true,
    query: { q: z.string().default('') },
    form: { body: z.string() },
    action: ({ form }) => (form.body === '' ? invalid({ body: 'Write something.' }) : redirect('/mine')),
    load: async ({ session, cookies, header, flashes, query, db }) => {
      const known = visitor(session.data);
      if (query.q === 'gone') return notFound();
      if (query.q === 'elsewhere') return redirect('/in');
      if (query.q === 'fails') throw new Error(`words about ${known?.name}`);
      if (query.q === 'hangs') await new Promise(() => {});
      if (query.q === 'waits') {
        waiting++;
        await gate.opened;
      }
      const rows = await db.query<{ body: string }>('select body from notes order by id');
      const one = await db.byId<{ body: string }>('notes', 2);
      return {
        name: known?.name,
        theme: cookies.get('theme'),
        agent: header('X-Agent'),
        said: flashes(),
        rows,
        one,
      };
    },
    head: ({ name }) => ({ title: `Notes of ${name}` }),
    view: ({ name, theme, agent, said, rows, one }, feedback) => [
      { h1: `${name} ${theme} ${agent}` },
      { ul: { children: rows.map(({ body }) => ({ li: body })) } },
      { i: one?.body ?? 'none' },
      said.map(({ kind, text }) => ({ p: `${kind}: ${text}` })),
      feedback !== undefined && { em: feedback.errors.body ?? '' },
      { p: 'x'.repeat(2000) },
      card({ id: 1, name: name ?? '' }),
    ],
  }),
  shared: page({
    load: (context) => ({ seen: Object.keys(context).sort(), store: current.getStore() }),
    view: ({ seen, store }) => [
      { p: seen.join(' ') },
      { p: `store ${store ?? 'empty'}` },
      card({ id: 3, name: '' }),
    ],
  }),
};

beforeAll(async () => {
  held = await testDatabase(`
    create table notes (id int primary key, user_id int, body text);
    insert into notes values (1, 17, 'note of Maren'), (2, 18, 'note of Noor');
    create role ${reader} login password 'of-the-test';
    grant select on notes to ${reader};
    alter table notes enable row level security;
    create policy own on notes to ${reader} using (user_id = nullif(current_setting('app.user_id', true), '')::int)`);
  const url = new URL(held.url);
  url.username = reader;
  url.password = 'of-the-test';
  database = new Database({ connectionString: url.href, logger: silent, clock: systemClock, max: 2 });
});
afterAll(async () => {
  await database.close();
  await held.query(`drop owned by ${reader}`);
  await held.query(`drop role ${reader}`);
  await held.close();
});
beforeEach(async () => {
  [cards, waiting] = [0, 0];
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  gate = { open, opened };
  site = await startSite({
    pages,
    session: session({ schema, rowSecurity: ({ userId }) => ({ 'app.user_id': String(userId) }) }),
    readScopes: database,
    fragmentCache: true,
    hardTimeoutMs: 2000,
    writing: {
      writeScope: (signal) => database.writeScope(signal),
      visible: () => Promise.reject(new Error('not here')),
    },
  });
});
afterEach(() => site.close());

const cookiesOf = (answer: Response) =>
  answer.headers
    .getSetCookie()
    .map((each) => each.split(';')[0] ?? '')
    .join('; ');

async function signIn(name: string, id: number): Promise<string> {
  const answer = await post('/in', `name=${name}&id=${id}`);
  return cookiesOf(answer);
}
function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const form = { origin: site.origin, 'content-type': 'application/x-www-form-urlencoded' };
  return fetch(`${site.origin}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { ...form, ...headers },
    body,
  });
}
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${site.origin}${path}`, { redirect: 'manual', headers });

it('is made for its visitor, with their session, cookies, headers and messages', async () => {
  const cookie = await signIn('Maren', 17);
  const answer = await get('/mine', { cookie: `${cookie}; theme=dark`, 'x-agent': 'test' });
  const html = await answer.text();
  expect(html).toContain('<h1>Maren dark test</h1>');
  expect(html).toContain('<title>Notes of Maren</title>');
  expect(html).toContain('success: Welcome.');
  expect(answer.headers.getSetCookie()).toEqual(['flash=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
});

it('is kept nowhere: no ETag, no 304, and each request makes it anew', async () => {
  const cookie = await signIn('Maren', 17);
  for (let n = 0; n < 3; n++) {
    const answer = await get('/mine', { cookie, 'if-none-match': '*' });
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('etag')]).toEqual([
      200,
      'private, no-store',
      null,
    ]);
    expect(answer.headers.get('cache-status')).toBe('coherent; fwd=bypass; detail=PERSONAL');
  }
  expect(site.cache.stats()).toMatchObject({ fills: 0, l1: { entries: 0 } });
  expect(site.hits.stats().targets).toBe(0);
});

it('two visitors who ask at once are two renders, and each sees what the database lets them see', async () => {
  const cookies = [await signIn('Maren', 17), await signIn('Noor', 18), ''];
  const asked = cookies.map((cookie) => get('/mine?q=waits', { cookie }));
  await expect.poll(() => waiting).toBe(3);
  gate.open();
  const [maren, noor, nobody] = await Promise.all(asked.map(async (answer) => (await answer).text()));
  expect(maren).toContain('<li>note of Maren</li></ul><i>none</i>');
  expect(noor).toContain('<li>note of Noor</li></ul><i>note of Noor</i>');
  expect(nobody).toContain('<ul></ul><i>none</i>');
});

it('its fragments are shared: made once, and by nobody in particular', async () => {
  const marked = { 'x-marker': 'marker-of-maren' };
  const html = await (await get('/mine', { cookie: await signIn('Maren', 17), ...marked })).text();
  await get('/mine', { cookie: await signIn('Noor', 18) });
  expect(cards).toBe(1);
  expect(html).toContain('card of nothing, seen by nobody');
});

it('a shared page is given nothing of a visitor, and is made in an empty async context', async () => {
  const html = await (
    await get('/shared', { cookie: await signIn('Maren', 17), 'x-marker': 'marker-of-maren' })
  ).text();
  expect(html).toContain('<p>db dependsOn fetch headers host params query signal variants</p>');
  expect(html).toContain('<p>store empty</p>');
  expect(html).not.toContain('marker-of-maren');
});

it('shown again for a form that cannot be taken it is still personal', async () => {
  const answer = await post('/mine', 'body=', { cookie: await signIn('Maren', 17) });
  const html = await answer.text();
  expect(answer.status).toBe(422);
  expect(html).toContain('<h1>Maren ');
  expect(html).toContain('<em>Write something.</em>');
  expect(html).toContain('<li>note of Maren</li></ul><i>none</i>');
});

it.each([
  ['is not there', 'gone', 404, 'private, no-store'],
  ['leads elsewhere', 'elsewhere', 307, 'private, no-store'],
  ['fails', 'fails', 500, 'no-store'],
  ['hangs', 'hangs', 503, 'no-store'],
])('one that %s', async (_, q, status, control) => {
  const answer = await get(`/mine?q=${q}`, { cookie: await signIn('Maren', 17) });
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, control]);
});

it('a visitor who leaves stops what is read for them', async () => {
  const leaving = new AbortController();
  const asked = fetch(`${site.origin}/mine?q=waits`, { signal: leaving.signal }).catch(() => 'left');
  await expect.poll(() => waiting).toBe(1);
  leaving.abort();
  expect(await asked).toBe('left');
  gate.open();
  expect(await (await get('/mine')).text()).toContain('<ul></ul>');
});

it('HEAD has the head alone', async () => {
  const answer = await fetch(`${site.origin}/mine`, { method: 'HEAD' });
  expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([
    200,
    'private, no-store',
    '',
  ]);
  expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(100);
});

describe('compression', () => {
  const encodingFor = async (site?: string) =>
    (await get('/mine', { 'accept-encoding': 'br', ...(site && { 'sec-fetch-site': site }) })).headers.get(
      'content-encoding',
    );
  it('is for visitors who come from here: a page elsewhere must not learn from lengths what is on this one', async () => {
    expect(await encodingFor()).toBe('br');
    expect(await encodingFor('same-origin')).toBe('br');
    expect(await encodingFor('none')).toBe('br');
    expect(await encodingFor('cross-site')).toBeNull();
    expect(await encodingFor('same-site')).toBeNull();
  });
});

it('what is warm, located or explained is never a personal page', async () => {
  const address = { segments: ['mine'], query: '', header: () => undefined };
  expect(await site.pipeline.locate(address)).toBeUndefined();
  expect(await site.pipeline.warm({ ...address, signal: AbortSignal.timeout(1000) })).toBe(false);
});

it('what a personal page, a guard or an action says when it fails is not logged, only where it was and whose session', async () => {
  const cookie = await signIn('Marker-of-Maren', 17);
  await get('/mine?q=fails', { cookie });
  const [line] = site.log.lines.filter(({ level }) => level === 'error');
  expect(line?.fields).toMatchObject({
    route: '/mine',
    status: 500,
    err: { name: 'Error' },
    session: expect.stringMatching(/^[\w-]{12}$/),
  });
  expect(String(Object(line?.fields.err).stack)).toContain('personal.test.ts');
  const text = site.log.lines
    .map(({ fields }) =>
      JSON.stringify(fields, Object.getOwnPropertyNames(fields.err ?? {}).concat(Object.keys(fields))),
    )
    .join();
  expect(text).not.toContain('words about');
  expect(text).not.toContain('Marker-of-Maren');
});
