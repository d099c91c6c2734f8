import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { errorPage, fragment, layout, page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { silent } from '../support/silent.ts';
import { type Site, type SiteOptions, startSite } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const open: Site[] = [];
async function site(options: SiteOptions): Promise<Site> {
  const started = await startSite(options);
  open.push(started);
  return started;
}
afterEach(async () => {
  for (const started of open.splice(0)) await started.close();
});

const broken = page({
  load: (): string => {
    throw new Error('the password is swordfish', { cause: new Error('deeper') });
  },
  view: () => 'never',
});
const brokenView = page({
  view: () => ({
    ul: {
      children: [
        () => {
          throw new Error('the list is swordfish');
        },
      ],
    },
  }),
});

describe('a page that fails', () => {
  test.each([
    ['in load', broken],
    ['in view', brokenView],
  ])('%s shows an id and nothing else in production; the log has the rest', async (_where, failing) => {
    const { origin, log } = await site({ pages: { index: failing } });
    const response = await fetch(origin);
    const html = await response.text();
    expect(response.status).toBe(500);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.has('cache-status')).toBe(false);
    expect(html).toContain('id1');
    expect(html).not.toContain('swordfish');
    const [line] = log.lines.filter((line) => line.level === 'error');
    expect(line?.fields).toMatchObject({ id: 'id1', route: '/', status: 500 });
    expect(
      JSON.stringify(
        line?.fields.err,
        Object.getOwnPropertyNames(Error.prototype).concat('message', 'cause'),
      ),
    ).toContain('swordfish');
  });

  test('shows its error and the causes during development, escaped', async () => {
    const { origin } = await site({ showErrors: true, pages: { index: broken } });
    const html = await (await fetch(origin)).text();
    expect(html).toContain('swordfish');
    expect(html).toContain('Caused by: Error: deeper');
  });

  test('is shown in the words of the application, with the status kept', async () => {
    const _error = errorPage({ view: ({ status, id, detail }) => ({ h2: `Oh ${status} ${id} ${detail}` }) });
    const { origin } = await site({ pages: { index: broken, _error } });
    const response = await fetch(origin);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('<h2>Oh 500 id1 undefined</h2>');
  });

  test('is still answered when the error page fails too', async () => {
    const _error = errorPage({
      view: () => {
        throw new Error('again');
      },
    });
    const { origin } = await site({ pages: { index: broken, _error } });
    const response = await fetch(origin);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('reference <code>id1</code>');
  });

  test('is told once, however many waited for it', async () => {
    let fail: (error: Error) => void = () => {};
    const waiting = page({
      load: () => new Promise<string>((_, reject) => (fail = reject)),
      view: () => 'never',
    });
    const { origin, log, server } = await site({ pages: { index: waiting } });
    let arrived = 0;
    const allArrived = new Promise<void>((resolve) => {
      server.http.on('request', () => {
        arrived += 1;
        if (arrived === 4) resolve();
      });
    });
    const asked = [1, 2, 3, 4].map(() => fetch(origin));
    await allArrived;
    fail(new Error('once'));
    const responses = await Promise.all(asked);
    expect(responses.map((response) => response.status)).toEqual([500, 500, 500, 500]);
    expect(log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
  });

  test('that was told of while an older page stood in is shown later under the id that the log has', async () => {
    const clock = new ManualClock();
    const failure = new Error('always this one');
    let broken = false;
    const index = page({
      cache: { ttlMs: 1000, staleWhileRevalidateMs: 0, staleIfErrorMs: 60_000 },
      load: ({ dependsOn }) => {
        dependsOn('rows#1');
        if (broken) throw failure;
        return 'fine';
      },
      view: (text) => text,
    });
    const { origin, log, purge } = await site({ clock, pages: { index } });
    await (await fetch(origin)).text();
    broken = true;
    clock.advance(2000);
    expect((await fetch(origin)).status).toBe(200);
    purge('rows#1');
    const response = await fetch(origin);
    expect(response.status).toBe(500);
    const [, id = ''] = /reference <code>([^<]*)<\/code>/.exec(await response.text()) ?? [];
    expect(id).not.toBe('');
    expect(log.lines.some(({ fields }) => fields.id === id)).toBe(true);
  });

  test('is answered with 503 when it takes too long, and its load is told to stop', async () => {
    let stopped = false;
    const slow = page({
      load: ({ signal }) =>
        new Promise<string>(() => {
          signal.addEventListener('abort', () => {
            stopped = true;
          });
        }),
      view: () => 'never',
    });
    const { origin } = await site({ hardTimeoutMs: 20, pages: { index: slow } });
    const response = await fetch(origin);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(stopped).toBe(true);
  });

  test('has the time limit of its page, where that has one', async () => {
    const hangs = page({
      renderTimeoutMs: 20,
      load: () => new Promise<string>(() => {}),
      view: () => 'never',
    });
    const { origin, log } = await site({ hardTimeoutMs: 600_000, pages: { index: hangs } });
    expect((await fetch(origin)).status).toBe(503);
    expect(log.lines.some(({ fields }) => String(fields.err).includes('within 20 ms'))).toBe(true);
  });

  test('is no failure when whoever asked has left', async () => {
    const left = new AbortController();
    let stopped: () => void = () => {};
    const stop = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const slow = page({
      load: ({ signal }) => {
        signal.addEventListener('abort', () => stopped());
        left.abort();
        return new Promise<string>(() => {});
      },
      view: () => 'never',
    });
    // No timeout may do what the leaving of the visitor should.
    const { origin, log } = await site({ hardTimeoutMs: 600_000, pages: { index: slow } });
    await expect(fetch(origin, { signal: left.signal })).rejects.toThrow();
    await stop;
    // Whatever the first request left behind has happened once another one was answered.
    expect((await fetch(`${origin}/nowhere`)).status).toBe(404);
    expect(log.lines.filter((line) => line.level !== 'debug')).toEqual([]);
  });

  test('is not kept when it was stopped half-way and pretends to be complete', async () => {
    let renders = 0;
    const half = page({
      load: async ({ signal }) => {
        renders += 1;
        if (renders > 1) return 'whole';
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return 'half';
      },
      view: (text) => ({ p: text }),
    });
    const { origin } = await site({ hardTimeoutMs: 20, pages: { index: half } });
    expect((await fetch(origin)).status).toBe(503);
    const next = await fetch(origin);
    expect(next.headers.get('cache-status')).toBe('coherent; fwd=uri-miss; stored');
    expect(await next.text()).toContain('<p>whole</p>');
  });
});

describe('a database that is down', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let pool: Database;

  beforeAll(async () => {
    database = await testDatabase(
      `CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'Ada'), (2, 'Bo')`,
    );
    const url = new URL(database.url);
    proxy = await TcpProxy.to({ port: Number(url.port) });
    proxy.refuse();
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    pool = new Database({
      connectionString: url.href,
      logger: silent,
      clock: systemClock,
      max: 2,
      connectTimeoutMs: 1000,
    });
  });
  afterAll(async () => {
    await pool.close();
    await proxy.close();
    await database.close();
  });

  test('at the start is answered with 503 until it is there; later, pages from before go on being served', async () => {
    const clock = new ManualClock();
    const user = (staleIfErrorMs: number) =>
      page({
        params: { id: z.coerce.number().int() },
        cache: { ttlMs: 1000, staleWhileRevalidateMs: 0, staleIfErrorMs },
        load: async ({ params, db }) =>
          (await db.byId<{ name: string }>('users', params.id)) ?? { name: 'nobody' },
        view: ({ name }) => ({ p: name }),
      });
    const { origin } = await site({
      readScopes: pool,
      clock,
      pages: { 'kept/[id]': user(60_000), 'strict/[id]': user(0) },
    });
    const get = async (path: string) => {
      const response = await fetch(`${origin}${path}`);
      return { response, html: await response.text() };
    };

    const before = await get('/kept/1');
    expect(before.response.status).toBe(503);
    expect(before.response.headers.get('retry-after')).toBe('2');

    proxy.refuse(false);
    clock.advance(1000);
    expect((await get('/kept/1')).html).toContain('<p>Ada</p>');
    expect((await get('/strict/1')).html).toContain('<p>Ada</p>');

    proxy.refuse();
    expect((await get('/kept/1')).response.headers.get('cache-status')).toContain('hit; ttl=1');
    clock.advance(5000);
    const stale = await get('/kept/1');
    expect(stale.response.status).toBe(200);
    expect(stale.html).toContain('<p>Ada</p>');
    expect(stale.response.headers.get('cache-status')).toMatch(
      /^coherent; hit; ttl=-4; detail=L1-STALE-IF-ERROR$/,
    );
    expect((await get('/strict/1')).response.status).toBe(503);
    expect((await get('/kept/2')).response.status).toBe(503);

    proxy.refuse(false);
    clock.advance(1000);
    expect((await get('/kept/2')).html).toContain('<p>Bo</p>');
  });
});

