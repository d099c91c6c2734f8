// Endpoints: which methods and origins they answer, what they make of a body, what goes out, and that nothing is kept.
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { endpoint, invalid, notFound, page, raw, redirect, stream } from '../../src/index.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { RawConnection } from '../support/raw-http.ts';
import { silent } from '../support/silent.ts';
import { type Site, startSite } from '../support/site.ts';

let held: TestDatabase;
let database: Database;
let site: Site;
let runs = 0;

beforeAll(async () => {
  held = await testDatabase('create table notes (id int primary key, body text not null)');
  database = new Database({ connectionString: held.url, logger: silent, clock: systemClock });
});
afterAll(async () => {
  await database.close();
  await held.close();
});

const id = z.coerce.number().int();
const note = z.object({ body: z.string().min(1, 'Write something.') });

const notes = endpoint({
  params: { id },
  query: { dry: z.stringbool().default(false) },
  from: 'anywhere',
  GET: async ({ params, db }) =>
    (await db.one<{ id: number; body: string }>('select id, body from notes where id = $1', [params.id])) ??
    notFound(),
  PUT: {
    body: note,
    handler: async ({ params, query, body, db, visible }) => {
      runs++;
      if (query.dry) return invalid({ body: 'Only a trial.' });
      await db.transaction((tx) =>
        tx.execute('insert into notes values ($1, $2) on conflict (id) do update set body = excluded.body', [
          params.id,
          body.body,
        ]),
      );
      await visible();
      return Response.json({ id: params.id, ...body }, { status: 201, headers: { 'x-made': 'yes' } });
    },
  },
  DELETE: async ({ params, db }) => {
    await db.transaction((tx) => tx.execute('delete from notes where id = $1', [params.id]));
  },
});

const own = endpoint({
  GET: ({ header }) => ({ cookie: header('Cookie') ?? null }),
  POST: { body: note, handler: ({ body }) => body },
});

const friends = endpoint({
  from: ['https://app.example.org'],
  GET: ({ header }) => ({ cookie: header('cookie') ?? null }),
  POST: {
    body: note,
    handler: () => new Response('made', { status: 201, headers: { 'x-made': '1', vary: 'x-a' } }),
  },
});

const odd = endpoint({
  from: 'anywhere',
  query: { what: z.string().default('') },
  GET: ({ query: { what }, header, signal }) => {
    if (what === 'cookie') return { cookie: header('cookie') ?? null, key: header('authorization') ?? null };
    if (what === 'throws') throw new Error('secret of the server');
    if (what === 'set-cookie') return new Response('x', { headers: { 'set-cookie': 'a=b' } });
    if (what === 'redirect') return redirect('/else');
    if (what === 'outside') return redirect('//evil.test/');
    if (what === 'cycle') {
      const cycle: Record<string, unknown> = {};
      cycle.cycle = cycle;
      return cycle;
    }
    if (what === 'text') return 'text' as never;
    if (what === 'framing')
      return new Response('four', {
        headers: {
          'content-length': '999',
          connection: 'x',
          'transfer-encoding': 'gzip',
          'cache-control': 'public',
        },
      });
    if (what === 'html')
      return new Response('<p>', { headers: { 'content-type': 'text/html; charset=utf-8' } });
    if (what === 'hangs') return new Promise<object>(() => {});
    if (what === 'breaks')
      return new Response(
        Readable.toWeb(
          Readable.from(
            (async function* () {
              yield 'the first half';
              await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
              throw new Error('halfway');
            })(),
          ),
        ) as ReadableStream,
      );
    if (what === 'endless')
      return new Response(
        Readable.toWeb(
          Readable.from(
            (async function* () {
              signal.addEventListener('abort', () => gone());
              for (;;) {
                yield 'x'.repeat(1000);
                await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
              }
            })(),
          ),
        ) as ReadableStream,
      );
    return undefined;
  },
});
let gone: () => void = () => {};

