// What is made of a read that failed, or that nothing waited for, is never kept as if it had succeeded.
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { FollowedSchema } from '../../src/data/record/followed-schema.ts';
import { fragment, page } from '../../src/index.ts';
import type { LoadContext } from '../../src/page/definitions/page.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { silent } from '../support/silent.ts';
import { type Site, startSite } from '../support/site.ts';

let real: TestDatabase;
let database: Database;
const open: Site[] = [];

beforeAll(async () => {
  real = await testDatabase(`
    create table comments (id int primary key, body text);
    create table prices (id int primary key, amount text);
    insert into comments values (1, 'first');
    insert into prices values (1, 'seven')`);
  const schema = new FollowedSchema({
    read: (sql) => database.run(sql),
    publication: null,
    logger: silent,
  });
  database = new Database({
    connectionString: real.url,
    logger: silent,
    clock: systemClock,
    max: 3,
    connectTimeoutMs: 300,
    statementTimeoutMs: 200,
    observer: schema,
  });
});
afterEach(async () => {
  for (const site of open.splice(0)) await site.close();
});
afterAll(async () => {
  await database.close();
  await real.close();
});

type Load = (context: LoadContext<never, never>) => unknown;
const JSON_VIEW = (props: unknown) => ({ p: JSON.stringify(props) });
const LONG = { ttlMs: 600_000, staleWhileRevalidateMs: 0 } as const;

async function siteOf(pages: Readonly<Record<string, unknown>>) {
  const clock = new ManualClock();
  const site = await startSite({ pages, readScopes: database, clock, fragmentCache: true });
  open.push(site);
  const get = async (path = '/') => {
    const response = await fetch(`${site.origin}${path}`);
    const html = await response.text();
    const { headers, status } = response;
    return { status, html, cache: headers.get('cache-status'), control: headers.get('cache-control') };
  };
  return { ...site, clock, get };
}

const siteWith = (load: Load, cache: object = LONG) =>
  siteOf({ index: page({ cache, load: load as never, view: JSON_VIEW }) });

/** Every kind of read that fails: a lock that is not given up in time, a wrong value, a name that is not there. */
const FAILING: Readonly<Record<string, (context: LoadContext<never, never>) => Promise<unknown>>> = {
  'a cast that the value does not take': ({ db }) => db.query('select amount::int from prices'),
  'a table that is not there': ({ db }) => db.query('select * from nowhere'),
  'a statement that ran for too long': ({ db }) => db.query('select pg_sleep(5)'),
  'one() of a statement that fails': ({ db }) => db.one('select 1 / (id - 1) from comments'),
  'byId of an unknown table': ({ db }) => db.byId('nowhere', 1),
  'byId of an unknown column': ({ db }) => db.byId('comments', 1, ['nothing']),
  'paginate of an unknown table': ({ db }) =>
    db.paginate({ table: 'nowhere', columns: ['id'], orderBy: [{ column: 'id' }], pageSize: 5, page: 1 }),
  'an include of an unknown table': ({ db }) =>
    db.paginate({
      table: 'comments',
      columns: ['id'],
      orderBy: [{ column: 'id' }],
      pageSize: 5,
      page: 1,
      include: { more: { table: 'nowhere', columns: ['id'], kind: 'many', by: 'id' } },
    }),
  'a fetch that finds nobody': ({ fetch }) => fetch('http://127.0.0.1:1/'),
};

/** The ways in which a page lives on without what it read. */
const SWALLOWING: Readonly<Record<string, (read: Promise<unknown>) => unknown>> = {
  catch: (read) => read.catch(() => []),
  'Promise.allSettled': async (read) => (await Promise.allSettled([read])).length,
  'not awaiting it': (read) => {
    void read;
    return 'went on';
  },
};

