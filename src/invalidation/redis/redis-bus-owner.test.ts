// Whose purges a bus carries: two databases on one Redis never meet, and of two copies of one nothing is trusted.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestRedis, testRedis, until } from '../../../test/support/redis.ts';
import { connectForCommands, connectForMessages } from '../../cache/redis/redis-connect.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { parseRedisUrl } from '../../core/redis-url.ts';
import type { BusOwner } from '../bus/bus-owner.ts';
import { follow } from '../bus/follow.ts';
import { PurgeClock } from '../clock/clock.ts';
import { Lease } from '../clock/lease.ts';
import { RedisBus } from './redis-bus.ts';

const SLOTS = 2 ** 10;
const PRODUCTION: BusOwner = { name: '1-5-1', server: '1-5-1@100' };
const STAGING: BusOwner = { name: '2-5-1', server: '2-5-1@100' };
/** A snapshot of production's disk, started elsewhere. */
const CLONE: BusOwner = { name: '1-5-1', server: '1-5-1@200' };

let redis: TestRedis;
const open: RedisBus[] = [];
beforeAll(async () => {
  redis = await testRedis();
});
afterAll(() => redis.close());
afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
  await redis.admin.flushall();
});

async function process(needsFresh: boolean, owner?: BusOwner) {
  const target = parseRedisUrl(redis.url);
  const lease = new Lease(systemClock, 200);
  const errors: unknown[] = [];
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: ({ err }) => errors.push(err),
    child: () => logger,
  };
  const commands = connectForCommands(target, 1000);
  await new Promise((resolve) => commands.once('ready', resolve));
  const bus = new RedisBus({
    commands,
    subscriber: connectForMessages(target, { clock: systemClock, pingChannel: 'ping' }),
    prefix: 'owner:',
    isOwned: true,
    clock: systemClock,
    logger,
    newEpoch: randomUUID,
    readEveryMs: 50,
    needsFresh,
    slots: SLOTS,
    lease,
    ...(needsFresh && { member: randomUUID() }),
  });
  open.push(bus);
  const clock = new PurgeClock({ epoch: 'none', slots: SLOTS });
  follow(bus, clock, randomUUID);
  if (owner !== undefined) bus.belongTo(owner);
  await bus.start();
  return { bus, lease, clock, errors };
}

const worker = (owner?: BusOwner) => process(true, owner);
const feed = (owner?: BusOwner) => process(false, owner);

/** Says again and again that it is up to date, as a feed does. */
function speaking({ bus }: { readonly bus: RedisBus }): () => void {
  const timer = setInterval(() => void bus.setFresh(300).catch(() => {}), 50);
  return () => clearInterval(timer);
}

describe('a bus that does not know yet whose purges it carries', () => {
  it('trusts nothing and takes no purge, until it is told', async () => {
    const { bus, lease, clock } = await worker();
    await expect(bus.publish(['users#1'], 'purge')).rejects.toMatchObject({ code: 'E_DATABASE_UNKNOWN' });
    expect(lease.trusted).toBe(false);
    expect(await redis.admin.keys('*')).toEqual([]);
    const ofProduction = await feed(PRODUCTION);
    const stop = speaking(ofProduction);
    try {
      bus.belongTo(PRODUCTION);
      await until(() => lease.trusted);
      const { seq } = await ofProduction.bus.publish(['users#1'], 'purge');
      await until(() => clock.seq === seq);
    } finally {
      stop();
    }
  });
});

