import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { systemClock } from '../../core/clock.ts';
import type { KeyRecorder } from '../../core/validity.ts';
import type { Db } from '../db.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { MAX_NAMES } from './names.ts';

const keyRecorder: KeyRecorder = { add: () => {}, untracked: () => {} };
let real: TestDatabase;
const opened: Database[] = [];

function open(options: Partial<DatabaseOptions> = {}): Database {
  const database = new Database({
    connectionString: real.url,
    logger: silent,
    clock: systemClock,
    ...options,
  });
  opened.push(database);
  return database;
}

function sessionOf(database: Database, signal = new AbortController().signal): Db {
  return database.readScope({ signal, keyRecorder });
}

/** Waits until `is` holds; the test's own time limit ends it. */
async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((done) => setImmediate(done));
}

/** Statements of `database` that run in the server now. */
async function running(marker: string): Promise<number[]> {
  const rows = await real.query<{ pid: number }>(
    "select pid from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()",
    [`%${marker}%`],
  );
  return rows.map(({ pid }) => pid);
}

beforeAll(async () => {
  real = await testDatabase(
    "create table users (id int primary key, name text); insert into users values (1, 'Ada'), (2, 'Grace')",
  );
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});
afterAll(() => real.close());

describe('reading', () => {
  test('query, many and one give rows as objects', async () => {
    const db = sessionOf(open());
    expect(await db.query('select name from users where id = $1', [1])).toEqual([{ name: 'Ada' }]);
    expect(await db.many('select id from users order by id')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await db.one('select name from users where id = $1', [9])).toBeNull();
    await expect(db.one('select id from users')).rejects.toMatchObject({ code: 'E_TOO_MANY_ROWS' });
  });

  test('values arrive as values.ts says', async () => {
    const row = await sessionOf(open()).one(`
      select (select count(*) from users) as count, 9007199254740993::int8 as big, 1.10::numeric as price,
             '2026-02-03'::date as day, '2026-02-03 04:05:06.789'::timestamp as local,
             '2026-02-03T04:05:06.789Z'::timestamptz as moment, '{"a":[1]}'::jsonb as json,
             array[1, 9007199254740993]::int8[] as bigs, array['2026-02-03'::date, null] as days`);
    expect(row).toEqual({
      count: 2,
      big: 9007199254740993n,
      price: '1.10',
      day: '2026-02-03',
      local: new Date('2026-02-03T04:05:06.789Z'),
      moment: new Date('2026-02-03T04:05:06.789Z'),
      json: { a: [1] },
      bigs: [1, 9007199254740993n],
      days: ['2026-02-03', null],
    });
  });

  test('a Date as a parameter is the same moment and the same wall time in every time zone', async () => {
    const date = new Date('2026-07-01T12:00:00.000Z');
    const row = await sessionOf(open()).one(
      'select $1::timestamptz as a, $1::timestamp as b, $2::timestamp[] as c',
      [date, [date]],
    );
    expect(row).toEqual({ a: date, b: date, c: [date] });
  });

  test('a refused statement is E_QUERY with the code of Postgres and no parameter in it', async () => {
    const error = await sessionOf(open())
      .query('select * from missing where x = $1', ['secret'])
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_QUERY', sqlState: '42P01' });
    expect(String(error)).not.toContain('secret');
  });

  test('a value that the type cannot hold is E_BAD_VALUE, and the connection goes on', async () => {
    const database = open({ max: 1 });
    const db = sessionOf(database);
    for (const id of ['abc', '9223372036854775808']) {
      await expect(db.query('select 1 from users where id = $1', [id])).rejects.toMatchObject({
        code: 'E_BAD_VALUE',
      });
    }
    expect(await db.query('select name from users where id = $1', [2])).toEqual([{ name: 'Grace' }]);
  });

  test('a page cannot write, not even through a function or a CTE', async () => {
    const db = sessionOf(open());
    for (const sql of [
      "insert into users values (3, 'x')",
      'with gone as (delete from users returning id) select * from gone',
      'select * from users for update',
    ]) {
      await expect(db.query(sql)).rejects.toMatchObject({ code: 'E_READ_ONLY' });
    }
  });

  test('what the observer does with a statement is done before its rows are handed out', async () => {
    const seen: unknown[] = [];
    const database = open({
      observer: {
        onStatement: async (sql, params, result, to) => {
          await new Promise((done) => setImmediate(done));
          seen.push([sql, params, result.rows, result.fields.map(({ name }) => name), to === keyRecorder]);
        },
      },
    });
    await sessionOf(database).query('select id from users where id = $1', [1]);
    expect(seen).toEqual([['select id from users where id = $1', [1], [{ id: 1 }], ['id'], true]]);
  });
});

