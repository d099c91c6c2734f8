// What Redis loses of the purge bus: keys evicted, overwritten, or put back from an older copy. Whatever it is, no entry
// that a purge has hit is taken for valid again, by workers that were there and by those that come later.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Stamp } from '../../src/core/units.ts';
import { type BusMember, busMember } from '../support/bus-member.ts';
import { type TestRedis, testRedis, until } from '../support/redis.ts';

let redis: TestRedis;
let admin: Redis;
let prefix: string;
let fleets = 0;
beforeAll(async () => {
  redis = await testRedis();
  admin = redis.admin;
});
afterAll(() => redis.close());
beforeEach(() => {
  prefix = `loss${fleets++}:`;
});

const KEYS = ['state', 'purged', 'expired', 'stream', 'members'] as const;
type Name = (typeof KEYS)[number];
const keyOf = (name: Name) => `{${prefix}bus}:${name}`;

async function copy(names: readonly Name[]): Promise<Map<Name, Buffer>> {
  const dumps = new Map<Name, Buffer>();
  for (const name of names) {
    const dump = await admin.dumpBuffer(keyOf(name));
    if (dump !== null) dumps.set(name, dump);
  }
  return dumps;
}

/** In one transaction, as a restore of a whole server is. */
async function putBack(dumps: Map<Name, Buffer>): Promise<void> {
  const transaction = admin.multi();
  for (const [name, dump] of dumps) transaction.restore(keyOf(name), 0, dump, 'REPLACE');
  await transaction.exec();
}

const judge = ({ clock }: BusMember, key: string, stamp: Stamp) => clock.judge(clock.slotsOf([key]), stamp);

async function purge(by: BusMember, key: string): Promise<void> {
  await until(() =>
    by.bus.publish([key], 'purge').then(
      () => true,
      () => false,
    ),
  );
}

/** Two kinds of entries: made before a purge, and made after it and before the next. */
async function holdsFor(member: BusMember, before: Stamp, after: Stamp): Promise<void> {
  await until(() => judge(member, 'users#17', before) === 'purged');
  await until(() => judge(member, 'users#18', after) === 'purged');
}

const LOSSES: readonly (readonly [string, (old: Map<Name, Buffer>) => Promise<unknown>])[] = [
  ['all of it, put back', (old) => putBack(old)],
  ...KEYS.map((name) => {
    const lose = (old: Map<Name, Buffer>) => putBack(new Map([...old].filter(([each]) => each === name)));
    return [`its ${name}, put back`, lose] as const;
  }),
  ...KEYS.map((name) => [`its ${name}, evicted`, () => admin.del(keyOf(name))] as const),
  ...KEYS.map((name) => {
    const overwrite = async () => {
      await admin.del(keyOf(name));
      await admin.zadd(keyOf(name), 1, 'foreign');
    };
    return [`its ${name}, overwritten by something else`, overwrite] as const;
  }),
  ['everything, flushed', () => admin.flushall()],
  ['everything, swapped for an empty database', () => admin.swapdb(0, 1)],
];

describe.each(LOSSES)('a Redis that loses of the bus %s', (_, lose) => {
  it('while workers run, makes nothing valid that was purged', async () => {
    await using publisher = await busMember(redis.url, prefix);
    await using reader = await busMember(redis.url, prefix);
    await purge(publisher, 'other');
    const old = await copy(KEYS);
    const before = reader.clock.stamp();
    await purge(publisher, 'users#17');
    await until(() => reader.clock.seq > before.seq);
    const after = reader.clock.stamp();
    await lose(old);
    await purge(publisher, 'users#18');
    await holdsFor(reader, before, after);
    await using late = await busMember(redis.url, prefix);
    await holdsFor(late, before, after);
    await until(() => reader.lease.trusted && publisher.lease.trusted);
    const published = await publisher.bus.publish(['users#1'], 'purge');
    expect((await publisher.bus.applied(published, { timeoutMs: 5000 })).missing).toEqual([]);
    expect(reader.clock.seq).toBeGreaterThanOrEqual(published.seq);
  });

  it('while nobody runs, makes nothing valid that was purged', async () => {
    const stamps: Stamp[] = [];
    let old = new Map<Name, Buffer>();
    {
      await using publisher = await busMember(redis.url, prefix);
      await purge(publisher, 'other');
      await until(() => publisher.clock.seq === 1);
      old = await copy(KEYS);
      stamps.push(publisher.clock.stamp());
      await purge(publisher, 'users#17');
      await until(() => publisher.clock.seq === 2);
      stamps.push(publisher.clock.stamp());
    }
    await lose(old);
    const [before, after] = stamps as [Stamp, Stamp];
    await using successor = await busMember(redis.url, prefix);
    // It finds an entry on its disk that was made after the purge.
    judge(successor, 'any', after);
    await purge(successor, 'users#18');
    await holdsFor(successor, before, after);
  });
});

it('keeps its stream within bytes, however large the purges are', async () => {
  await using publisher = await busMember(redis.url, prefix);
  const keys = Array.from({ length: 60 }, (_, index) => `${'k'.repeat(120)}${index}`);
  for (let index = 0; index < 1500; index++) await publisher.bus.publish(keys, 'purge');
  expect(Number(await admin.memory('USAGE', keyOf('stream'), 'SAMPLES', 0))).toBeLessThan(6_000_000);
  await until(() => publisher.clock.seq === 1500);
});

it('forgets workers that have gone, also where nobody waits for a purge', async () => {
  await using first = await busMember(redis.url, prefix);
  for (let index = 0; index < 50; index++) await admin.hset(keyOf('members'), `gone${index}`, '1000 0 e');
  await using second = await busMember(redis.url, prefix);
  expect(first.clock.epoch).toBe(second.clock.epoch);
  expect(await admin.hlen(keyOf('members'))).toBe(3);
});