describe('two databases on one Redis', () => {
  it('have names of their own, purge nothing of each other, and vouch for themselves only', async () => {
    const [ofProduction, ofStaging] = [await feed(PRODUCTION), await feed(STAGING)];
    const [production, staging] = [await worker(PRODUCTION), await worker(STAGING)];
    const stop = speaking(ofProduction);
    try {
      await until(() => production.lease.trusted);
      expect(staging.lease.trusted).toBe(false);
      expect(production.clock.epoch).not.toBe(staging.clock.epoch);
      const before = staging.clock.stamp();
      const { seq } = await ofProduction.bus.publish(['users#1'], 'purge');
      await until(() => production.clock.seq === seq);
      expect(staging.clock.stamp()).toEqual(before);
      for (const key of await redis.admin.keys('*')) expect(key).toMatch(/^\{owner:[12]-5-1:bus\}:/);
      await ofStaging.bus.setFresh(5000);
      await until(() => staging.lease.trusted);
    } finally {
      stop();
    }
  });

  it('part at once where a process reaches the other one from now on', async () => {
    const stops = [speaking(await feed(PRODUCTION)), speaking(await feed(STAGING))];
    try {
      const { bus, lease, clock } = await worker(PRODUCTION);
      await until(() => lease.trusted);
      const stamp = clock.stamp();
      bus.belongTo(STAGING);
      expect(lease.trusted).toBe(false);
      expect(clock.judge([], stamp)).toBe('purged');
      await until(() => lease.trusted);
      expect(clock.judge([], stamp)).toBe('purged');
      bus.belongTo(PRODUCTION);
      await until(() => lease.trusted);
      expect(clock.judge([], stamp)).toBe('valid');
    } finally {
      for (const stop of stops) stop();
    }
  });
});

describe('a copy of a database', () => {
  it('is not trusted where the feed speaks of the original, nor is anything kept of it', async () => {
    const stop = speaking(await feed(PRODUCTION));
    try {
      const { bus, lease, clock } = await worker(PRODUCTION);
      await until(() => lease.trusted);
      // The pool is pointed elsewhere; the feed stays.
      bus.belongTo(CLONE);
      expect(lease.trusted).toBe(false);
      const ofClone = clock.stamp();
      const readings = bus.stats().readingsFailed;
      const published = await bus.publish(['users#1'], 'purge');
      // It serves from another database: nobody waits for it.
      await until(async () => (await bus.applied(published, { timeoutMs: 20 })).missing.length === 0);
      expect(lease.trusted).toBe(false);
      bus.belongTo(PRODUCTION);
      await until(() => lease.trusted);
      expect(clock.judge([], ofClone)).toBe('purged');
      expect(bus.stats().readingsFailed).toBeGreaterThanOrEqual(readings);
    } finally {
      stop();
    }
  });

  it('whose feed takes turns with that of the original is told of with both names, and nothing is trusted', async () => {
    const original = await feed(PRODUCTION);
    const copy = await feed(CLONE);
    const ofOriginal = await worker(PRODUCTION);
    await original.bus.setFresh(5000);
    await until(() => ofOriginal.lease.trusted);
    const stamp = ofOriginal.clock.stamp();
    const ofCopy = await worker(CLONE);
    await copy.bus.setFresh(5000);
    await original.bus.setFresh(5000);
    await copy.bus.setFresh(5000);
    await until(() => !ofOriginal.lease.trusted && !ofCopy.lease.trusted);
    for (const { errors } of [original, copy]) {
      expect(errors[0]).toMatchObject({ code: 'E_RIVAL_FEEDS' });
      expect(String(errors[0])).toContain(PRODUCTION.server);
      expect(String(errors[0])).toContain(CLONE.server);
    }
    expect(ofOriginal.clock.judge([], stamp)).toBe('purged');
    expect((await original.bus.publish([], 'purge')).epoch).not.toBe(stamp.epoch);
  });

  it('is not what a database server is that was merely started again', async () => {
    const of = { ...PRODUCTION };
    const speaker = await feed(of);
    const reader = await worker(of);
    await speaker.bus.setFresh(5000);
    await until(() => reader.lease.trusted);
    const stamp = reader.clock.stamp();
    for (const each of [speaker, reader]) each.bus.belongTo(CLONE);
    await speaker.bus.setFresh(5000);
    await until(() => reader.lease.trusted);
    expect(reader.clock.judge([], stamp)).toBe('valid');
    expect(speaker.errors).toEqual([]);
  });
});