describe('prepared statements', () => {
  test('a text is prepared once per connection under one name', async () => {
    const db = sessionOf(open({ max: 1 }));
    for (const id of [1, 2, 3]) await db.query('select name from users where id = $1', [id]);
    const prepared = await db.query(
      'select name, statement from pg_prepared_statements where statement like $1',
      ['select name from users%'],
    );
    expect(prepared).toHaveLength(1);
  });

  test('a table that changes under its statement is planned afresh, in every connection', async () => {
    await real.query('create table shape (id int)');
    await real.query('insert into shape values (1)');
    const database = open({ max: 2 });
    const db = sessionOf(database);
    const both = () => Promise.all([1, 2].map(() => db.query('select * from shape')));
    expect(await both()).toEqual([[{ id: 1 }], [{ id: 1 }]]);
    expect(database.counts.total).toBe(2);
    await real.query("alter table shape add column extra text default 'new'");
    expect(await both()).toEqual([[{ id: 1, extra: 'new' }], [{ id: 1, extra: 'new' }]]);
    await real.query('alter table shape alter column id type text');
    expect(await both()).toEqual([[{ id: '1', extra: 'new' }], [{ id: '1', extra: 'new' }]]);
  });

  test('a statement that somebody deallocated is prepared again', async () => {
    const database = open({ max: 1 });
    const db = sessionOf(database);
    await db.query('select name from users where id = $1', [1]);
    await db.query('select 1 as nothing from (select) as x where false');
    await database.transaction((transaction) => transaction.query('deallocate all'));
    expect(await db.query('select name from users where id = $1', [1])).toEqual([{ name: 'Ada' }]);
  });

  test('a connection does not pile up plans without end', async () => {
    const database = open({ max: 1 });
    const db = sessionOf(database);
    const pid = async () => (await db.one<{ pid: number }>('select pg_backend_pid() as pid'))?.pid;
    const first = await pid();
    for (let i = 0; i < MAX_NAMES + 1; i++) await db.query(`select ${i} as i`);
    expect(await pid()).not.toBe(first);
    expect((await db.query('select 1 from pg_prepared_statements')).length).toBeLessThan(10);
  });
});

describe('abort', () => {
  test('a statement stops in the server when its render is aborted, and its connection is used again', async () => {
    const database = open({ max: 1 });
    const controller = new AbortController();
    const pid = (await sessionOf(database).one<{ pid: number }>('select pg_backend_pid() as pid'))?.pid;
    const sleeping = sessionOf(database, controller.signal).query('select pg_sleep(60) /* abort-me */');
    await until(async () => (await running('abort-me')).length === 1);
    controller.abort(new Error('the visitor left'));
    await expect(sleeping).rejects.toMatchObject({
      code: 'E_QUERY_ABORTED',
      cause: new Error('the visitor left'),
    });
    await until(async () => (await running('abort-me')).length === 0);
    expect(await sessionOf(database).one('select pg_backend_pid() as pid')).toEqual({ pid });
    expect(database.counts).toMatchObject({ total: 1, idle: 1 });
  });

  test('nothing starts under a signal that has aborted', async () => {
    const database = open();
    await expect(sessionOf(database, AbortSignal.abort()).query('select 1')).rejects.toMatchObject({
      code: 'E_QUERY_ABORTED',
    });
    expect(database.counts.total).toBe(0);
  });

  test('who waits for a connection is told at once too, and does not keep it', async () => {
    const database = open({ max: 1 });
    const holder = new AbortController();
    const held = sessionOf(database, holder.signal).query('select pg_sleep(60) /* holds */');
    await until(async () => (await running('holds')).length === 1);
    const waiter = new AbortController();
    const waiting = sessionOf(database, waiter.signal).query('select 1');
    expect(database.counts.waiting).toBe(1);
    waiter.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'E_QUERY_ABORTED' });
    holder.abort();
    await expect(held).rejects.toMatchObject({ code: 'E_QUERY_ABORTED' });
    expect(await sessionOf(database).one('select 1 as one')).toEqual({ one: 1 });
  });

  test('a late cancel never hits the next statement of that connection', async () => {
    const database = open({ max: 1 });
    for (let round = 0; round < 50; round++) {
      const controller = new AbortController();
      const quick = sessionOf(database, controller.signal).query(
        'select count(*) from generate_series(1, 20000)',
      );
      quick.catch(() => {});
      if (round % 2 === 0) await new Promise((done) => setImmediate(done));
      controller.abort();
      await quick.catch(() => {});
      expect(await sessionOf(database).one('select pg_sleep(0.001), 1 as one')).toMatchObject({ one: 1 });
    }
  });

  test('a transaction that is aborted leaves nothing, and no other finds itself in it', async () => {
    const database = open({ max: 1 });
    const controller = new AbortController();
    const work = database.transaction(async (transaction) => {
      await transaction.query("insert into users values (50, 'half')");
      await transaction.query('select pg_sleep(60) /* in-transaction */');
    }, controller.signal);
    await until(async () => (await running('in-transaction')).length === 1);
    controller.abort();
    await expect(work).rejects.toMatchObject({ code: 'E_QUERY_ABORTED' });
    expect(await sessionOf(database).query('select 1 from users where id = 50')).toEqual([]);
  });

  test('a hundred statements under one signal are one listener on it', async () => {
    const controller = new AbortController();
    const added: string[] = [];
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      added.push(args[0]);
      add(...args);
    };
    const db = sessionOf(open({ max: 5 }), signal);
    await Promise.all(Array.from({ length: 100 }, (_, i) => db.query('select $1::int', [i])));
    expect(added).toEqual(['abort']);
  });
});

