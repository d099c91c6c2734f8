// Behind a real pgbouncer. Its version in Debian knows nothing of prepared statements.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { Database, type DatabaseOptions } from '../../src/data/read/database.ts';
import { page } from '../../src/index.ts';
import { Pgbouncer } from '../support/pgbouncer.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { silent } from '../support/silent.ts';
import { startSite } from '../support/site.ts';

/** More for the long form. */
const REQUESTS = Number(process.env.POOLER_REQUESTS ?? 1000);
const LONG_MS = 30_000 + 20 * REQUESTS;

const keyRecorder = { add: () => {}, untracked: () => {} };
let real: TestDatabase;
let pooler: Pgbouncer;
let sessions: Pgbouncer;
const open: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  real = await testDatabase(`
    create table users (id int primary key, name text);
    insert into users select i, 'user ' || i from generate_series(1, 50) i;
    create schema tenant; create table tenant.users (id int primary key, name text);
    create function leaves() returns text language plpgsql as $$ begin
      perform set_config('search_path', 'tenant', false);
      perform set_config('statement_timeout', '1', false);
      perform pg_advisory_lock(4711);
      return 'left';
    end $$`);
  pooler = await Pgbouncer.start(real.url, { mode: 'transaction' });
  sessions = await Pgbouncer.start(real.url, { mode: 'session', poolSize: 30 });
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(async () => {
  await pooler.close();
  await sessions.close();
  await real.close();
});

function databaseAt(url: string, options: Partial<DatabaseOptions> = {}): Database {
  const database = new Database({ connectionString: url, logger: silent, clock: systemClock, ...options });
  open.push(database);
  return database;
}

const dbOf = (database: Database) =>
  database.readScope({ signal: new AbortController().signal, keyRecorder });

/** Another client of the pooler, with an application of its own. */
async function other(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  open.push({ close: () => client.end() });
  return client;
}

/** What the pooler's connections to the server are like, as other clients find them. */
async function found(client: pg.Client) {
  const { rows } = await client.query(`
    select pg_backend_pid() as pid, current_setting('statement_timeout') as timeout, current_setting('search_path') as path,
           current_setting('default_transaction_read_only') as read_only, current_setting('intervalstyle') as intervals,
           (select count(*)::int from pg_locks where locktype = 'advisory') as locks, current_user as role`);
  return rows[0];
}

const UNTOUCHED = {
  timeout: '0',
  path: '"$user", public',
  read_only: 'off',
  intervals: 'postgres',
  locks: 0,
  role: 'postgres',
};

