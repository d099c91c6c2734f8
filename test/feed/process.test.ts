// The feed as a process of its own, watched over by the part of the primary that does so.
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { Feed, type FeedVerdict } from '../../src/cluster/children/feed.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { DependencyKey } from '../../src/core/units.ts';
import { IDENTITY_SQL, readIdentity } from '../../src/data/pool/identity.ts';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { stateOfProcess } from '../../src/host-link/heartbeat.ts';
import { MessageRouter } from '../../src/host-link/message-router.ts';
import { PURGES_CHANNEL } from '../../src/host-link/messages.ts';
import { HostBus } from '../../src/host-link/purges/host-bus.ts';
import { HostRelay } from '../../src/host-link/purges/host-relay.ts';
import type { PurgeBus } from '../../src/invalidation/bus/bus.ts';
import { ownerOf } from '../../src/invalidation/bus/bus-owner.ts';
import { Lease } from '../../src/invalidation/clock/lease.ts';
import { joinPurgeBus } from '../../src/worker/purge-bus.ts';
import { type Program, program } from '../support/child.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { testRedis, until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { trackedTables } from './fixture.ts';

let worker: Program;
beforeAll(async () => {
  worker = await program(new URL('../../workers/feed.ts', import.meta.url));
});
afterAll(() => worker.remove());

/** A feed's process beside a relay, and a worker's bus that listens. */
class Host {
  readonly folder = mkdtempSync(join(tmpdir(), 'coherent-feed-box-'));
  readonly rooms = new MessageRouter();
  readonly relay = new HostRelay({
    folder: this.folder,
    clock: systemClock,
    logger: silent,
    newEpoch: randomUUID,
  });
  readonly lease = new Lease(systemClock, 1000);
  readonly keys = new Set<DependencyKey>();
  readonly verdicts: FeedVerdict[] = [];
  readonly feed: Feed;
  #bus: PurgeBus | undefined;

  constructor(environment: Record<string, string>) {
    const config: Config = loadConfig({
      environment: { LOG_LEVEL: 'silent', WORKERS: '1', ...environment },
      cwd: '/nonexistent',
    });
    this.rooms.open(PURGES_CHANNEL, this.relay);
    this.feed = new Feed({
      file: worker.file,
      config: () => config,
      clock: systemClock,
      random: Math.random,
      logger: silent,
      stateOf: stateOfProcess,
      events: {
        onVerdict: (verdict) => this.verdicts.push(verdict),
        onChannelMessage: (from, room, body) => this.rooms.receive(from, room, body),
        onExit: (from) => this.rooms.gone(from),
      },
    });
  }

  async listen(database: TestDatabase, redisUrl?: string): Promise<void> {
    let heard: (body: unknown) => void = () => {};
    const self = { send: (body: unknown) => heard(body) };
    const bus = joinPurgeBus({
      redisUrl,
      line: {
        send: (body) => this.relay.receive(self, body),
        onMessage: (handler) => {
          heard = handler;
        },
      },
      clock: systemClock,
      lease: this.lease,
      logger: silent,
      readEveryMs: 100,
      needsFresh: true,
    });
    expect(bus instanceof HostBus).toBe(redisUrl === undefined);
    this.#bus = bus;
    const [row] = await database.query(IDENTITY_SQL);
    bus.belongTo(ownerOf(readIdentity(row)));
    bus.subscribe({
      purge: ({ keys }) => {
        for (const key of keys) this.keys.add(key);
      },
      reset: () => {},
    });
    await until(async () => {
      await bus.start();
      return true;
    });
  }

  async close(): Promise<void> {
    await this.feed.close();
    await this.#bus?.close();
    await this.relay.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe('the feed process', () => {
  let database: TestDatabase;
  let box: Host;

  beforeEach(async () => {
    database = await testDatabase(`
      create table users (id int primary key, name text);
      insert into users select i, 'user' from generate_series(1, 100) i;`);
    await database.query('set synchronous_commit = on');
  });
  afterEach(async () => {
    await box.close();
    await database.close();
  });

  const rename = (id: number) => database.query('update users set name = $1 where id = $2', [`n${id}`, id]);

  async function bringsPurgesAndSurvivesBeingKilled(redisUrl?: string): Promise<void> {
    box = new Host({ DATABASE_URL: database.url, ...(redisUrl !== undefined && { REDIS_URL: redisUrl }) });
    await box.listen(database, redisUrl);
    expect(await box.feed.start()).toEqual({ isOn: true, note: undefined });
    await until(async () => (await trackedTables(database)).includes('users'));
    // A feed that leads for the first time begins an epoch; what is purged while a worker learns of it comes with the whole
    // clock instead of by name. So changes are made until one is heard by name.
    await until(async () => {
      await rename(1);
      return box.keys.has('users#1') && box.lease.trusted;
    });

    const { pid } = box.feed.snapshot();
    const died = systemClock.monotonic();
    process.kill(Number(pid), 'SIGKILL');
    await rename(2);
    await until(() => box.keys.has('users#2') && box.lease.trusted);
    expect(systemClock.monotonic() - died).toBeLessThan(5_000);
    expect(box.feed.snapshot()).toMatchObject({ state: 'leading', deaths: 1 });
    expect(box.feed.snapshot().pid).not.toBe(pid);
    expect(box.verdicts).toEqual([]);
  }

  it('brings purges to the workers of its host through the primary, and survives being killed', async () => {
    await bringsPurgesAndSurvivesBeingKilled();
  });

  it('brings purges to the fleet through Redis, and survives being killed', async () => {
    await using redis = await testRedis();
    await bringsPurgesAndSurvivesBeingKilled(redis.url);
  });

  it('lets the workers lose trust while it is stopped, and gives it back', async () => {
    box = new Host({ DATABASE_URL: database.url });
    await box.listen(database);
    await box.feed.start();
    await until(() => box.lease.trusted);
    const pid = Number(box.feed.snapshot().pid);
    process.kill(pid, 'SIGSTOP');
    await until(() => !box.lease.trusted);
    process.kill(pid, 'SIGCONT');
    await until(() => box.lease.trusted);
  });

  it('counts as on while the database cannot be reached', async () => {
    box = new Host({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
    expect(await box.feed.start()).toEqual({ isOn: true, note: undefined });
  });
});

describe('the feed process on a server without a logical log', () => {
  it('is off, and says the two commands; with FEED=on nothing is trusted instead', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coherent-replica-level-'));
    chmodSync(folder, 0o755);
    const server = await startEmbeddedPostgres({
      dataDir: folder,
      logger: silent,
      settings: { fsync: 'off', wal_level: 'replica' },
    });
    for (const feed of ['auto', 'on'] as const) {
      const box = new Host({ DATABASE_URL: server.url, FEED: feed });
      const verdict = await box.feed.start();
      expect(verdict.isOn).toBe(feed === 'on');
      expect(verdict.note).toContain("ALTER SYSTEM SET wal_level = 'logical'");
      expect(verdict.note).toContain('pg_ctl restart');
      await box.close();
    }
    await server.close();
    rmSync(server.folder, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });
});
