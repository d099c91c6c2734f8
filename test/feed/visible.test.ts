// Read your own writes: a real feed, the purge bus of a host and of a fleet, and workers that serve pages.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { ChangeFeed } from '../../src/data/feed/feed.ts';
import { Database } from '../../src/data/read/database.ts';
import { HostRelay } from '../../src/host-link/purges/host-relay.ts';
import { ownerOf } from '../../src/invalidation/bus/bus-owner.ts';
import { follow } from '../../src/invalidation/bus/follow.ts';
import { Visibility } from '../../src/invalidation/bus/visibility.ts';
import { PurgeClock } from '../../src/invalidation/clock/clock.ts';
import { Lease } from '../../src/invalidation/clock/lease.ts';
import { joinPurgeBus } from '../../src/worker/purge-bus.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { testRedis, until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { trackedTables } from './fixture.ts';

/** Far beyond what a busy machine takes. */
const LONG_MS = 20_000;

let held: TestDatabase;
let database: Database;
let folder: string;
let relay: HostRelay;
let open: (() => Promise<unknown>)[];

beforeEach(async () => {
  held = await testDatabase('create table notes (id int primary key, body text)');
  await held.query('set synchronous_commit = on');
  database = new Database({ connectionString: held.url, logger: silent, clock: systemClock, max: 4 });
  folder = mkdtempSync(join(tmpdir(), 'coherent-visible-'));
  relay = new HostRelay({ folder, clock: systemClock, logger: silent, newEpoch: randomUUID });
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((close) => close()));
  await relay.close();
  await database.close();
  await held.close();
  rmSync(folder, { recursive: true });
});

/** One process's end of the bus. `cut`: nothing reaches it, and nothing of it arrives. */
async function join_(member: string | undefined, redisUrl: string | undefined) {
  let cut = false;
  let hear: (body: unknown) => void = () => {};
  const self = { send: (body: unknown) => void (cut || hear(structuredClone(body))) };
  const bus = joinPurgeBus({
    redisUrl,
    line: {
      send: (body) => void (cut || setImmediate(() => relay.receive(self, body))),
      onMessage: (handler) => {
        hear = handler;
      },
    },
    clock: systemClock,
    lease: new Lease(systemClock, 1000),
    logger: silent,
    readEveryMs: 200,
    needsFresh: false,
    ...(member !== undefined && { member, degradedTtlMs: LONG_MS }),
  });
  const clock = new PurgeClock({ epoch: randomUUID() });
  follow(bus, clock, randomUUID);
  const visibility = new Visibility({
    bus,
    clock: systemClock,
    logger: silent,
    newId: randomUUID,
    write: (keys) =>
      database.command(`SELECT pg_logical_emit_message(true, 'coherent', $1)`, [JSON.stringify(keys)]),
    followed: true,
  });
  bus.subscribe(visibility);
  await database.run('select 1');
  bus.belongTo(ownerOf(await database.identity.known()));
  await bus.start();
  open.push(() => bus.close());
  return {
    bus,
    clock,
    visibility,
    cut: () => {
      cut = true;
    },
  };
}

async function fleet(redisUrl?: string) {
  const ofFeed = await join_(undefined, redisUrl);
  const feed = new ChangeFeed({
    connectionString: held.url,
    bus: {
      publish: async (keys) => void (await ofFeed.bus.publish(keys, 'purge')),
      beginEpoch: async () => void (await ofFeed.bus.beginEpoch()),
      follows: async (server) => ofFeed.bus.belongTo(ownerOf(server)),
      setFresh: (lifeMs) => ofFeed.bus.setFresh(lifeMs),
    },
    clock: systemClock,
    logger: silent,
    random: Math.random,
    freshLifeMs: 500,
  });
  feed.start();
  open.push(() => feed.close());
  const workers = [
    await join_('a', redisUrl),
    await join_('b', redisUrl),
    await join_('c', redisUrl),
  ] as const;
  await until(async () => feed.state === 'leading' && (await trackedTables(held)).includes('notes'));
  // The epoch that a first leader begins is known to all.
  const epochs = () => new Set([ofFeed, ...workers].map(({ clock }) => clock.epoch));
  await until(async () => {
    await Promise.all(workers.map(({ bus }) => bus.start()));
    return epochs().size === 1;
  });
  return { feed, workers };
}

