// What the feed keeps in a database, and how it gets in and out.
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeFrom } from '../../src/data/feed/remove.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { launchFeed, startFeed, type TestFeed, trackedTables } from './fixture.ts';

describe('what the change feed keeps in a database', () => {
  let database: TestDatabase;
  let running: TestFeed[];
  const remove = (force = false) => removeFrom(database.url, { slot: undefined, force });
  const left = () =>
    database.query(
      `select 'slot' as what from pg_replication_slots where database = current_database()
       union all select pubname from pg_publication union all select evtname from pg_event_trigger
       union all select nspname from pg_namespace where nspname = 'coherent'`,
    );

  beforeEach(async () => {
    running = [];
    database = await testDatabase('create table users (id int primary key, name text)');
  });
  afterEach(async () => {
    await Promise.all(running.map(({ feed }) => feed.close()));
    await database.close();
  });

  it('is taken out whole, once and again, and not while a feed is connected', async () => {
    running.push(await startFeed(database.url));
    await until(async () => (await trackedTables(database)).length === 1);
    await expect(remove()).rejects.toMatchObject({ code: 'E_FEED_RUNS' });
    await running[0]?.feed.close();
    expect(await remove()).toEqual([
      expect.stringMatching(/^replication slot coherent_\d+$/),
      'event trigger coherent_definitions',
      'event trigger coherent_drops',
      'event trigger coherent_before',
      'publication coherent',
      'publication coherent_tracked',
      'schema coherent',
    ]);
    expect(await left()).toEqual([]);
    expect(await remove()).toEqual([]);
  });

  it('is taken out by force under a feed that runs, which makes it anew', async () => {
    running.push(await startFeed(database.url));
    expect((await remove(true)).length).toBeGreaterThan(0);
    await until(
      async () => running[0]?.feed.state === 'leading' && (await trackedTables(database)).length === 1,
    );
  });

  it('gets in beside transactions that last longer than a lock may take, and names whom it waits for', async () => {
    const writer = new pg.Client({ connectionString: database.url, application_name: 'migration' });
    await writer.connect();
    await writer.query("begin; insert into users values (1, 'one')");
    const said: object[] = [];
    const logger = { ...silent, warn: (facts: object) => said.push(facts) };
    const feed = launchFeed(database.url, { logger });
    running.push(feed);
    const [{ pid } = { pid: 0 }] = (await writer.query<{ pid: number }>('select pg_backend_pid() as pid'))
      .rows;
    await until(() => said.some((facts) => JSON.stringify(facts).includes(`"pid":${pid},`)));
    expect(JSON.stringify(said)).toContain('migration');
    await writer.query('commit');
    await until(() => feed.feed.state === 'leading' && feed.bus.isFresh);
    await writer.end();
  });
});