describe('a layout with a fragment in it', () => {
  let version = 1;
  let failing = false;
  let hangs = false;
  const Nav = fragment('nav', {
    key: () => 0,
    load: ({ dependsOn }) => {
      dependsOn('nav#1');
      if (failing) throw new Error('no rows');
      return hangs ? new Promise<number>(() => {}) : version;
    },
    view: (shown) => ({ nav: `nav ${shown}` }),
  });
  const _layout = layout({ view: ({ content }) => [Nav({}), { main: { children: [content] } }] });
  const _error = errorPage({ view: ({ status }) => ({ h2: `Oh ${status}` }) });
  const pages = {
    _layout,
    _error,
    index: broken,
    fine: page({ view: () => 'fine' }),
    numbers: page({ query: { n: z.coerce.number() }, view: () => 'n' }),
    down: page({
      load: (): string => {
        throw Object.assign(new Error('down'), { code: 'E_DATABASE_DOWN' });
      },
      view: () => 'never',
    }),
  };
  const start = () => {
    version = 1;
    failing = false;
    hangs = false;
    return site({ pages, fragmentCache: true });
  };
  const get = async (address: string) => {
    const response = await fetch(address);
    return `${response.status} ${/<body>(.*)<\/body>/.exec(await response.text())?.[1]}`;
  };

  test('stands around the pages for failures, and is as fresh there as anywhere', async () => {
    const { origin, purge, log } = await start();
    expect(await get(`${origin}/numbers?n=x`)).toContain('400 <nav>nav 1</nav><main><h2>Oh 400</h2></main>');
    expect(await get(origin)).toBe('500 <nav>nav 1</nav><main><h2>Oh 500</h2></main>');
    expect(await get(`${origin}/down`)).toBe('503 <nav>nav 1</nav><main><h2>Oh 503</h2></main>');
    version = 2;
    purge('nav#1');
    expect(await get(`${origin}/down`)).toBe('503 <main><h2>Oh 503</h2></main>');
    expect(await get(origin)).toBe('500 <nav>nav 2</nav><main><h2>Oh 500</h2></main>');
    expect(await get(`${origin}/down`)).toBe('503 <nav>nav 2</nav><main><h2>Oh 503</h2></main>');
    expect(log.lines.filter(({ message }) => message.includes('failed itself'))).toEqual([]);
  });

  test('is shown without it where it fails or takes too long', async () => {
    const { origin, log } = await start();
    failing = true;
    expect(await get(origin)).toBe('500 <main><h2>Oh 500</h2></main>');
    expect(log.lines.some(({ message }) => message.includes('was left out'))).toBe(true);
    failing = false;
    hangs = true;
    expect(await get(origin)).toBe('500 <main><h2>Oh 500</h2></main>');
  });

  test('is left out of the page that is kept for all who are refused, which no purge would reach', async () => {
    const { origin, renderer } = await start();
    expect(await get(`${origin}/fine`)).toContain('nav 1');
    const refused = await renderer.failure({ status: 503, id: 'x', detail: undefined, shed: true }, []);
    expect(refused.identity.toString()).toContain('<body><main><h2>Oh 503</h2></main></body>');
  });
});
