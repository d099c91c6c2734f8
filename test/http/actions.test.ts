// Forms: who may send one, how large it may be, what is run for it, and that nothing of it is cached or run twice.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { invalid, notFound, page, QueryError, redirect } from '../../src/index.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { RawConnection } from '../support/raw-http.ts';
import { silent } from '../support/silent.ts';
import { type Site, startSite } from '../support/site.ts';

let held: TestDatabase;
let database: Database;
let site: Site;
let runs = 0;
let waiting: (() => void)[] = [];

beforeAll(async () => {
  held = await testDatabase(
    'create table notes (id int generated always as identity primary key, body text unique)',
  );
  database = new Database({ connectionString: held.url, logger: silent, clock: systemClock });
});
afterAll(async () => {
  await database.close();
  await held.close();
});

const notes = page({
  query: { tag: z.string().default('') },
  form: {
    body: z.string('Write something.').trim().min(1, 'Write something.').max(50),
    tags: z.array(z.string()).default([]),
  },
  action: async ({ form, db, query, visible, header }) => {
    runs++;
    if (form.body === 'nothing') return;
    if (form.body === 'gone') return notFound();
    if (form.body === 'elsewhere') return redirect('/else?a=1');
    if (form.body === 'outside') return redirect('//evil.test/');
    if (form.body === 'outside, normalised') return redirect('/.//evil.test/');
    if (form.body === 'broken') throw new Error('secret of the server');
    if (form.body === 'hangs') await new Promise<void>((resolve) => waiting.push(resolve));
    if (form.body === 'cookie') return redirect(`/${header('Cookie')}`);
    try {
      await db.transaction(async (tx) => {
        await tx.execute('insert into notes (body) values ($1)', [form.body]);
        await tx.execute('insert into notes (body) values ($1)', [
          `${form.body} of ${query.tag} ${form.tags.join('+')}`,
        ]);
      });
    } catch (error) {
      if (error instanceof QueryError && error.sqlState === '23505') return invalid({ body: 'It is there.' });
      throw error;
    }
    const seen = await visible({ withinMs: 5 });
    return redirect(seen.applied ? '/notes?seen' : '/notes');
  },
  load: () => ({ at: 'notes' }),
  view: ({ at }, feedback) => ({
    form: {
      method: 'post',
      children: [
        { p: at },
        feedback !== undefined && { b: feedback.errors.body ?? '' },
        { input: { name: 'body', value: feedback?.values.body ?? '' } },
      ],
    },
  }),
});

beforeEach(async () => {
  runs = 0;
  waiting = [];
  await held.query('truncate notes');
  site = await startSite({
    limits: { maxBodyBytes: 2000 },
    hardTimeoutMs: 2000,
    maxRunningActions: 2,
    writing: {
      writeScope: (signal) => database.writeScope(signal),
      visible: async (withinMs) =>
        ({ applied: withinMs === 5, workers: 1, reason: 'not-applied', missing: [] }) as never,
    },
    pages: {
      notes,
      plain: page({ view: () => ({ p: 'plain' }) }),
      'users/[id]': page({
        params: { id: z.coerce.number().int() },
        action: ({ params }) => redirect(`/users/${params.id + 1}`),
        view: () => ({ p: 'user' }),
      }),
    },
  });
});
afterEach(() => site.close());

const bodies = async () =>
  (await held.query<{ body: string }>('select body from notes order by id')).map(({ body }) => body);

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${site.origin}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: site.origin, ...headers },
    body,
  });
}

test('OPTIONS says that a page with an action takes a form, and that others do not', async () => {
  const allow = async (path: string) =>
    (await fetch(`${site.origin}${path}`, { method: 'OPTIONS' })).headers.get('allow');
  expect(await allow('/notes')).toBe('GET, HEAD, POST, OPTIONS');
  expect(await allow('/plain')).toBe('GET, HEAD, OPTIONS');
});

describe('a form', () => {
  it('is run once, commits, and sends the visitor on with 303, which nobody keeps', async () => {
    const answer = await post('/notes?tag=t', 'body=+one+%26+two+&tags=a&tags=b&unknown=x');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/notes?seen');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('cache-status')).toBeNull();
    expect(await bodies()).toEqual(['one & two', 'one & two of t a+b']);
    expect(runs).toBe(1);
  });

  it('comes back with 422, what was typed and why not, without running anything', async () => {
    const answer = await post('/notes', `body=${'x'.repeat(51)}%3Cb%3E`);
    expect(answer.status).toBe(422);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const html = await answer.text();
    expect(html).toContain('x&lt;b&gt;');
    expect(html).toContain('<b>Write something.</b>');
    expect(runs).toBe(0);
    // What everybody else sees knows nothing of it.
    const page = await (await fetch(`${site.origin}/notes`)).text();
    expect(page).not.toContain('&lt;b&gt;');
    expect(page).toContain('<p>notes</p>');
  });

  it('may be refused by the action, after everything was rolled back', async () => {
    await held.query("insert into notes (body) values ('twice of  ')");
    const answer = await post('/notes', 'body=twice');
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('<b>It is there.</b>');
    expect(await bodies()).toEqual(['twice of  ']);
  });

  it('is told of in JSON to whoever sends JSON', async () => {
    const json = { 'content-type': 'application/json' };
    const answer = await post('/notes', '{"body":7,"__proto__":{"body":"x"}}', json);
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({ errors: { body: expect.any(String) } });
    expect((await post('/notes', '{"body":"by json","tags":["a"]}', json)).status).toBe(303);
    expect(await bodies()).toEqual(['by json', 'by json of  a']);
    for (const broken of ['{', '[]', '"x"', 'null', '\xff']) {
      expect((await post('/notes', broken, json)).status, broken).toBe(400);
    }
  });

  it.each([
    ['nothing', 303, '/notes?tag=t'],
    ['elsewhere', 303, '/else?a=1'],
    ['gone', 404, null],
    ['outside', 500, null],
    ['outside, normalised', 500, null],
    ['broken', 500, null],
  ])('answers what the action answers: %s', async (body, status, location) => {
    const answer = await post('/notes?tag=t', `body=${body}`);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('location')).toBe(location);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).not.toContain('secret of the server');
  });

  it('lets the action see headers of its one visitor', async () => {
    expect((await post('/notes', 'body=cookie', { cookie: 'me' })).headers.get('location')).toBe('/me');
  });

  it('has its page’s inputs: what names nothing is 404', async () => {
    expect((await post('/users/7', '')).headers.get('location')).toBe('/users/8');
    expect((await post('/users/x', '')).status).toBe(404);
    expect(await (await fetch(`${site.origin}/users/7`)).text()).toContain('user');
  });
});

