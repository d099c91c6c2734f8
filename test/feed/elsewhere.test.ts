// Pages are read by one address and the log by another, and addresses are pointed elsewhere.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { identityName } from '../../src/core/database-identity.ts';
import type { FeedUnavailableError } from '../../src/data/feed/errors.ts';
import { IDENTITY_SQL, readIdentity } from '../../src/data/pool/identity.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { startFeed, type TestFeed } from './fixture.ts';

describe('a feed whose pages are read elsewhere', () => {
  const folders: string[] = [];
  let original: EmbeddedPostgres;
  let clone: EmbeddedPostgres;
  let pages: TcpProxy;
  let feed: TestFeed | undefined;
  let errors: FeedUnavailableError[] = [];

  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'coherent-elsewhere-'));
    chmodSync(made, 0o755);
    folders.push(made);
    return made;
  };
  /** With owners and rights: Postgres runs as another user where we are root. */
  const copied = (from: string, to: string) => execFileSync('cp', ['-a', `${from}/.`, to]);
  const start = (dataDir: string) =>
    startEmbeddedPostgres({ dataDir, logger: silent, settings: { fsync: 'off', full_page_writes: 'off' } });
  const ask = async (url: string, sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    return rows;
  };

  beforeAll(async () => {
    const [one, two] = [folder(), folder()];
    original = await start(one);
    await ask(original.url, 'create table users (id int primary key, name text)');
    await original.close();
    copied(one, two);
    [original, clone] = [await start(one), await start(two)];
    pages = await TcpProxy.to({ port: original.port });
  }, 60_000);
  afterEach(async () => {
    await feed?.feed.close();
    errors = [];
  });
  afterAll(async () => {
    await pages?.close();
    for (const server of [original, clone]) await server?.close();
    for (const each of folders) rmSync(each, { recursive: true, force: true });
  });

  const throughProxy = () => {
    const url = new URL(original.url);
    url.port = String(pages.port);
    return url.href;
  };
  const launch = async () => {
    feed = await startFeed(original.url, {
      pagesUrl: throughProxy(),
      onState: (_state, error) => error && errors.push(error),
    });
    return feed;
  };

  it('says nothing is fresh while the pool reaches a clone, though nothing but its start tells them apart, and names both', async () => {
    const [of, ofClone] = [
      readIdentity((await ask(original.url, IDENTITY_SQL))[0]),
      readIdentity((await ask(clone.url, IDENTITY_SQL))[0]),
    ];
    expect(identityName(ofClone)).toBe(identityName(of));
    const { bus, feed } = await launch();
    pages.retarget({ port: clone.port });
    await until(() => feed.state === 'unavailable' && !bus.isFresh);
    expect(errors.at(-1)?.code).toBe('E_FEED_DATABASE');
    expect(errors.at(-1)?.message).toContain(of.serverStartedAt);
    expect(errors.at(-1)?.message).toContain(ofClone.serverStartedAt);
    const said = bus.fresh.length;
    await until(() => errors.length >= 2);
    expect(bus.fresh).toHaveLength(said);
    pages.retarget({ port: original.port });
    await until(() => feed.state === 'leading' && bus.isFresh);
  });

  it('goes on purging, and is not fresh, while the way of the pages is down', async () => {
    const { bus, feed } = await launch();
    pages.refuse();
    await until(() => !bus.isFresh);
    await ask(original.url, "insert into users values (1, 'one')");
    await until(() => bus.has('users#1'));
    expect(feed.state).toBe('leading');
    pages.refuse(false);
    await until(() => bus.isFresh);
  });

  it('notices pages that have fallen silent, and asks on a new connection', async () => {
    const { bus, feed } = await launch();
    pages.silenceExisting();
    await until(() => !bus.isFresh);
    await until(() => bus.isFresh);
    expect(feed.state).toBe('leading');
  });

  it('does not trust a standby', async () => {
    await clone.close();
    const standby = folder();
    copied(dirname(clone.folder), standby);
    writeFileSync(join(standby, 'postgres', 'data', 'standby.signal'), '');
    clone = await start(standby);
    const { feed } = await launch();
    pages.retarget({ port: clone.port });
    await until(() => feed.state === 'unavailable');
    expect(errors.at(-1)?.code).toBe('E_FEED_REPLICA');
    pages.retarget({ port: original.port });
  });
});