const bodies = endpoint({
  from: 'anywhere',
  POST: {
    body: z.record(z.string(), z.unknown()).refine(async () => {
      await Promise.resolve();
      return true;
    }),
    handler: ({ body }) => ({ body }),
  },
  PUT: { body: raw(), maxBytes: 10, handler: ({ body }) => ({ text: body.toString('latin1') }) },
  PATCH: {
    body: stream({ types: ['application/octet-stream'] }),
    maxBytes: 1_000_000,
    handler: async ({ body }) => {
      let length = 0;
      for await (const chunk of body) {
        length += (chunk as Buffer).length;
        if (length > 500_000) break;
      }
      return { length };
    },
  },
});

beforeEach(async () => {
  runs = 0;
  await held.query('truncate notes');
  site = await startSite({
    personalErrors: true,
    limits: { maxBodyBytes: 200_000 },
    hardTimeoutMs: 500,
    maxRunningActions: 2,
    writing: {
      writeScope: (signal) => database.writeScope(signal),
      visible: async () => ({ applied: true, workers: 1, reason: 'applied', missing: [] }) as never,
    },
    pages: {
      'notes/[id]': notes,
      own,
      friends,
      odd,
      bodies,
      mixed: page({ view: () => ({ p: 'the page' }) }),
      'users/[id]': page({ params: { id: z.string() }, view: () => ({ p: 'user' }) }),
      'users/me': endpoint({ POST: () => ({ me: true }) }),
    },
    named: { mixed: { endpoint: endpoint({ from: 'anywhere', DELETE: () => undefined }) } },
  });
});
afterEach(() => site.close());