describe('a pooler in transaction mode', () => {
  it('is found out, and serves reads of many connections over few, none of them prepared by name', async () => {
    const database = databaseAt(pooler.url, { max: 20 });
    const db = dbOf(database);
    const read = async (id: number) => [
      await db.query('select name from users where id = $1', [id]),
      await db.byId('users', id, ['name']),
    ];
    const ids = Array.from({ length: 200 }, (_, i) => (i % 50) + 1);
    for (const [index, rows] of (await Promise.all(ids.map(read))).entries()) {
      const name = `user ${ids[index]}`;
      expect(rows).toEqual([[{ name }], { name }]);
    }
    const client = await other(pooler.url);
    const { rows } = await client.query('select name from pg_prepared_statements');
    expect(rows).toEqual([]);
  });

  it('leaves the connections as they were to its other clients, whatever pages and actions did', async () => {
    const database = databaseAt(pooler.url, { max: 6, statementTimeoutMs: 700 });
    const db = dbOf(database);
    await Promise.all(Array.from({ length: 30 }, () => db.query('select name from users where id = 1')));
    await database.run('select leaves()');
    await db.query('select pg_sleep(5)').catch(({ code }) => expect(code).toBe('E_QUERY_TIMEOUT'));
    await database.transaction((own) => own.execute('update users set name = name where id = 1'));
    await database.transaction((own) => own.query('select 1/0')).catch(() => {});
    const clients = await Promise.all(Array.from({ length: 3 }, () => other(pooler.url)));
    // A transaction each, at the same time: every connection to the server is looked at.
    await Promise.all(clients.map((client) => client.query('begin')));
    const states = await Promise.all(clients.map(found));
    expect(new Set(states.map(({ pid }) => pid)).size).toBe(3);
    for (const { pid: _, ...state } of states) expect(state).toEqual(UNTOUCHED);
    for (const client of clients)
      await client.query('insert into users values (900, $1)', ['x']).then(() => client.query('rollback'));
  });

  it('gives our reads what they need, whatever other clients have left behind', async () => {
    const client = await other(pooler.url);
    // Three connections to the server at most: this reaches each of them.
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        const one = await other(pooler.url);
        await one.query(
          `begin; set search_path = tenant; set intervalstyle = 'iso_8601'; set statement_timeout = 1`,
        );
        await one.query('commit');
      }),
    );
    const rows = await dbOf(databaseAt(pooler.url)).query(
      `select count(*) as users, '1 day'::interval::text as day, pg_sleep(0.05) from users`,
    );
    expect(rows).toMatchObject([{ users: 50, day: '1 day' }]);
    await client.query('set search_path to default');
    await pooler.restart();
  });

  it('sees a write of an action in the next read, and refuses what would change the session of others', async () => {
    const database = databaseAt(pooler.url);
    const db = database.writeScope(new AbortController().signal);
    await db.transaction((own) => own.execute("insert into users values (700, 'new')"));
    expect(await db.byId('users', 700, ['name'])).toEqual({ name: 'new' });
    for (const sql of ["set search_path = 'tenant'", 'listen news', "select set_config('a.b', 'c', false)"]) {
      await expect(db.transaction((own) => own.query(sql))).rejects.toMatchObject({ code: 'E_NOT_LOCAL' });
    }
    await db.transaction(async (own) => {
      await own.query("select set_config('app.user', '7', true)");
      expect(await own.one("select current_setting('app.user') as id")).toEqual({ id: '7' });
    });
    await db.transaction((own) => own.execute('delete from users where id = 700'));
  });

  it('lets an aborted read end by itself: no other client is cancelled in its place', async () => {
    const database = databaseAt(pooler.url, { max: 2, statementTimeoutMs: 1000 });
    const abort = new AbortController();
    const reading = database.readScope({ signal: abort.signal, keyRecorder }).query('select pg_sleep(0.3)');
    const client = await other(pooler.url);
    const theirs = client.query('select pg_sleep(0.5), 1 as whole');
    abort.abort();
    await expect(reading).rejects.toMatchObject({ code: 'E_QUERY_ABORTED' });
    expect((await theirs).rows).toMatchObject([{ whole: 1 }]);
    expect(await dbOf(database).one('select 1 as one')).toEqual({ one: 1 });
  });

  it('may be restarted under load: every read is answered', async () => {
    const database = databaseAt(pooler.url, { max: 10 });
    const db = dbOf(database);
    let failed: unknown;
    let reads = 0;
    let isOver = false;
    const reader = async () => {
      while (!isOver) {
        await db.query('select name from users where id = $1', [(reads++ % 50) + 1]).catch((error) => {
          failed ??= error;
        });
      }
    };
    const readers = Array.from({ length: 8 }, reader);
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
      const from = reads;
      while (reads < from + 200) await new Promise((done) => setImmediate(done));
      await pooler.restart(signal);
    }
    isOver = true;
    await Promise.all(readers);
    expect(failed).toBeUndefined();
    expect(reads).toBeGreaterThan(600);
  });

  it('may be restarted three times under a site that caches nothing: no visitor sees an error', {
    timeout: LONG_MS,
  }, async () => {
    const database = databaseAt(pooler.url, { max: 10 });
    const shown = page({
      params: { id: z.coerce.number() },
      cache: { ttlMs: 0 },
      load: async ({ db, params }) => ({
        row: await db.byId<{ name: string }>('users', params.id),
        rows: await db.query('select count(*) as n from users'),
      }),
      view: ({ row, rows }) => ({ p: `${row?.name} of ${JSON.stringify(rows)}` }),
    });
    const site = await startSite({ pages: { 'users/[id]': shown }, readScopes: database });
    open.push({ close: () => site.close() });
    const counts = new Map<number, number>();
    let asked = 0;
    const visitor = async () => {
      while (asked < REQUESTS) {
        const id = (asked++ % 50) + 1;
        const response = await fetch(`${site.origin}/users/${id}`);
        counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
        const html = await response.text();
        if (response.status === 200) expect(html).toContain(`user ${id} of`);
      }
    };
    const visitors = Array.from({ length: 8 }, visitor);
    for (const part of [1, 2, 3]) {
      await vi.waitUntil(() => asked >= (REQUESTS * part) / 4, { timeout: LONG_MS });
      await pooler.restart(part === 2 ? 'SIGKILL' : 'SIGTERM');
    }
    await Promise.all(visitors);
    expect(Object.fromEntries(counts)).toEqual({ 200: REQUESTS });
  });

  it('is used as one where the settings say so, also without one', async () => {
    const db = dbOf(databaseAt(real.url, { pooler: 'transaction' }));
    expect(await db.one('select count(*) as n from users')).toEqual({ n: 50 });
    expect(await db.query('select 1 from pg_prepared_statements')).toEqual([]);
    expect(await db.one("select current_setting('default_transaction_read_only') as it")).toEqual({
      it: 'off',
    });
  });
});

describe('a pooler in session mode', () => {
  it('serves reads and actions', async () => {
    const database = databaseAt(sessions.url, { max: 5 });
    const db = dbOf(database);
    const reads = Array.from({ length: 40 }, (_, i) => db.byId('users', i + 1, ['id']));
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 40 }, (_, i) => ({ id: i + 1 })));
    await database.transaction((own) => own.execute('update users set name = name'));
    await sessions.restart();
    expect(await db.one('select 1 as one')).toEqual({ one: 1 });
  });
});

describe('a pooler in statement mode', () => {
  it('cannot be used, and says so', async () => {
    const statements = await Pgbouncer.start(real.url, { mode: 'statement' });
    open.push(statements);
    const db = dbOf(databaseAt(statements.url, { connectTimeoutMs: 500 }));
    await expect(db.query('select 1')).rejects.toThrow(/statement pooling/);
  });
});