describe('a form that is refused', () => {
  it.each([
    ['of another site', { 'sec-fetch-site': 'cross-site' }],
    ['of a sibling domain', { 'sec-fetch-site': 'same-site' }],
    ['of another origin', { origin: 'https://evil.test' }],
    ['of another port', { origin: 'http://127.0.0.1:1' }],
    ['of a sandboxed frame', { origin: 'null' }],
    ['of an origin that is none', { origin: '//' }],
    [
      'whose browser says cross-site, whatever the origin',
      { 'sec-fetch-site': 'cross-site', origin: 'SAME' },
    ],
  ])('%s runs nothing: 403', async (_, given) => {
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value === 'SAME' ? site.origin : value]),
    );
    expect((await post('/notes', 'body=x', headers)).status).toBe(403);
    expect(runs).toBe(0);
  });

  it('says nothing of where it comes from: 403; Sec-Fetch-Site alone is enough', async () => {
    const raw = new RawConnection(site.port);
    const head = `POST /notes HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n`;
    expect((await raw.ask(`${head}\r\nbody=x`))?.status).toBe(403);
    expect((await raw.ask(`${head}Sec-Fetch-Site: same-origin\r\n\r\nbody=x`))?.status).toBe(303);
    expect((await raw.ask(`${head}Origin: https://A.test\r\n\r\nbody=y`))?.status).toBe(303);
    raw.close();
  });

  it.each([
    ['text/plain', {}],
    ['multipart/form-data; boundary=x', {}],
    ['application/x-www-form-urlencoded; charset=iso-8859-1', {}],
    ['', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('is not of a kind that is taken: 415 (%s)', async (type, more) => {
    const answer = await post('/notes', 'body=x', { 'content-type': type, ...more });
    expect(answer.status).toBe(415);
    expect(runs).toBe(0);
  });

  it('is too large: 413, whether it says so or not; the next request is answered', async () => {
    expect((await post('/notes', `body=${'x'.repeat(2000)}`)).status).toBe(413);
    const raw = new RawConnection(site.port);
    const chunk = 'x'.repeat(1000);
    const answer = await raw.ask(
      `POST /notes HTTP/1.1\r\nHost: a.test\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`3e8\r\n${chunk}\r\n`.repeat(3)}`,
    );
    expect(answer?.status).toBe(413);
    await raw.closed();
    expect(runs).toBe(0);
  });

  it('is malformed: 400', async () => {
    expect((await post('/notes', 'body=%zz')).status).toBe(400);
    expect((await post('/notes', `${'a&'.repeat(999)}a&b`.slice(0, 1999))).status).toBeLessThan(500);
    expect((await post('/notes', 'body=a%00b')).status).toBe(422);
    expect(runs).toBe(0);
  });

  it('goes to a page that takes none: 405, and the connection goes on', async () => {
    const answer = await post('/plain', 'body=x');
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    const other = await fetch(`${site.origin}/notes`, { method: 'DELETE' });
    expect(other.status).toBe(405);
    expect(other.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
    expect((await post('/nowhere', 'body=x')).status).toBe(405);
  });

  it('breaks off in its middle: nothing is run', async () => {
    const raw = new RawConnection(site.port);
    raw.send(
      'POST /notes HTTP/1.1\r\nHost: a.test\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"body"',
    );
    await (await fetch(`${site.origin}/plain`)).text();
    raw.close();
    await (await fetch(`${site.origin}/plain`)).text();
    expect(runs).toBe(0);
  });
});

describe('actions that take long', () => {
  it('are as many as may run at once; one more is told to come again', async () => {
    const held = [post('/notes', 'body=hangs'), post('/notes', 'body=hangs')];
    while (waiting.length < 2) await (await fetch(`${site.origin}/plain`)).text();
    const refused = await post('/notes', 'body=x');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('2');
    for (const go of waiting) go();
    expect((await Promise.all(held)).map(({ status }) => status).sort()).toEqual([303, 422]);
  });
});