const json = { 'content-type': 'application/json' };
function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${site.origin}${path}`, { redirect: 'manual', ...init });
}
const send = (path: string, method: string, body: string, headers: Record<string, string> = json) =>
  ask(path, { method, body, headers });

describe('methods', () => {
  it('are run by a script: PUT, GET, HEAD, DELETE', async () => {
    const put = await send('/notes/7', 'PUT', '{"body":"one"}');
    expect(put.status).toBe(201);
    expect(put.headers.get('x-made')).toBe('yes');
    expect(put.headers.get('cache-control')).toBe('no-store');
    expect(put.headers.get('content-length')).toBe('21');
    expect(await put.json()).toEqual({ id: 7, body: 'one' });
    const got = await ask('/notes/7');
    expect(got.headers.get('content-type')).toBe('application/json');
    expect(got.headers.get('x-content-type-options')).toBe('nosniff');
    expect(got.headers.get('etag')).toBeNull();
    expect(await got.json()).toEqual({ id: 7, body: 'one' });
    const head = await ask('/notes/7', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe('22');
    expect((await ask('/notes/7', { method: 'DELETE' })).status).toBe(204);
    expect((await ask('/notes/7')).status).toBe(404);
  });

  it('that are not there are 405 with Allow, in JSON or as a page', async () => {
    const answer = await send('/notes/7', 'PATCH', '{}');
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, PUT, DELETE, OPTIONS');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const html = await ask('/own', { method: 'DELETE', headers: { accept: 'text/html' } });
    expect(html.status).toBe(405);
    expect(html.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect((await ask('/notes/7', { method: 'PROPFIND' })).status).toBe(405);
  });

  it('are divided between a page and an endpoint of one file, and the more exact file has the address', async () => {
    expect(await (await ask('/mixed')).text()).toContain('the page');
    expect((await ask('/mixed', { method: 'DELETE' })).status).toBe(204);
    const options = await ask('/mixed', { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe('GET, HEAD, DELETE, OPTIONS');
    expect(await (await ask('/users/you')).text()).toContain('user');
    expect((await ask('/users/me')).status).toBe(405);
    expect((await ask('/users/you', { method: 'POST' })).status).toBe(405);
  });
});

describe('where requests come from', () => {
  const from = (headers: Record<string, string>, path = '/own') =>
    send(path, 'POST', '{"body":"x"}', { ...json, ...headers }).then(({ status }) => status);

  it('this site only, for what changes something', async () => {
    expect(await from({ origin: site.origin })).toBe(200);
    expect(await from({ origin: 'https://evil.test' })).toBe(403);
    expect(await from({})).toBe(403);
    expect(await from({ origin: 'null' })).toBe(403);
    // A visitor who types an address sends no POST; with a session behind it this must not be enough.
    expect(await from({ 'sec-fetch-site': 'none', origin: site.origin })).toBe(403);
    const linked = await ask('/own', { headers: { 'sec-fetch-site': 'cross-site', cookie: 'a=b' } });
    expect(await linked.json()).toEqual({ cookie: 'a=b' });
    expect(linked.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('origins that it names, with what browsers want to hear of it', async () => {
    const origin = 'https://app.example.org';
    expect(await from({ origin }, '/friends')).toBe(201);
    expect(await from({ origin: 'https://app.example.org.evil.test' }, '/friends')).toBe(403);
    expect(await from({ origin: 'https://APP.example.org' }, '/friends')).toBe(403);
    expect(await from({ origin: site.origin }, '/friends')).toBe(201);
    const answer = await send('/friends', 'POST', '{"body":"x"}', { ...json, origin });
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('access-control-expose-headers')).toContain('x-made');
    expect(answer.headers.get('vary')).toBe('x-a, origin');
    const stranger = await ask('/friends', { headers: { origin: 'https://evil.test' } });
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
    expect(stranger.headers.get('vary')).toBe('origin');
    const refused = await send('/friends', 'POST', '{', { ...json, origin });
    expect(refused.status).toBe(400);
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
  });

  it('anywhere: without cookies, in or out', async () => {
    const answer = await ask('/odd?what=cookie', {
      headers: { cookie: 'a=b', authorization: 'Bearer x', origin: 'https://evil.test' },
    });
    expect(await answer.json()).toEqual({ cookie: null, key: 'Bearer x' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    const sets = await ask('/odd?what=set-cookie');
    expect(sets.status).toBe(500);
    expect(sets.headers.get('set-cookie')).toBeNull();
  });

  it('is granted or not by preflights of every shape', async () => {
    const preflight = (path: string, headers: Record<string, string>) =>
      ask(path, { method: 'OPTIONS', headers });
    const asked = {
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'x-a, content-type',
    };
    const open = await preflight('/notes/1', { origin: 'https://x.test', ...asked });
    expect(open.status).toBe(204);
    expect(open.headers.get('access-control-allow-origin')).toBe('*');
    expect(open.headers.get('access-control-allow-methods')).toBe('GET, HEAD, PUT, DELETE, OPTIONS');
    expect(open.headers.get('access-control-allow-headers')).toBe('x-a, content-type');
    expect(
      (await preflight('/own', { origin: site.origin, ...asked })).headers.get(
        'access-control-allow-methods',
      ),
    ).toBeNull();
    const cases: [string, Record<string, string>, boolean][] = [
      ['/friends', { origin: 'https://app.example.org', ...asked }, true],
      ['/friends', { origin: 'https://evil.test', ...asked }, false],
      ['/friends', { origin: 'null', ...asked }, false],
      ['/friends', asked, false],
      ['/friends', { origin: 'https://app.example.org' }, false],
      ['/friends', { origin: 'https://app.example.org, https://evil.test', ...asked }, false],
    ];
    for (const [path, headers, granted] of cases) {
      const answer = await preflight(path, headers);
      expect(answer.status).toBe(204);
      expect(answer.headers.has('access-control-allow-methods'), JSON.stringify(headers)).toBe(granted);
    }
    for (const names of ['a'.repeat(2000), 'a b', 'a,,b', 'é', 'x;y']) {
      const answer = await preflight('/notes/1', {
        origin: 'https://x.test',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': names,
      });
      expect(answer.headers.get('access-control-allow-headers'), names).toBeNull();
    }
  });
});

describe('a body', () => {
  it('that its schema refuses is 422 with each mistake, and runs nothing', async () => {
    const answer = await send('/notes/7', 'PUT', '{"body":""}');
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      title: 'Unprocessable Entity',
      status: 422,
      errors: [{ path: 'body', message: 'Write something.' }],
    });
    expect(runs).toBe(0);
    const own = await send('/notes/7?dry=true', 'PUT', '{"body":"x"}');
    expect(own.status).toBe(422);
    expect(await own.json()).toMatchObject({ errors: [{ path: 'body', message: 'Only a trial.' }] });
  });

  it('is JSON of any name, or a form', async () => {
    const merge = await send('/bodies', 'POST', '{"a":[1]}', {
      'content-type': 'application/merge-patch+json',
    });
    expect(await merge.json()).toEqual({ body: { a: [1] } });
    const form = await send('/bodies', 'POST', 'a=1&a=2&b=%C3%A9', {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    });
    expect(await form.json()).toEqual({ body: { a: ['1', '2'], b: 'é' } });
  });

  it.each([
    ['nested 500 levels deep', '['.repeat(500) + ']'.repeat(500), 400],
    ['nested without an end', '{"a":'.repeat(30_000), 400],
    ['with two members of one name', '{"a":1,"b":{"a":1},"a":2}', 400],
    ['with two members of one name, written differently', '{"a":1,"\\u0061":2}', 400],
    ['with __proto__', '{"x":{"__proto__":{"admin":true}}}', 400],
    ['with __proto__ in disguise', '{"\\u005f_proto__":1}', 400],
    ['with a string that does not end', '{"a":"\\"', 400],
    ['cut off', '{"a":1', 400],
    ['empty', '', 400],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400],
    ['whose strings only look like structure', '{"a":"{[\\\\","b":"\\"__proto__\\":1"}', 200],
  ])('%s', async (_, body, status) => {
    const answer = await ask('/bodies', { method: 'POST', body: body as string, headers: json });
    expect(answer.status).toBe(status);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it.each([
    ['text/plain'],
    ['application/jsonp'],
    ['multipart/form-data; boundary=x'],
    ['application/json; charset=utf-16'],
    [`application/json; ${'x'.repeat(300)}`],
    [''],
  ])('of type %s is 415', async (type) => {
    const connection = new RawConnection(site.port);
    const answer = await connection.ask(
      `POST /bodies HTTP/1.1\r\nhost: x\r\n${type && `content-type: ${type}\r\n`}content-length: 2\r\n\r\n{}`,
    );
    expect(answer?.status).toBe(415);
    // The next request on the connection is right.
    expect((await connection.ask('GET /odd HTTP/1.1\r\nhost: x\r\n\r\n'))?.status).toBe(204);
    connection.close();
  });

  it('that is compressed is refused: what it becomes has no bound', async () => {
    expect((await send('/bodies', 'POST', '{}', { ...json, 'content-encoding': 'gzip' })).status).toBe(415);
  });

  it('is at most as large as the method says, by its length or as it comes', async () => {
    expect(await (await send('/bodies', 'PUT', '0123456789', {})).json()).toEqual({ text: '0123456789' });
    const long = await send('/bodies', 'PUT', '01234567890', {});
    expect(long.status).toBe(413);
    expect(long.headers.get('connection')).toBe('close');
    const connection = new RawConnection(site.port);
    const huge = await connection.ask(
      'POST /bodies HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10000000000\r\n\r\n',
    );
    expect(huge?.status).toBe(413);
    connection.close();
    const chunked = new RawConnection(site.port);
    chunked.send('PUT /bodies HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const endless = setInterval(() => chunked.send('a\r\n0123456789\r\n'), 5);
    expect((await chunked.next())?.status).toBe(413);
    clearInterval(endless);
    chunked.close();
  });

  it('is streamed where it is large, and what is left of it is dropped', async () => {
    const octets = { 'content-type': 'application/octet-stream' };
    const small = await send('/bodies', 'PATCH', 'x'.repeat(300_000), octets);
    expect(await small.json()).toEqual({ length: 300_000 });
    const half = await send('/bodies', 'PATCH', 'x'.repeat(900_000), octets);
    expect(half.status).toBe(200);
    expect((await send('/bodies', 'PATCH', 'x', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await send('/bodies', 'PATCH', 'x'.repeat(1_000_001), octets)).status).toBe(413);
  });

  it('is asked for by 100 Continue only where it is wanted', async () => {
    const connection = new RawConnection(site.port);
    const head = (path: string, more = '') =>
      `PUT ${path} HTTP/1.1\r\nhost: x\r\n${more}content-type: application/json\r\ncontent-length: 12\r\nexpect: 100-continue\r\n\r\n`;
    expect((await connection.ask(head('/notes/8')))?.status).toBe(100);
    expect((await connection.ask('{"body":"x"}'))?.status).toBe(201);
    const refused = await connection.ask(head('/notes/a'));
    expect(refused?.status).toBe(404);
    expect(refused?.headers.get('connection')).toBe('close');
    connection.close();
  });

  it('that breaks off runs nothing', async () => {
    const connection = new RawConnection(site.port);
    connection.send(
      'PUT /notes/9 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    );
    connection.close();
    expect((await send('/notes/7', 'PUT', '{"body":"x"}')).status).toBe(201);
    expect(runs).toBe(1);
  });
});

describe('an answer', () => {
  it('is nothing, a redirect, or a Response whose framing is ours', async () => {
    expect((await ask('/odd')).status).toBe(204);
    const away = await ask('/odd?what=redirect');
    expect([away.status, away.headers.get('location')]).toEqual([307, '/else']);
    const framing = await ask('/odd?what=framing');
    expect(await framing.text()).toBe('four');
    expect(framing.headers.get('content-length')).toBe('4');
    expect(framing.headers.get('cache-control')).toBe('no-store');
    const html = await ask('/odd?what=html');
    expect(html.headers.get('content-security-policy')).toContain("script-src 'self'");
  });

  it.each(['throws', 'outside', 'cycle', 'text'])(
    '%s: 500, told by an id, and nothing of the server',
    async (what) => {
      const answer = await ask(`/odd?what=${what}`);
      expect(answer.status).toBe(500);
      const text = await answer.text();
      expect(text).not.toContain('secret');
      const { id } = JSON.parse(text);
      expect(site.log.lines.some((line) => JSON.stringify(line).includes(id))).toBe(true);
      const page = await ask(`/odd?what=${what}`, { headers: { accept: 'text/html,*/*;q=0.8' } });
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(page.status).toBe(500);
    },
  );

  it('that takes too long is 503, and so is one more than may run', async () => {
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => ask('/odd?what=hangs')));
    for (const answer of [first, second, third]) {
      expect(answer?.status).toBe(503);
      expect(answer?.headers.get('retry-after')).toBe('2');
    }
  });

  it('that fails halfway ends the connection, and the next request is right', async () => {
    const answer = await ask('/odd?what=breaks');
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    expect(site.log.lines.map(({ fields }) => String(fields.err))).toContain('Error: halfway');
    expect((await ask('/odd')).status).toBe(204);
  });

  it('whose reader leaves stops, and its handler is told', async () => {
    const told = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const leaving = new AbortController();
    const answer = await ask('/odd?what=endless', { signal: leaving.signal });
    const reader = answer.body!.getReader();
    await reader.read();
    leaving.abort();
    await told;
  });
});

test('an endpoint is kept by no cache, and is no fast path', async () => {
  await send('/notes/7', 'PUT', '{"body":"one"}');
  await ask('/notes/7');
  await held.query("update notes set body = 'two'");
  expect(await (await ask('/notes/7')).json()).toEqual({ id: 7, body: 'two' });
});
