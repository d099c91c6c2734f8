// What the visibility gate is for: a change is in the log before statements can see it.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { startFeed, type TestFeed, trackedTables } from './fixture.ts';

const TRIES = 3_000;

describe('the visibility gate', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase(`
      create table counters (id int primary key, version int);
      insert into counters values (1, 0);`);
  });
  afterAll(() => database.close());

  /** How often somebody who reads as soon as a purge arrives still sees what was there before it. */
  async function staleReads(gate: boolean): Promise<number> {
    const running = await startFeed(database.url, { gate });
    const client = async () => {
      const one = new pg.Client({ connectionString: database.url });
      await one.connect();
      return one;
    };
    const [reader, writer] = [await client(), await client()];
    try {
      await until(async () => (await trackedTables(database)).includes('counters'));
      await writer.query('set synchronous_commit = on');
      let stale = 0;
      for (let version = 1; version <= TRIES; version++) {
        const read = new Promise<number>((resolve) => {
          running.bus.onPurge = (keys) => {
            if (!keys.includes('counters#1')) return;
            running.bus.onPurge = undefined;
            void reader
              .query('select version from counters where id = 1')
              .then(({ rows }) => resolve(rows[0].version));
          };
        });
        await writer.query('update counters set version = $1 where id = 1', [version]);
        if ((await read) !== version) stale++;
      }
      return stale;
    } finally {
      await Promise.all([running.feed.close(), reader.end(), writer.end()]);
    }
  }

  it('lets no purge out before its change can be read', { timeout: 120_000 }, async () => {
    expect(await staleReads(true)).toBe(0);
  });

  it('is needed: without it readers of a purge see the old row', { timeout: 120_000 }, async () => {
    const stale = await staleReads(false);
    process.stdout.write(`visibility gate off: ${stale} of ${TRIES} immediate reads saw the old row\n`);
    expect(stale).toBeGreaterThan(0);
  });
});

describe('the visibility gate and a commit that waits for a replica', () => {
  let server: EmbeddedPostgres;
  let folder: string;
  let admin: pg.Client;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'coherent-visibility-'));
    chmodSync(folder, 0o755);
    server = await startEmbeddedPostgres({
      dataDir: folder,
      logger: silent,
      settings: { fsync: 'off', wal_writer_delay: '10s' },
    });
    admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('create table rows (id int primary key); create table others (id int primary key)');
  });
  afterAll(async () => {
    await admin.end();
    await server.close();
    rmSync(server.folder, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  /** Commits flush to the log, and then wait for a replica that never answers. */
  async function replicas(names: string): Promise<void> {
    await admin.query(`alter system set synchronous_standby_names = '${names}'`);
    await admin.query('select pg_reload_conf()');
    await until(async () => {
      const { rows } = await admin.query('show synchronous_standby_names');
      return rows[0].synchronous_standby_names === names;
    });
  }

  const tracked = () =>
    until(async () => {
      const { rows } = await admin.query(
        "select 1 from pg_publication_tables where pubname = 'coherent_tracked'",
      );
      return rows.length === 2;
    });

  async function waiting(feed: TestFeed, id: number): Promise<{ readonly committed: Promise<unknown> }> {
    await tracked();
    const writer = new pg.Client({ connectionString: server.url });
    await writer.connect();
    await replicas('nobody');
    // Each session takes over new settings in its own time.
    await until(async () => {
      const { rows } = await writer.query('show synchronous_standby_names');
      return rows[0].synchronous_standby_names === 'nobody';
    });
    const { rows: own } = await writer.query('select pg_backend_pid() as pid');
    const committed = writer.query('insert into rows values ($1)', [id]).then(() => writer.end());
    await until(async () => {
      const { rows } = await admin.query(
        "select 1 from pg_stat_activity where wait_event = 'SyncRep' and pid = $1",
        [own[0].pid],
      );
      return rows.length === 1;
    });
    await until(() => feed.feed.stats().gateWaits > 0 || feed.bus.has(`rows#${id}`));
    return { committed };
  }

  const visible = async (id: number) =>
    (await admin.query('select 1 from rows where id = $1', [id])).rows.length;

  it('waits for it, publishes others meanwhile, and stays fresh', async () => {
    await using feed = await startFeed(server.url);
    const { committed } = await waiting(feed, 1);
    await admin.query('set synchronous_commit = local');
    await admin.query('insert into others values (1)');
    await until(() => feed.bus.has('others#1'));
    expect(feed.bus.has('rows#1')).toBe(false);
    expect(await visible(1)).toBe(0);
    const beats = feed.bus.fresh.length;
    await until(() => feed.bus.fresh.length > beats + 5);
    expect(feed.bus.isFresh).toBe(true);
    await replicas('');
    await committed;
    await until(() => feed.bus.has('rows#1'));
    expect(await visible(1)).toBe(1);
  });

  it('turned off, publishes what nobody can read yet', async () => {
    await using feed = await startFeed(server.url, { gate: false });
    const { committed } = await waiting(feed, 2);
    expect(feed.bus.has('rows#2')).toBe(true);
    expect(await visible(2)).toBe(0);
    await replicas('');
    await committed;
  });

  it('does not wait until somebody flushes a commit that can be read already', async () => {
    await using feed = await startFeed(server.url);
    await tracked();
    await admin.query('set synchronous_commit = off');
    await admin.query('insert into others values (7)');
    await until(() => feed.bus.has('others#7') && feed.bus.isFresh);
    expect(feed.feed.stats().nudges).toBeGreaterThan(0);
  });
});