describe('connections', () => {
  test('when all are busy the next statement waits its time, then gets E_DATABASE_BUSY', async () => {
    // Also the time to connect, which a busy machine needs.
    const database = open({ max: 2, connectTimeoutMs: 1500 });
    const controller = new AbortController();
    const held = [1, 2].map(() =>
      sessionOf(database, controller.signal).query('select pg_sleep(60) /* full */'),
    );
    for (const one of held) one.catch(() => {});
    await until(async () => (await running('full')).length === 2);
    const waiting = sessionOf(database).query('select 1');
    expect(database.counts).toEqual({ max: 2, total: 2, idle: 0, waiting: 1 });
    await expect(waiting).rejects.toMatchObject({ code: 'E_DATABASE_BUSY' });
    controller.abort();
    await Promise.allSettled(held);
    expect(await sessionOf(database).one('select 1 as one')).toEqual({ one: 1 });
  });

  test('a read whose connection is ended under it is run again on another', async () => {
    const database = open({ max: 1 });
    const reading = sessionOf(database).one('select 7 as seven, pg_sleep(0.3) /* ended-once */');
    await until(async () => (await running('ended-once')).length === 1);
    const [pid] = await running('ended-once');
    await real.query('select pg_terminate_backend($1)', [pid]);
    expect(await reading).toMatchObject({ seven: 7 });
  });

  test('a read that loses its connection twice is E_DATABASE_DOWN', async () => {
    const database = open({ max: 1 });
    const reading = sessionOf(database).one('select pg_sleep(60) /* ended-twice */');
    reading.catch(() => {});
    const gone = new Set<number>();
    await until(async () => {
      for (const pid of await running('ended-twice')) {
        gone.add(pid);
        await real.query('select pg_terminate_backend($1)', [pid]);
      }
      return gone.size === 2;
    });
    await expect(reading).rejects.toMatchObject({ code: 'E_DATABASE_DOWN' });
    expect(await sessionOf(database).one('select 1 as one')).toEqual({ one: 1 });
  });

  test('idle connections that the server ended are dropped, and nothing is thrown', async () => {
    const database = open({ max: 3, applicationName: 'idle-test' });
    const db = sessionOf(database);
    await Promise.all([1, 2, 3].map((i) => db.query('select $1::int, pg_sleep(0.01)', [i])));
    await real.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'idle-test'",
    );
    await until(() => database.counts.total === 0);
    expect(await db.one('select 1 as one')).toEqual({ one: 1 });
  });

  async function proxied(): Promise<{ proxy: TcpProxy; url: string }> {
    const url = new URL(real.url);
    const proxy = await TcpProxy.to({ port: Number(url.port) });
    url.port = String(proxy.port);
    return { proxy, url: url.href };
  }

  test('with the server away every read says E_DATABASE_DOWN at once; when it is back, reads work again', async () => {
    const { proxy, url } = await proxied();
    const database = open({ connectionString: url });
    expect(await sessionOf(database).one('select 1 as one')).toEqual({ one: 1 });
    proxy.refuse();
    for (let i = 0; i < 3; i++) {
      await expect(sessionOf(database).query('select 1')).rejects.toMatchObject({ code: 'E_DATABASE_DOWN' });
    }
    proxy.refuse(false);
    expect(await sessionOf(database).one('select 1 as one')).toEqual({ one: 1 });
    await proxy.close();
    await expect(sessionOf(database).query('select 1')).rejects.toMatchObject({ code: 'E_DATABASE_DOWN' });
  });

  test('over a network gone silent an aborted read is let go at once, and its connection is closed', async () => {
    const { proxy, url } = await proxied();
    const database = open({ connectionString: url, max: 1 });
    await sessionOf(database).query('select 1');
    proxy.silence();
    const controller = new AbortController();
    const reading = sessionOf(database, controller.signal).query('select 1');
    await new Promise((done) => setImmediate(done));
    controller.abort();
    await expect(reading).rejects.toMatchObject({ code: 'E_QUERY_ABORTED' });
    await until(() => database.counts.total === 0);
    proxy.silence(false);
    expect(await sessionOf(database).one('select 1 as one')).toEqual({ one: 1 });
    await database.close();
    await proxy.close();
  });

  test('a server that takes connections and says nothing is E_DATABASE_DOWN after the connect timeout', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => sockets.add(socket));
    await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done));
    const address = mute.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const database = open({ connectionString: `postgres://x:y@127.0.0.1:${port}/z`, connectTimeoutMs: 100 });
    await expect(sessionOf(database).query('select 1')).rejects.toMatchObject({ code: 'E_DATABASE_DOWN' });
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => mute.close(done));
  });

  test('the pool shrinks to what the server allows all workers together, and the log says so', async () => {
    const warnings: string[] = [];
    const logger = { ...silent, warn: (_: object, message: string) => void warnings.push(message) };
    // On a busy machine even this statement may be slow enough for a warning of its own.
    const database = open({ workers: 50, logger, slowQueryMs: 60_000 });
    await sessionOf(database).query('select 1');
    expect(database.counts.max).toBe(3); // (200 - 3 reserved - 5 spare) / 50
    expect(warnings).toEqual([expect.stringContaining('50 workers with 20 database connections')]);
  });
});