describe('a page that lives on without a read', () => {
  for (const [kind, read] of Object.entries(FAILING)) {
    for (const [way, swallow] of Object.entries(SWALLOWING)) {
      it(`stands in for a failure: ${kind}, by ${way}`, async () => {
        const { get, clock, log } = await siteWith((context) => swallow(read(context)));
        const first = await get();
        expect(first).toMatchObject({ status: 200, control: 'no-store' });
        expect(first.cache).toMatch(/fwd=uri-miss; stored; detail=STAND-IN$/);
        expect((await get()).cache).toMatch(/^coherent; hit; ttl=[12]; detail=L1-STAND-IN$/);
        clock.advance(2001);
        expect((await get()).cache).toContain('fwd=uri-miss');
        const told = log.lines.filter(({ message }) => message.includes('kept for 2 s at most'));
        // Twice rendered, told once.
        expect(told).toHaveLength(1);
        expect(told[0]?.fields).toMatchObject({ where: '/', read: expect.any(String) });
      });
    }
  }

  it('is no stand-in when every read succeeded, or when only the input was wrong', async () => {
    const { get } = await siteWith(async ({ db }) => {
      const list = { table: 'comments', columns: ['id'], orderBy: [{ column: 'id' }], pageSize: 5 };
      return [
        await db.query('select body from comments'),
        await db.byId('comments', 'abc'),
        await db.paginate({ ...list, after: 'nonsense' }).catch(() => 'the top'),
      ];
    });
    expect((await get()).cache).toBe('coherent; fwd=uri-miss; stored');
    expect((await get()).cache).toMatch(/ttl=600; detail=L1$/);
  });

  it('is purged by what the read would have read', async () => {
    const { get, purge } = await siteWith(({ db }) =>
      db.query('select 1 / (id - id) from comments where id = $1', [1]).catch(() => []),
    );
    await get();
    expect((await get()).cache).toContain('hit');
    purge('comments#1');
    expect((await get()).cache).toContain('fwd=uri-miss');
  });

  it('stands in for a failure when no connection was free', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const busy = [1, 2, 3].map(() => database.transaction(() => held));
    await vi.waitUntil(() => database.counts.idle === 0 && database.counts.total === 3);
    const { get } = await siteWith(({ db }) => db.query('select 1').catch(({ code }) => code));
    const { html, cache } = await get();
    expect(html).toContain('E_DATABASE_BUSY');
    expect(cache).toContain('STAND-IN');
    release();
    await Promise.all(busy);
  });

  it('counts an answer of 503 as a failure of fetch, and one of 404 as an answer', async () => {
    const server = createServer((request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      response.end('{');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const at = (path: string) => `http://127.0.0.1:${typeof address === 'object' && address?.port}/${path}`;
    const of = (load: Load) => page({ cache: LONG, load: load as never, view: JSON_VIEW });
    const { get } = await siteOf({
      down: of(async ({ fetch }) => (await fetch(at('503'))).ok),
      gone: of(async ({ fetch }) => (await fetch(at('404'))).ok),
      broken: of(async ({ fetch }) => (await fetch(at('200'))).json().catch(() => null)),
    });
    expect((await get('/down')).cache).toContain('STAND-IN');
    expect((await get('/broken')).cache).toContain('STAND-IN');
    expect((await get('/gone')).cache).not.toContain('STAND-IN');
    server.close();
  });
});

describe('a fragment that lives on without a read', () => {
  it('makes every page around it a stand-in, also where it comes out of the cache', async () => {
    const Side = fragment('side', {
      key: (props: { id: number }) => props.id,
      load: ({ db }) => db.query('select * from nowhere').catch(() => []),
      view: () => ({ i: 'side' }),
      cache: { ttlMs: 600_000 },
    });
    const around = page({ cache: LONG, view: () => ({ p: [Side({ id: 1 })] }) });
    const { get, clock } = await siteOf({ index: around, other: around });
    expect((await get()).cache).toContain('STAND-IN');
    expect((await get('/other')).cache).toContain('STAND-IN');
    clock.advance(2001);
    expect((await get()).cache).toContain('fwd=uri-miss');
  });
});

describe('a page of which an older, complete version is held', () => {
  it('is answered with that, as for any failure, and the incomplete one is kept nowhere', async () => {
    let fails = false;
    const { get, clock } = await siteWith(
      ({ db }) =>
        fails ? db.query('select * from nowhere').catch(() => 'none') : db.query('select body from comments'),
      { ttlMs: 1000, staleWhileRevalidateMs: 0, staleIfErrorMs: 60_000 },
    );
    expect((await get()).html).toContain('first');
    fails = true;
    clock.advance(1500);
    const instead = await get();
    expect(instead.html).toContain('first');
    expect(instead.cache).toContain('STALE-IF-ERROR');
  });

  it('stays stale when it is made again in the background, until a render is complete', async () => {
    let fails = false;
    const { get, clock, log } = await siteWith(
      ({ db }) =>
        fails ? db.query('select * from nowhere').catch(() => 'none') : db.query('select body from comments'),
      { ttlMs: 1000, staleWhileRevalidateMs: 60_000 },
    );
    await get();
    fails = true;
    clock.advance(1500);
    expect((await get()).cache).toContain('STALE');
    await vi.waitUntil(() => log.lines.some(({ message }) => message.includes('background render failed')));
    expect((await get()).html).toContain('first');
    fails = false;
    await vi.waitUntil(async () => (await get()).cache?.endsWith('detail=L1'));
  });
});
