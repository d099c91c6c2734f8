// What one statement does to its session, the next one does not find.
import { loadModule } from 'libpg-query';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LogLines } from '../../../test/support/log-lines.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { FollowedSchema } from '../record/followed-schema.ts';
import { Database, type DatabaseOptions } from './database.ts';

/** The machine's, and as much further as is wished. */
class ShiftedClock implements Clock {
  shiftMs = 0;
  readonly now = systemClock.now;
  readonly after = systemClock.after;
  monotonic(): number {
    return systemClock.monotonic() + this.shiftMs;
  }
}

const keyRecorder = { add: () => {}, untracked: () => {} };
let real: TestDatabase;
const open: Database[] = [];

beforeAll(async () => {
  await loadModule();
  real = await testDatabase(`
    create table items (id int primary key, name text);
    insert into items values (1, 'public');
    create schema tenant;
    create table tenant.items (id int primary key, name text);
    insert into tenant.items values (1, 'tenant');
    create function goes_to_tenant() returns text language plpgsql as $$ begin
      perform set_config('search_path', 'tenant', false); return 'gone'; end $$;
    create function locks() returns bool language plpgsql as $$ begin
      perform pg_advisory_lock(815); return true; end $$;
    create function prepares() returns bool language plpgsql as $$ begin
      execute 'prepare mine as select 1'; return true; end $$;
    create function holds() returns bool language plpgsql as $$ begin
      execute 'listen news'; execute 'declare held cursor with hold for select 1'; return true; end $$`);
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => real.close());

/** Of one connection, so that each statement meets the session of the one before. */
function database(options: Partial<DatabaseOptions> = {}): Database {
  const schema = new FollowedSchema({ read: (sql) => made.run(sql), publication: null, logger: silent });
  const made = new Database({
    connectionString: real.url,
    logger: silent,
    clock: systemClock,
    max: 1,
    observer: schema,
    ...options,
  });
  open.push(made);
  return made;
}

const dbOf = (one: Database) => one.readScope({ signal: new AbortController().signal, keyRecorder });

const STATE = `select current_setting('search_path') as path, current_user as role, nullif(current_setting('app.x', true), '') as x,
  (select count(*)::int from pg_cursors where is_holdable) as cursors, (select count(*)::int from pg_listening_channels()) as channels,
  (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
  current_setting('default_transaction_read_only') as "readOnly", current_setting('statement_timeout') as timeout,
  (select count(*)::int from pg_prepared_statements where from_sql) as prepared`;

describe('a read', () => {
  it.each([
    'select goes_to_tenant()',
    'select locks()',
    'select holds()',
    "select set_config('role', 'pg_monitor', true), set_config('app.x', 'left', true)",
  ])('leaves its session as it was: %s', async (sql) => {
    const db = dbOf(database());
    const before = await db.one(STATE);
    await db.query(sql);
    expect(await db.one(STATE)).toEqual(before);
    expect(await db.one('select name from items where id = 1')).toEqual({ name: 'public' });
  });

  it.each([
    "select set_config('search_path', 'tenant', false)",
    'select pg_advisory_lock(1)',
    "set search_path = 'tenant'",
    'listen news',
    'discard all',
    'create temp table t (a int)',
    'rollback',
  ])('is refused before it runs where its text says that it would: %s', async (sql) => {
    const db = dbOf(database());
    await expect(db.query(sql)).rejects.toMatchObject({ code: 'E_STATEMENT_REFUSED' });
    expect(await db.one('select name from items where id = 1')).toEqual({ name: 'public' });
  });

  it('cannot end its own transaction to write in the next one', async () => {
    const db = dbOf(database({ observer: undefined as never }));
    await expect(db.query("commit; insert into items values (2, 'x')")).rejects.toThrow();
    await expect(db.query('rollback')).resolves.toBeDefined();
    expect(await db.query('select 1 from items where id = 2')).toEqual([]);
  });
});

describe('a plain statement', () => {
  it('leaves its session as it was when a function in it is replaced by one that changes the session', async () => {
    await real.query(`create function helps() returns text language sql immutable as $$ select 'well' $$`);
    const db = dbOf(database());
    expect(await db.one('select helps()')).toEqual({ helps: 'well' });
    const before = await db.one(STATE);
    await real.query(`create or replace function helps() returns text language sql immutable as $$
      select set_config('search_path', 'tenant', false) || set_config('app.x', 'left', false) $$`);
    await db.one('select helps()');
    expect(await db.one(STATE)).toEqual(before);
  });

  it('is the last of its connection when the server tells of a changed setting: a table became a view', async () => {
    await real.query('create table goods (id int primary key)');
    const one = database();
    const db = dbOf(one);
    await db.query('select id from goods');
    await real.query('drop table goods; create view goods as select 1 as id, goes_to_tenant() as went');
    await db.query('select id, went from goods');
    expect(await db.one('select name from items where id = 1')).toEqual({ name: 'public' });
  });

  it.each(['told', 'not told, after 30 seconds'])(
    'and what no server tells of ends when the schema has changed: %s',
    async (how) => {
      await real.query(
        'drop view if exists wares; drop table if exists wares; create table wares (id int primary key)',
      );
      const clock = new ShiftedClock();
      const one = database({ clock });
      const db = dbOf(one);
      await db.query('select id from wares');
      await real.query(
        `drop table wares; create view wares as select 1 as id, set_config('app.x', 'left', false) as was`,
      );
      await db.query('select id, was from wares');
      expect(await db.one(STATE)).toMatchObject({ x: 'left' });
      if (how === 'told') one.schemaChanged();
      else clock.shiftMs = 31_000;
      expect(await db.one(STATE)).toMatchObject({ x: null, readOnly: 'on', path: '"$user", public' });
    },
  );

  it('is no transaction that the server counts as rolled back', async () => {
    const db = dbOf(database());
    const rolledBack = async () => {
      const [row] = await real.query<{ n: string }>(
        'select xact_rollback as n from pg_stat_database where datname = current_database()',
      );
      return Number(row?.n);
    };
    await db.one('select name from items where id = 1');
    const before = await rolledBack();
    for (let i = 0; i < 20; i++) await db.one('select name from items where id = 1');
    await db.query('select pg_stat_force_next_flush()');
    expect((await rolledBack()) - before).toBeLessThan(10);
  });
});

describe('a transaction', () => {
  it.each([
    "set search_path = 'tenant'",
    "select set_config('app.x', 'left', false)",
    'set role pg_monitor',
    'set session authorization pg_monitor',
    'set default_transaction_read_only = off',
    'listen news',
    'prepare mine as select 1',
    'select prepares()',
    'select pg_advisory_lock(4)',
    'create temp table items (id int, name text)',
    'deallocate all',
  ])('may do it, and its connection is as new for the next: %s', async (sql) => {
    const one = database();
    const db = dbOf(one);
    await db.one('select name from items where id = 1');
    const before = await db.one(STATE);
    await one.transaction((own) => own.query(sql));
    await one.transaction((own) => own.query(sql).then(() => own.query('select 1 / 0'))).catch(() => {});
    expect(await db.one(STATE)).toEqual(before);
    expect(await db.one('select name from items where id = 1')).toEqual({ name: 'public' });
    await expect(db.query("insert into items values (3, 'x')")).rejects.toThrow();
  });
});

describe('the search_path', () => {
  it('stays the one that names were resolved with when that of the database changes, and the log says so', async () => {
    const log = new LogLines();
    const one = database({ logger: log, idleTimeoutMs: 1, max: 2 });
    const db = dbOf(one);
    const name = () => db.one('select name from items where id = 1');
    const { id } = { id: real.name };
    expect(await name()).toEqual({ name: 'public' });
    await real.query(`alter database ${id} set search_path = tenant, public`);
    while (one.counts.total > 0) await new Promise((done) => setTimeout(done, 1));
    expect(await name()).toEqual({ name: 'public' });
    expect(await one.tables.find('items')).toMatchObject({ keyName: 'items' });
    const told = log.lines.filter(({ message }) => message.includes('search_path'));
    expect(told).toMatchObject([{ fields: { now: 'tenant, public' } }]);
    const later = database();
    expect(await dbOf(later).one('select name from items where id = 1')).toEqual({ name: 'tenant' });
    expect(await later.tables.find('items')).toMatchObject({ keyName: 'tenant/items' });
    await real.query(`alter database ${id} reset search_path`);
  });
});