describe('limits', () => {
  test('a statement that runs too long is stopped by the server', async () => {
    const database = open({ statementTimeoutMs: 50 });
    await expect(sessionOf(database).query('select pg_sleep(60)')).rejects.toMatchObject({
      code: 'E_QUERY_TIMEOUT',
    });
  });

  test('slow queries are kept with their text cut and without parameters, the newest of a bounded number', async () => {
    const heard: string[] = [];
    const database = open({
      slowQueryMs: 0,
      clock: systemClock,
      onSlowQuery: ({ text }) => heard.push(text),
    });
    const db = sessionOf(database);
    await db.query(`select $1::text as secret, ${'now(), '.repeat(60)}1 as long`, ['hunter2']);
    const [query] = database.slow.list();
    expect(query?.text).toHaveLength(200);
    expect(JSON.stringify(database.slow.list())).not.toContain('hunter2');
    expect(heard).toEqual([query?.text]);
    for (let i = 0; i < 120; i++) await db.query('select 1');
    expect(database.slow.list()).toHaveLength(100);
    expect(database.slow.count).toBe(121);
  });

  test('a quick query is not a slow one', async () => {
    const database = open({ clock: new ManualClock() });
    await sessionOf(database).query('select 1');
    expect(database.slow.list()).toEqual([]);
  });
});

describe('transactions', () => {
  test('commit keeps everything, an error keeps nothing', async () => {
    const database = open({ max: 1 });
    const count = await database.transaction((transaction) =>
      transaction.execute("insert into users values (60, 'kept')"),
    );
    expect(count).toBe(1);
    const failing = database.transaction(async (transaction) => {
      await transaction.query("insert into users values (61, 'lost')");
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await sessionOf(database).query('select id from users where id >= 60')).toEqual([{ id: 60 }]);
    await database.transaction((transaction) => transaction.query('delete from users where id >= 60'));
  });

  test('an error that the work swallowed is not a commit', async () => {
    const database = open({ max: 1 });
    const work = database.transaction(async (transaction) => {
      await transaction.query("insert into users values (62, 'lost')");
      await transaction.query('select 1 / 0').catch(() => {});
    });
    await expect(work).rejects.toMatchObject({ code: 'E_QUERY' });
    expect(await sessionOf(database).query('select 1 from users where id = 62')).toEqual([]);
  });
});
