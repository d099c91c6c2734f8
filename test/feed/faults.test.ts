import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { catalogKey } from '../../src/data/feed/definitions.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { launchFeed, settled, startFeed, type TestFeed, trackedTables } from './fixture.ts';

// `npm run again` has them run many times, under load.
const repeats = Number(process.env['REPEATS'] ?? 0);

describe('the change feed and what may befall it', { repeats }, () => {
  let database: TestDatabase;
  let running: TestFeed[] = [];
  let slot: string;

  beforeEach(async () => {
    running = [];
    database = await testDatabase(`
      create table users (id int primary key, name text);
      insert into users select i, 'user' from generate_series(1, 1000) i;`);
    await database.query('set synchronous_commit = on');
    const [row] = await database.query<{ oid: string }>(
      'select oid::text from pg_database where datname = current_database()',
    );
    slot = `coherent_${row?.oid}`;
  });
  afterEach(async () => {
    await Promise.all(running.map(({ feed }) => feed.close()));
    await database.close();
  });

  async function start(...args: Parameters<typeof startFeed> | []): Promise<TestFeed> {
    const started = await startFeed(args[0] ?? database.url, args[1]);
    running.push(started);
    await until(async () => (await trackedTables(database)).includes('users'));
    await settled(database, started.bus);
    started.bus.forget();
    return started;
  }

  const rename = (id: number) => database.query('update users set name = $1 where id = $2', [`n${id}`, id]);

  it('tells after a restart what was committed while it was down, and begins no epoch', async () => {
    const first = await start();
    await first.feed.close();
    await rename(1);
    await rename(2);
    const second = await startFeed(database.url);
    running.push(second);
    await until(() => second.bus.has('users#1') && second.bus.has('users#2'));
    expect(second.bus.epochs).toBe(0);
  });

  it('loses nothing when its connections are cut again and again under writes', async () => {
    const { bus } = await start();
    for (let id = 1; id <= 300; id++) {
      await rename(id);
      if (id % 60 === 0) {
        await database.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coherent-feed' and datname = current_database()",
        );
      }
    }
    await settled(database, bus);
    const keys = bus.keys;
    for (let id = 1; id <= 300; id++) expect(keys).toContain(`users#${id}`);
    expect(bus.epochs).toBe(1);
  });

  it('acknowledges nothing while the bus fails, loses nothing, and is not fresh', async () => {
    const { bus } = await start();
    const position = async () => {
      const [row] = await database.query<{ lsn: string }>(
        'select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = $1',
        [slot],
      );
      return row?.lsn;
    };
    bus.failure = new Error('no bus');
    const [before] = await database.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
    await rename(7);
    await until(() => bus.failed >= 5 && !bus.isFresh);
    const [{ behind } = { behind: false }] = await database.query<{ behind: boolean }>(
      'select $1::pg_lsn <= $2::pg_lsn as behind',
      [await position(), before?.lsn],
    );
    expect(behind).toBe(true);
    expect(bus.has('users#7')).toBe(false);
    bus.failure = undefined;
    await until(() => bus.has('users#7') && bus.isFresh);
  });

  it('reads on where it had published, when it dies while the bus fails', async () => {
    const first = await start();
    first.bus.failure = new Error('no bus');
    await rename(8);
    await until(() => first.bus.failed >= 2);
    await first.feed.close();
    const second = await startFeed(database.url);
    running.push(second);
    await until(() => second.bus.has('users#8'));
  });

  it('holds no more than its share while the bus fails, and still loses nothing', async () => {
    const { bus, feed } = await start(database.url, { maxWaitingKeys: 100 });
    bus.failure = new Error('no bus');
    for (let id = 1; id <= 500; id++) await rename(id);
    await until(() => bus.failed >= 3);
    expect(feed.stats().waiting).toBeLessThan(200);
    bus.failure = undefined;
    await settled(database, bus);
    const keys = bus.keys;
    for (let id = 1; id <= 500; id++) expect(keys).toContain(`users#${id}`);
  });

  it('leads alone; another takes over within two seconds of its death', async () => {
    const first = await start();
    const second = launchFeed(database.url);
    running.push(second);
    await until(() => second.feed.state === 'standby');
    await rename(3);
    await until(() => first.bus.has('users#3'));
    expect(second.bus.purges).toEqual([]);
    const died = systemClock.monotonic();
    await first.feed.close();
    await rename(4);
    await until(() => second.bus.has('users#4') && second.bus.isFresh);
    expect(systemClock.monotonic() - died).toBeLessThan(2000);
    expect(second.bus.epochs).toBe(0);
  });

  it('gives the lead away when its network goes silent, though no connection breaks', async () => {
    const url = new URL(database.url);
    const proxy = await TcpProxy.to({ port: Number(url.port) });
    url.port = String(proxy.port);
    const first = await start(url.href);
    const second = launchFeed(database.url);
    running.push(second);
    await until(() => second.feed.state === 'standby');
    proxy.silence();
    await rename(5);
    await until(() => second.bus.has('users#5'));
    expect(first.bus.isFresh).toBe(false);
    await proxy.close();
  });

  it('connects anew when its connections fall silent and new ones work, leading or standing by', async () => {
    const url = new URL(database.url);
    const proxy = await TcpProxy.to({ port: Number(url.port) });
    url.port = String(proxy.port);
    const first = await start(url.href);
    await rename(5);
    await until(() => first.bus.has('users#5'));
    proxy.silenceExisting();
    await rename(6);
    await until(() => first.bus.has('users#6') && first.bus.isFresh);

    const second = launchFeed(database.url);
    running.push(second);
    await until(() => second.feed.state === 'standby');
    await first.feed.close();
    await until(() => second.feed.state === 'leading');
    const third = launchFeed(url.href);
    running.push(third);
    await until(() => third.feed.state === 'standby');
    proxy.silenceExisting();
    await second.feed.close();
    await rename(7);
    await until(() => third.bus.has('users#7') && third.bus.isFresh);
    await proxy.close();
  });

  it('begins an epoch when its slot is dropped under it', async () => {
    const { bus } = await start();
    await database.query(
      'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1',
      [slot],
    );
    const drop = () =>
      database.query('select pg_drop_replication_slot($1)', [slot]).then(
        () => true,
        () => false,
      );
    // Between its death and the next attempt; where that was faster, once more.
    await until(async () => {
      if (await drop()) return true;
      await database.query(
        'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1',
        [slot],
      );
      return false;
    });
    await until(() => bus.epochs === 2 && bus.isFresh);
    await rename(6);
    await until(() => bus.has('users#6'));
  });

  it('begins an epoch when the server is another one than it knew, or of another time', async () => {
    const first = await start();
    await first.feed.close();
    await database.query('update coherent.feed set timeline = timeline + 1');
    const second = await startFeed(database.url);
    running.push(second);
    expect(second.bus.epochs).toBe(1);
    expect(second.bus.has(catalogKey)).toBe(true);
  });

  it.each([
    ['drops its publication', 'drop publication coherent'],
    ['takes a table out of it', 'alter publication coherent drop table users'],
    ['has it publish less', "alter publication coherent set (publish = 'insert')"],
    [
      'takes a table out of it for a moment',
      `begin; alter publication coherent drop table users; update users set name = 'unseen' where id = 7;
       alter publication coherent add table users; commit`,
    ],
    [
      'has it publish less for a moment',
      `begin; alter publication coherent set (publish = 'insert'); update users set name = 'unseen' where id = 7;
       alter publication coherent set (publish = 'insert, update, delete, truncate'); commit`,
    ],
  ])('begins an epoch, and mends it, when somebody %s', async (_what, sql) => {
    const { bus } = await start();
    await database.query(sql);
    await until(() => bus.epochs >= 2 && bus.isFresh);
    await until(async () => (await trackedTables(database)).includes('users'));
    bus.forget();
    await rename(9);
    await until(() => bus.has('users#9'));
  });

  it('begins an epoch when definitions have changed while nobody led', async () => {
    const first = await start();
    await first.feed.close();
    await database.query('alter table users add column age int');
    const second = await startFeed(database.url);
    running.push(second);
    expect(second.bus.epochs).toBe(1);
  });

  it('stays fresh on an idle database, and moves its slot along', async () => {
    const { bus } = await start();
    const beats = bus.fresh.length;
    await until(() => {
      expect(bus.isFresh).toBe(true);
      return bus.fresh.length >= beats + 12;
    });
    // What others write into the log moves past us, too.
    const other = await testDatabase('create table t as select generate_series(1, 1000) i');
    const [{ lsn } = { lsn: '' }] = await other.query<{ lsn: string }>(
      'select pg_current_wal_flush_lsn()::text as lsn',
    );
    await until(async () => {
      const rows = await database.query(
        'select 1 from pg_replication_slots where slot_name = $1 and confirmed_flush_lsn >= $2::pg_lsn',
        [slot, lsn],
      );
      return rows.length === 1;
    });
    await other.close();
  });

  it('is fresh while commits are not flushed at once', async () => {
    const { bus } = await start();
    await database.query('set synchronous_commit = off');
    for (let id = 1; id <= 200; id++) {
      await rename(id);
      expect(bus.isFresh).toBe(true);
    }
  });
});