async function everyCommitIsSeen(redisUrl?: string): Promise<void> {
  const { workers } = await fleet(redisUrl);
  const [first] = workers;
  for (let id = 1; id <= 50; id++) {
    const stamps = workers.map(({ clock }) => clock.stamp());
    const slots = first.clock.slotsOf([`notes#${id}`]);
    // Through another client than the server's own: what counts is that its commit has returned.
    await (id % 2 === 0
      ? held.query('insert into notes values ($1)', [id])
      : database.transaction((tx) => tx.execute('insert into notes values ($1)', [id])));
    expect(await first.visibility.wait(LONG_MS)).toEqual({ applied: true, workers: 3 });
    for (const [at, { clock }] of workers.entries())
      expect(clock.judge(slots, stamps[at] ?? clock.stamp())).toBe('purged');
  }
}

describe('visible()', { timeout: 120_000 }, () => {
  it('returns when every worker of the host has dropped what was made before the commit', async () => {
    await everyCommitIsSeen();
  });

  it('and of the fleet, over Redis', async () => {
    await using redis = await testRedis();
    await everyCommitIsSeen(redis.url);
  });

  it('purges nothing itself: its mark has no slot in any clock', async () => {
    const { workers } = await fleet();
    const [first, second] = workers;
    const every = Uint32Array.from({ length: first.clock.slots }, (_, slot) => slot);
    // What the feed itself has begun meanwhile (the table is followed from now on) may purge something the first time.
    await until(async () => {
      const stamp = second.clock.stamp();
      expect(await first.visibility.wait(LONG_MS)).toMatchObject({ applied: true });
      expect(second.clock.seq).toBeGreaterThan(stamp.seq);
      return second.clock.judge(every, stamp) === 'valid';
    });
  });

  it('names the worker that has not said so, and is not fooled by the others', async () => {
    const { workers } = await fleet();
    const [first, second] = workers;
    second.cut();
    await held.query('insert into notes values (1)');
    // On a busy machine the feed may be late, too.
    let seen = await first.visibility.wait(400);
    while (!seen.applied && seen.reason === 'not-published') seen = await first.visibility.wait(400);
    expect(seen).toEqual({ applied: false, reason: 'not-applied', missing: ['b'] });
  });

  it('says when the feed has not come that far', async () => {
    const { feed, workers } = await fleet();
    await feed.close();
    await held.query('insert into notes values (1)');
    expect(await workers[0].visibility.wait(100)).toEqual({
      applied: false,
      reason: 'not-published',
      missing: [],
    });
  });
});

describe('visible() where it cannot be known', () => {
  const parts = { clock: systemClock, logger: silent, newId: randomUUID };
  const nobody = { applied: async () => ({ workers: 0, missing: [] }) };

  it('says so where nobody follows the log', async () => {
    const write = () => Promise.reject(new Error('not asked'));
    const visibility = new Visibility({ ...parts, bus: nobody, write, followed: false });
    expect(await visibility.wait()).toEqual({ applied: false, reason: 'feed-off', missing: [] });
  });

  it('says so where the database does not take the mark', async () => {
    const write = () => Promise.reject(new Error('down'));
    const visibility = new Visibility({ ...parts, bus: nobody, write, followed: true });
    expect(await visibility.wait()).toEqual({ applied: false, reason: 'unavailable', missing: [] });
  });

  it('is not lost with a reset of the bus, which may have swallowed the mark: it is written once more', async () => {
    const written: string[] = [];
    const visibility: Visibility = new Visibility({
      ...parts,
      bus: { applied: async () => ({ workers: 1, missing: [] }) },
      write: async (keys) => {
        written.push(...keys);
        visibility.purge({ epoch: 'e', seq: 1, kind: 'purge', keys: ['@mark:of another'] });
        if (written.length === 1) visibility.reset();
        else visibility.purge({ epoch: 'e', seq: 2, kind: 'purge', keys });
      },
      followed: true,
    });
    expect(await visibility.wait()).toEqual({ applied: true, workers: 1 });
    expect(written).toHaveLength(2);
    expect(written[1]).toBe(written[0]);
  });

  it('does not take an empty roll for success', async () => {
    const visibility: Visibility = new Visibility({
      ...parts,
      bus: nobody,
      write: async (keys) => visibility.purge({ epoch: 'e', seq: 1, kind: 'purge', keys }),
      followed: true,
    });
    expect(await visibility.wait()).toEqual({ applied: false, reason: 'not-applied', missing: [] });
  });
});
