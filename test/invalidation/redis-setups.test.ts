// Redis as people run it: small and full, with every policy of eviction, with users of few rights, a replica, a disk that
// cannot be saved to. The bus works, or says what to do; nothing that was purged is ever taken for valid.
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisCommands } from '../../src/cache/redis/redis-commands.ts';
import { connectForCommands, connectForMessages } from '../../src/cache/redis/redis-connect.ts';
import { RedisFlights } from '../../src/cache/render/redis-flights.ts';
import { systemClock } from '../../src/core/clock.ts';
import { parseRedisUrl } from '../../src/core/redis-url.ts';
import { type BusMember, busMember } from '../support/bus-member.ts';
import { connected, l2, openHost, pageFill, wait } from '../support/host.ts';
import { type TestRedis, testRedis, until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';

let redis: TestRedis;
beforeEach(async () => {
  redis = await testRedis();
});
afterEach(() => redis.close());

const MB = 2 ** 20;

async function sized(maxMb: number, policy: string): Promise<void> {
  await redis.admin.config('SET', 'maxmemory', `${maxMb}mb`);
  await redis.admin.config('SET', 'maxmemory-policy', policy);
}

/** By somebody else, until it refuses or evicts; half of it with a time to live. */
async function fill(): Promise<void> {
  try {
    for (let index = 0; index < 80; index++) {
      await redis.admin.set(`foreign${index}`, Buffer.alloc(MB, index));
      if (index % 2 === 0) await redis.admin.pexpire(`foreign${index}`, 100_000);
    }
  } catch (error) {
    expect(String(error)).toContain('OOM');
  }
}

async function purges(by: BusMember, others: readonly BusMember[]): Promise<void> {
  const stamps = others.map(({ clock }) => clock.stamp());
  await until(() =>
    by.bus.publish(['users#17'], 'purge').then(
      () => true,
      () => false,
    ),
  );
  for (const [index, { clock }] of others.entries()) {
    const stamp = stamps[index];
    if (stamp !== undefined) await until(() => clock.judge(clock.slotsOf(['users#17']), stamp) === 'purged');
  }
}

describe('a Redis of 32 MB that is full and evicts nothing', () => {
  it('takes every purge, holds every lease, and makes nobody wait, also for the first time', async () => {
    await sized(32, 'noeviction');
    await using before = await busMember(redis.url);
    await fill();
    // To the last byte, and again whenever a buffer is given back.
    const filling = setInterval(() => {
      for (let times = 0; times < 20; times++)
        redis.admin.append('small', Buffer.alloc(1000)).catch(() => refusals++);
    }, 1);
    let refusals = 0;
    await until(() => refusals > 100);
    await using after = await busMember(redis.url);
    await using first = await busMember(redis.url, 'another-fleet:');
    const { epoch } = before.clock;
    for (let index = 0; index < 20; index++) await purges(before, [before, after]);
    await purges(first, [first]);
    await before.bus.setFresh(500);
    const published = await after.bus.publish(['users#1'], 'purge');
    expect((await after.bus.applied(published, { timeoutMs: 5000 })).missing).toEqual([]);
    for (const { lease, clock } of [before, after]) {
      await until(() => lease.trusted);
      expect(clock.epoch).toBe(epoch);
    }
    // One render a fleet, too.
    const client = connectForCommands(parseRedisUrl(redis.url), 5000);
    const messages = connectForMessages(parseRedisUrl(redis.url), {
      clock: systemClock,
      pingChannel: 'ping',
    });
    await Promise.all(
      [client, messages].map((each) => new Promise((resolve) => each.once('ready', resolve))),
    );
    const commands = new RedisCommands({ client, clock: systemClock, log: silent, random: () => 0 });
    const flights = new RedisFlights({
      commands,
      messages,
      clock: systemClock,
      prefix: 'lease:',
      newToken: randomUUID,
    });
    const turn = await flights.enter('k', new AbortController().signal);
    expect(flights.stats()).toMatchObject({ led: 1, failed: 0 });
    if (turn.role === 'leader') await turn.done();
    await flights.close();
    await commands.close();
    messages.disconnect();
    clearInterval(filling);
  });

  it('is not filled by cached pages', async () => {
    await sized(32, 'noeviction');
    await using member = await busMember(redis.url);
    await using box = await openHost({ redisUrl: redis.url, commandTimeoutMs: 5000 });
    await connected(box);
    const page = 'x'.repeat(MB / 4);
    for (let index = 0; index < 400 && l2(box.caches).store.redisCapacity === 'open'; index++) {
      await box.caches.pages.fetch(`k${index}`, wait, pageFill(page));
      await box.caches.pages.flushed();
      // Slowly enough for it to look.
      if (index % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(l2(box.caches).store.redisCapacity).toBe('closed');
    const [, used] = /used_memory:(\d+)/.exec(await redis.admin.info('memory')) ?? [];
    expect(Number(used)).toBeLessThan(32 * MB);
    await redis.admin.set('of somebody else', 'there is room');
    await purges(member, [member]);
    await until(() => member.lease.trusted);
    // What is there is still read, and when there is room again it is used.
    await redis.admin.flushall();
    await until(async () => {
      await box.caches.pages.fetch(`r${performance.now()}`, wait, pageFill('small'));
      return l2(box.caches).store.redisCapacity === 'open';
    });
  });
});

describe.each([
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-ttl',
  'volatile-random',
])('a full Redis with the policy %s', (policy) => {
  it('loses no purge, whatever it evicts', async () => {
    await sized(16, policy);
    await using one = await busMember(redis.url);
    await using two = await busMember(redis.url);
    for (let round = 0; round < 3; round++) {
      await fill();
      await purges(one, [one, two]);
      await purges(two, [one, two]);
    }
    await until(() => one.lease.trusted && two.lease.trusted && one.clock.epoch === two.clock.epoch);
  });
});

describe('a Redis that refuses', () => {
  /** What publishing comes to. */
  const refusal = async ({ bus }: BusMember) =>
    bus.publish(['users#1'], 'purge').then(
      () => '',
      (error: unknown) => String(error),
    );

  it('because it is a replica is told of so', async () => {
    await using member = await busMember(redis.url);
    await redis.admin.replicaof('127.0.0.1', '1');
    await until(async () => (await refusal(member)).includes('REDIS_URL names a replica'));
    await until(() => !member.lease.trusted);
    await redis.admin.replicaof('NO', 'ONE');
    await until(() => member.lease.trusted);
  });

  it('because it cannot save is told of so', async () => {
    await using member = await busMember(redis.url);
    // Its folder is gone under its feet.
    rmSync(redis.folder, { recursive: true });
    await redis.admin.bgsave();
    await until(async () => (await refusal(member)).includes('cannot save to its disk'));
    await redis.admin.config('SET', 'stop-writes-on-bgsave-error', 'no');
    await until(() => member.lease.trusted);
    await redis.admin.config('SET', 'save', '');
  });

  it('because this user may not is told of so', async () => {
    await redis.admin.call('ACL', 'SETUSER', 'few', 'on', '>pw', '~other:*', '&*', '+@all');
    await using member = await busMember(redis.url);
    await redis.admin.call('ACL', 'SETUSER', 'default', 'resetkeys', '~other:*');
    await until(async () => (await refusal(member)).includes('docs/guides/redis.md'));
    await redis.admin.call('ACL', 'SETUSER', 'few', '~*');
    const admin = redis.admin.duplicate({ username: 'few', password: 'pw' });
    await admin.call('ACL', 'SETUSER', 'default', '~*');
    admin.disconnect();
    await until(() => member.lease.trusted);
  });
});

describe('a user with the rights of docs/guides/redis.md and no others', () => {
  it('has a bus, a cache and one render a fleet', async () => {
    const rights = [
      '~coherent:*',
      '~{coherent:*',
      '&coherent:*',
      '&{coherent:*',
      '+@read',
      '+@write',
      '+@pubsub',
      '+@connection',
      '+@scripting',
      '+time',
      '-@dangerous',
      '+info',
    ];
    await redis.admin.call('ACL', 'SETUSER', 'crs', 'reset', 'on', '>secret', ...rights);
    const url = new URL(redis.url);
    url.username = 'crs';
    url.password = 'secret';
    const named = url.href;
    await using one = await busMember(named, 'coherent:');
    await using two = await busMember(named, 'coherent:');
    await purges(one, [one, two]);
    const published = await one.bus.publish(['users#1'], 'purge');
    expect((await one.bus.applied(published, { timeoutMs: 5000 })).missing).toEqual([]);
    await using box = await openHost({
      overrides: {
        redis: {
          target: parseRedisUrl(named),
          prefix: 'coherent:',
          commandTimeoutMs: 5000,
        },
      },
    });
    await connected(box);
    expect(l2(box.caches).store.redisCapacity).toBe('open');
    await box.caches.pages.clear();
    expect(await redis.admin.call('ACL', 'LOG')).toEqual([]);
  });
});
