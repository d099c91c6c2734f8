// What stands in the feed's way, in words that name it and the way out.
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openReplication } from '../../src/data/feed/connections.ts';
import type { FeedUnavailableError } from '../../src/data/feed/errors.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { Pgbouncer } from '../support/pgbouncer.ts';
import { until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { launchFeed, startFeed } from './fixture.ts';

describe('a feed on a server with one place', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coherent-refused-'));
  chmodSync(folder, 0o755);
  const open: { close(): Promise<unknown> }[] = [];
  let server: EmbeddedPostgres;
  let admin: pg.Client;

  beforeAll(async () => {
    server = await startEmbeddedPostgres({
      dataDir: folder,
      logger: silent,
      settings: { fsync: 'off', max_replication_slots: '1', max_wal_senders: '1' },
    });
    admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('create table users (id int primary key, name text)');
  }, 60_000);
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
    await admin.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots');
  });
  afterAll(async () => {
    await admin?.end();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const refusal = async (url: string): Promise<string> => {
    const errors: FeedUnavailableError[] = [];
    const { feed, bus } = launchFeed(url, { onState: (_state, error) => error && errors.push(error) });
    open.push(feed);
    await until(() => feed.state === 'unavailable');
    expect(bus.isFresh).toBe(false);
    return `${errors[0]?.code}: ${errors[0]?.message}`;
  };

  it('is told that all replication slots are taken', async () => {
    await admin.query("select pg_create_physical_replication_slot('of_another')");
    expect(await refusal(server.url)).toMatch(/^E_FEED_PLACES: .*max_replication_slots/);
  });

  it('is told that all places of senders are taken', async () => {
    const other = await openReplication(server.url, () => {});
    open.push({ close: () => other.end() });
    expect(await refusal(server.url)).toMatch(/^E_FEED_PLACES: .*max_wal_senders/);
  });

  it('is told that pg_hba.conf or a password keeps it out, and where both are looked up', async () => {
    const [{ file } = { file: '' }] = (
      await admin.query<{ file: string }>("select current_setting('hba_file') as file")
    ).rows;
    const before = readFileSync(file, 'utf8');
    const url = new URL(server.url);
    url.username = 'follower';
    url.password = randomUUID();
    await admin.query(`create role follower login replication password '${url.password}'`);
    writeFileSync(file, `host all follower all reject\n${before}`);
    await admin.query('select pg_reload_conf()');
    await until(async () => {
      const client = new pg.Client({ connectionString: url.href });
      const error = await client.connect().catch((reason: Error) => reason);
      await client.end();
      return error instanceof Error;
    });
    expect(await refusal(url.href)).toMatch(
      /^E_FEED_RIGHTS: .*pg_hba\.conf rejects connection.* FEED_DATABASE_URL.* pg_hba\.conf/,
    );
    writeFileSync(file, before);
    await admin.query('select pg_reload_conf()');
    url.password = 'another';
    expect(await refusal(url.href)).toMatch(
      /^E_FEED_RIGHTS: .*password authentication failed.* FEED_DATABASE_URL/,
    );
  });

  it('is told to go past a pooler; and vouches for pages that are read through one, if it does', async () => {
    const pooler = await Pgbouncer.start(server.url, { mode: 'transaction' });
    open.push(pooler);
    expect(await refusal(pooler.url)).toMatch(/^E_FEED_POOLER: .*FEED_DATABASE_URL/);
    const { feed, bus } = await startFeed(server.url, { pagesUrl: pooler.url });
    open.push(feed);
    await admin.query("insert into users values (1, 'one')");
    await until(() => bus.has('users#1'));
    await pooler.restart('SIGKILL');
    await until(() => bus.isFresh);
    expect(feed.state).toBe('leading');
  });
});
