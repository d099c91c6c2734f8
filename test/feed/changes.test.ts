import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { type RecordingBus, settled, startFeed, type TestFeed, trackedTables } from './fixture.ts';

describe('what the change feed publishes', () => {
  let database: TestDatabase;
  let running: TestFeed;
  let bus: RecordingBus;

  beforeAll(async () => {
    database = await testDatabase(`
      create table users (id int primary key, name text, bio text);
      create table posts (id int primary key, user_id int references users on delete cascade, title text);
      create index on posts (user_id);
      alter table posts replica identity full;
      create table likes (id int primary key, post_id int references posts on delete cascade);
      create table orders (id int, region text, total int, primary key (id, region)) partition by list (region);
      create table orders_eu partition of orders for values in ('eu');
      create table orders_us partition of orders for values in ('us');
      create table animals (id int primary key, name text);
      create table cats (primary key (id)) inherits (animals);
      insert into users select i, 'user ' || i, 'short' from generate_series(1, 50) i;
      insert into posts select i, i % 50 + 1, 'post ' || i from generate_series(1, 200) i;
      insert into orders select i, case when i % 2 = 0 then 'eu' else 'us' end, i from generate_series(1, 10) i;
      insert into cats values (1, 'Tom');
      alter table users alter bio set storage external;`);
    await database.query('set synchronous_commit = on');
    running = await startFeed(database.url);
    bus = running.bus;
    await until(async () => (await trackedTables(database)).length === 7);
    await settled(database, bus);
  });
  afterAll(async () => {
    await running?.feed.close();
    await database?.close();
  });
  beforeEach(() => bus.forget());

  /** The keys of what this SQL changed. */
  async function keysOf(...statements: string[]): Promise<string[]> {
    for (const sql of statements) await database.query(sql);
    await settled(database, bus);
    return [...bus.keys].filter((key) => !key.startsWith('mark:')).sort();
  }

  it('an insert: the rows and the row', async () => {
    const keys = await keysOf("insert into users values (100, 'new', '')");
    expect(keys).toEqual(expect.arrayContaining(['users#100', 'users@rows']));
  });

  it('an update: the row and its columns, not the rows', async () => {
    const keys = await keysOf("update posts set title = 'changed' where id = 7");
    expect(keys).toEqual(expect.arrayContaining(['posts#7', 'posts.title']));
    expect(keys).not.toContain('posts@rows');
  });

  it('an update, where the log has the whole row: also the changed columns of the row', async () => {
    const keys = await keysOf("update posts set title = 'again' where id = 7");
    expect(keys.filter((key) => key.startsWith('posts#'))).toEqual(['posts#7', 'posts#7{title}']);
    bus.forget();
    const elsewhere = await keysOf("update users set name = 'again' where id = 7");
    expect(elsewhere.filter((key) => key.includes('{'))).toEqual([]);
  });

  it('a row purged by hand: what is made from some of its columns, too', async () => {
    expect(await keysOf("select coherent.purge('posts#7', 'weather:berlin')")).toEqual([
      'posts#7',
      'posts#7{}',
      'weather:berlin',
    ]);
  });

  it('an update that moves a row: the lists it leaves and enters', async () => {
    const keys = await keysOf('update posts set user_id = 30 where id = 8');
    expect(keys).toEqual(expect.arrayContaining(['posts.user_id=9', 'posts.user_id=30']));
  });

  it('an update that changes nothing: nothing', async () => {
    expect(await keysOf('update posts set title = title where id = 9')).toEqual([]);
  });

  it('a delete that cascades: every row that went', async () => {
    await keysOf('insert into likes values (1, 10), (2, 10)');
    bus.forget();
    const keys = await keysOf('delete from posts where id = 10');
    expect(keys).toEqual(expect.arrayContaining(['posts#10', 'likes#1', 'likes#2']));
  });

  it('what was rolled back: nothing', async () => {
    expect(await keysOf('begin', "update users set name = 'no' where id = 1", 'rollback')).toEqual([]);
  });

  it('what was rolled back to a savepoint: nothing, and the rest of its transaction', async () => {
    const keys = await keysOf(
      'begin',
      "update users set name = 'yes' where id = 2",
      'savepoint s',
      "update users set name = 'no' where id = 3",
      'rollback to s',
      'commit',
    );
    expect(keys).toContain('users#2');
    expect(keys).not.toContain('users#3');
  });

  it('a large value that was not touched: no change of its column', async () => {
    await keysOf("update users set bio = repeat('long', 5000) where id = 4");
    bus.forget();
    const keys = await keysOf("update users set name = 'renamed' where id = 4");
    expect(keys).toContain('users#4');
    expect(keys).not.toContain('users.bio');
  });

  it('a row of a partition: by the name of the partitioned table', async () => {
    const keys = await keysOf("update orders set total = 99 where id = 2 and region = 'eu'");
    expect(keys).toContain('orders#2,eu');
    expect(keys.filter((key) => key.startsWith('orders_eu'))).toEqual([]);
  });

  it('a row that moves between partitions: both of its names', async () => {
    const keys = await keysOf("update orders set region = 'us' where id = 4");
    expect(keys).toEqual(expect.arrayContaining(['orders#4,eu', 'orders#4,us']));
  });

  it('a row of an inheriting table: also as the table it inherits from', async () => {
    const keys = await keysOf("update cats set name = 'Felix' where id = 1");
    expect(keys).toEqual(expect.arrayContaining(['cats#1', 'animals.name']));
  });

  it("the application's own keys, if their transaction commits", async () => {
    const keys = await keysOf("select coherent.purge('weather:berlin', 'weather:rome')");
    expect(keys).toEqual(['weather:berlin', 'weather:rome']);
    bus.forget();
    expect(await keysOf('begin', "select coherent.purge('weather:berlin')", 'rollback')).toEqual([]);
  });

  it('refuses application keys that cannot be keys, in the statement that names them', async () => {
    await expect(database.query("select coherent.purge('')")).rejects.toThrow('1 to 16384 characters');
    await expect(database.query("select coherent.purge(repeat('k', 20000))")).rejects.toThrow('16384');
  });

  it('passes over messages under its prefix that it cannot have written', async () => {
    const keys = await keysOf(
      "select pg_logical_emit_message(true, 'coherent', 'no json')",
      `select pg_logical_emit_message(true, 'coherent', '{"a": [1]}')`,
      "select pg_logical_emit_message(false, 'coherent', '[\"not:transactional\"]')",
    );
    expect(keys).toEqual([]);
  });

  it('a transaction of very many rows: the table whole, in a few keys', async () => {
    const before = running.feed.stats();
    const keys = await keysOf("insert into users select i, 'bulk', '' from generate_series(1000, 30999) i");
    expect(keys).toEqual(['users']);
    const after = running.feed.stats();
    expect(after.rows - before.rows).toBe(30_000);
    expect(after.collapsed - before.collapsed).toBe(1);
  });

  it('so many application keys that only a new epoch tells of them', async () => {
    const epochs = bus.epochs;
    await keysOf("select coherent.purge(variadic array_agg('key:' || i)) from generate_series(1, 25000) i");
    expect(bus.epochs).toBe(epochs + 1);
  });

  it('the transactions of many writers at once: none is missing', async () => {
    const writers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = new pg.Client({ connectionString: database.url });
        await client.connect();
        return client;
      }),
    );
    await Promise.all(
      writers.map(async (writer, n) => {
        for (let i = 0; i < 100; i++) {
          await writer.query('update users set name = $1 where id = $2', [`${n} ${i}`, 1000 + n * 100 + i]);
        }
        await writer.end();
      }),
    );
    const keys = new Set(await keysOf());
    for (let id = 1000; id < 1400; id++) expect(keys).toContain(`users#${id}`);
  });

  it('a TRUNCATE that cascades: each table whole', async () => {
    const keys = await keysOf('truncate posts cascade');
    expect(keys).toEqual(expect.arrayContaining(['posts', 'likes']));
    expect(keys).not.toContain('users');
  });
});
