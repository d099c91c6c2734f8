// The purge bus on a Redis Cluster (sharded pub/sub), and through a takeover that loses the last writes.
import { describe, expect, it } from 'vitest';
import { busMember as member } from '../support/bus-member.ts';
import { testRedis, until } from '../support/redis.ts';
import { redisCluster } from '../support/redis-fleet.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

describe('the purge bus on a Redis Cluster', () => {
  it('brings purges over a sharded channel, not only by readings', async () => {
    await using cluster = await redisCluster();
    const [a, b] = [await member(cluster.url), await member(cluster.url)];
    try {
      // Messages come once the subscription stands; until then readings mend what is missing.
      await until(async () => {
        const before = b.bus.stats();
        const { seq } = await a.bus.publish(['users#17'], 'purge');
        await until(() => b.clock.seq >= seq);
        return b.bus.stats().gapsMended === before.gapsMended;
      });
      const stamp = b.clock.stamp();
      const { seq } = await a.bus.publish(['users#1', 'users#2'], 'purge');
      await until(() => b.clock.seq >= seq);
      expect(b.clock.judge(b.clock.slotsOf(['users#2']), stamp)).toBe('purged');
      const published = await a.bus.publish(['users#3'], 'purge');
      expect(await a.bus.applied(published, { timeoutMs: 5000 })).toEqual({ workers: 2, missing: [] });
    } finally {
      await Promise.all([a.bus.close(), b.bus.close()]);
    }
  });
});

describe('connections to a Redis Cluster that fall silent while new ones work', () => {
  it('are made anew: the lease is held again, and purges come over the channel', async () => {
    await using cluster = await redisCluster();
    const [a, b] = [await member(cluster.url), await member(cluster.url)];
    try {
      for (const proxy of cluster.proxies) proxy.silenceExisting();
      await until(() => !a.lease.trusted && !b.lease.trusted);
      await until(() => a.lease.trusted && b.lease.trusted);
      await until(async () => {
        const before = b.bus.stats();
        const published = await a.bus.publish(['users#17'], 'purge').catch(() => undefined);
        if (published === undefined) return false;
        await until(() => b.clock.seq >= published.seq);
        return b.bus.stats().gapsMended === before.gapsMended;
      });
    } finally {
      await Promise.all([a.bus.close(), b.bus.close()]);
    }
  });
});

describe('a takeover that loses the last writes', () => {
  it('begins a new epoch although the replica knows the old one, and purges lost with the old primary are published again', async () => {
    await using primary = await testRedis();
    await using replica = await testRedis();
    const old = await TcpProxy.to({ path: `${primary.folder}/redis.sock` });
    const url = `redis://127.0.0.1:${old.port}/0`;
    const [publisher, reader] = [await member(url), await member(url)];
    try {
      const before = reader.clock.epoch;
      await publisher.bus.publish(['users#1'], 'purge');
      // What an asynchronous replica has at this moment: everything but the purge that follows.
      const keys = await primary.admin.keys('*');
      for (const key of keys) {
        await replica.admin.restore(key, 0, (await primary.admin.dumpBuffer(key)) ?? Buffer.alloc(0));
      }
      await publisher.bus.publish(['users#17'], 'purge');
      expect(await replica.admin.hget('{kinds:bus}:state', 'epoch')).toBe(before);

      old.retarget({ path: `${replica.folder}/redis.sock` });
      old.cut();
      await until(() => reader.clock.epoch !== before && reader.lease.trusted);
      // Rendered between the takeover and the publisher's return: it must not outlive the purge that was lost.
      const stamp = reader.clock.stamp();
      await until(() =>
        publisher.bus.publish(['unrelated'], 'purge').then(
          () => true,
          () => false,
        ),
      );
      await until(() => reader.clock.judge(reader.clock.slotsOf(['users#17']), stamp) === 'purged');
    } finally {
      await Promise.all([publisher.bus.close(), reader.bus.close()]);
      await old.close();
    }
  });
});

describe('what is used of Redis', () => {
  it('is one hash tag, so that all keys live on one node', async () => {
    await using redis = await testRedis();
    const { bus } = await member(redis.url);
    await bus.publish(['users#1'], 'purge');
    await bus.setFresh(500);
    const keys = await redis.admin.keys('*');
    expect(keys.length).toBeGreaterThanOrEqual(4);
    for (const key of keys) expect(key).toMatch(/^\{kinds:bus\}:/);
    await bus.close();
  });
});
