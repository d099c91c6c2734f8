import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogKey } from '../../src/data/feed/definitions.ts';
import { operandsKey, schemaKey } from '../../src/data/keys/keys.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { type RecordingBus, settled, startFeed, type TestFeed, trackedTables } from './fixture.ts';

describe('the change feed and definitions that change', () => {
  let database: TestDatabase;
  let running: TestFeed;
  let bus: RecordingBus;

  beforeEach(async () => {
    database = await testDatabase(`
      create table users (id int primary key, name text);
      create table nopk (a int, b int);
      create view names as select name from users;
      insert into users values (1, 'one');
      insert into nopk values (1, 1);`);
    await database.query('set synchronous_commit = on');
    running = await startFeed(database.url);
    bus = running.bus;
    await until(async () => (await trackedTables(database)).includes('users'));
    await settled(database, bus);
    bus.forget();
  });
  afterEach(async () => {
    await running?.feed.close();
    await database?.close();
  });

  const another = async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    return client;
  };

  it('purges the table, and tells everybody to look again, when a column is added', async () => {
    await database.query("alter table users add column country text default 'de'");
    await settled(database, bus);
    expect(bus.keys).toContain('users');
    expect(bus.keys).toContain(catalogKey);
  });

  it('purges a view that is replaced and a function that is redefined', async () => {
    await database.query(
      'create function twice(int) returns int language sql immutable as $$ select $1 * 2 $$',
    );
    await settled(database, bus);
    bus.forget();
    await database.query('create or replace view names as select upper(name) as name from users');
    await settled(database, bus);
    expect(bus.keys).toContain('names');
    bus.forget();
    await database.query(
      'create or replace function twice(int) returns int language sql immutable as $$ select $1 * 3 $$',
    );
    await settled(database, bus);
    expect(bus.keys).toContain('twice()');
  });

  it('names what comes after a change of definition by the new catalog snapshot', async () => {
    await database.query('alter table users rename to people');
    await database.query("update people set name = 'two' where id = 1");
    await settled(database, bus);
    expect(bus.keys).toContain('people#1');
  });

  it('has everybody look again after a change that was taken back before it could be looked at', async () => {
    await database.query(
      'begin; alter table users rename to people; alter table people rename to users; commit',
    );
    await settled(database, bus);
    expect(bus.keys).toContain('users');
    expect(bus.keys).toContain(catalogKey);
  });

  it.each([
    ['', []],
    [', also where something else has changed since', ['alter table nopk add column c int']],
  ])(
    'knows that an index which came and went may be in a catalog snapshot that somebody took%s',
    async (_, later) => {
      // The feed is held up until all of it has committed.
      bus.failure = new Error('not now');
      await database.query("update users set name = 'two'");
      await until(() => bus.failed > 0);
      await database.query('create index brief on users (name)');
      await database.query('drop index brief');
      for (const sql of later) await database.query(sql);
      bus.failure = undefined;
      await settled(database, bus);
      expect(bus.keys).toContain(catalogKey);
      expect(bus.keys).toContain(schemaKey);
    },
  );

  it('knows that a mapping of a text search which came and went may be in a page', async () => {
    await database.query('create text search configuration mine (parser = default)');
    await settled(database, bus);
    bus.forget();
    bus.failure = new Error('not now');
    await database.query("update users set name = 'two'");
    await until(() => bus.failed > 0);
    await database.query('alter text search configuration mine add mapping for word with simple');
    await database.query('alter text search configuration mine drop mapping for word');
    bus.failure = undefined;
    await settled(database, bus);
    expect(bus.keys).toContain(catalogKey);
    expect(bus.keys).toContain(schemaKey);
  });

  it.each([
    [
      'a setting of the database',
      (name: string) => `alter database ${name} set default_text_search_config = 'simple'`,
    ],
    ['a dictionary', () => 'alter text search dictionary simple (accept = false)'],
    ['a collation', () => 'alter collation "unicode" refresh version'],
  ])('purges everything over %s', async (_, change) => {
    // Databases and roles have no events: they are found by comparing.
    await database.query(change(database.name));
    await until(() => bus.has(schemaKey));
    expect(bus.keys).toContain(catalogKey);
  });

  it('purges a function over the one that another calls, and a table over a type inside of its column', async () => {
    await database.query(`create type mood as enum ('low'); create table days (id int primary key, moods mood[]);
      create function inner_one() returns int language sql immutable as 'select 1';
      create function outer_one() returns int language sql immutable as 'select inner_one()'`);
    await settled(database, bus);
    bus.forget();
    await database.query(
      "create or replace function inner_one() returns int language sql immutable as 'select 2'",
    );
    await settled(database, bus);
    expect(bus.keys).toContain('outer_one()');
    await database.query("alter type mood rename value 'low' to 'down'");
    await settled(database, bus);
    expect(bus.keys).toContain('days');
  });

  it('purges for an operator that Postgres has too those who may mean it now, and not all there is', async () => {
    await database.query(`create extension unaccent;
      create function plus(int[], int) returns int[] language sql immutable as 'select $1';
      create operator + (leftarg = int[], rightarg = int, function = plus)`);
    await settled(database, bus);
    expect(bus.keys).toContain(catalogKey);
    expect(bus.keys).toContain(operandsKey('+', ['_', '?']));
    expect(bus.keys).not.toContain(schemaKey);
    await database.query(`create function same(varchar, varchar) returns bool language sql immutable as 'select true';
      create operator = (leftarg = varchar, rightarg = varchar, function = same)`);
    await until(() => bus.has(schemaKey));
  });

  it('says nothing of temporary tables', async () => {
    await database.query('create temp table scratch (a int); drop table scratch');
    await settled(database, bus);
    expect(bus.keys).not.toContain(catalogKey);
  });

  it('takes a TRUNCATE for what it is: the table is purged, and nobody has to analyse statements anew', async () => {
    await database.query('truncate users');
    await until(() => bus.has('users'));
    // The next look at the catalog finds its rows in another file, which is nothing to tell.
    await settled(database, bus);
    expect(bus.keys).not.toContain(catalogKey);
  });

  it('finds a change that no event told of, and is not fresh before it has', async () => {
    await database.query(
      'alter event trigger coherent_definitions disable; alter event trigger coherent_drops disable',
    );
    await settled(database, bus);
    bus.forget();
    await database.query('alter table users add column quiet text');
    await until(() => bus.has('users'));
    expect(bus.keys).toContain(catalogKey);
  });

  it('never breaks an UPDATE of a table that cannot be followed', async () => {
    await database.query('update nopk set b = 2');
    await database.query('delete from nopk');
    expect(await trackedTables(database)).not.toContain('nopk');
  });

  it('never breaks an UPDATE after the table has lost its identity, in the same transaction either', async () => {
    await database.query('begin');
    await database.query('alter table users drop constraint users_pkey');
    await database.query("update users set name = 'still'");
    await database.query('commit');
    await database.query("update users set name = 'works'");
    await settled(database, bus);
    expect(bus.keys).toContain('users');
    expect(await trackedTables(database)).not.toContain('users');
    await database.query('alter table users add primary key (id)');
    await until(async () => (await trackedTables(database)).includes('users'));
  });

  it('follows a table once it has an identity', async () => {
    await database.query('alter table nopk replica identity full');
    await until(async () => (await trackedTables(database)).includes('nopk'));
    await settled(database, bus);
    bus.forget();
    await database.query('insert into nopk values (5, 5)');
    await settled(database, bus);
    expect(bus.keys).toContain('nopk@rows');
  });

  it('follows a new table, and a new partition of an old one', async () => {
    await database.query('create table days (id int primary key, n int) partition by range (id)');
    await until(
      async () => (await trackedTables(database)).includes('days') || (await published()).includes('days'),
    );
    await settled(database, bus);
    bus.forget();
    await database.query(`create table days_1 partition of days for values from (0) to (10);
      insert into days values (3, 3)`);
    await settled(database, bus);
    expect(bus.keys).toContain('days');
    bus.forget();
    await database.query('update days set n = 4 where id = 3');
    await settled(database, bus);
    expect(bus.keys).toContain('days#3');
  });

  async function published(): Promise<string[]> {
    const rows = await database.query<{ name: string }>(`select c.relname as name from pg_publication_rel r
      join pg_class c on c.oid = r.prrelid join pg_publication p on p.oid = r.prpubid where p.pubname = 'coherent_tracked'`);
    return rows.map(({ name }) => name);
  }

  it('lets nobody rely on a table while a transaction from before it was published is still open', async () => {
    const slow = await another();
    await slow.query('begin');
    await slow.query('select pg_current_xact_id()');
    await database.query('create table late (id int primary key)');
    await until(async () => {
      const rows = await database.query(
        "select 1 from pg_publication_tables where pubname = 'coherent' and tablename = 'late'",
      );
      return rows.length === 1;
    });
    await settled(database, bus);
    expect(await trackedTables(database)).not.toContain('late');
    await slow.query('commit');
    await until(async () => (await trackedTables(database)).includes('late'));
    await slow.end();
  });
});
