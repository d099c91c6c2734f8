// L2 and the lease of the fleet on every kind of Redis that REDIS_URL can name.
import { describe, expect, it } from 'vitest';
import { connected, openHost, pageFill, wait } from '../support/host.ts';
import { testRedis } from '../support/redis.ts';
import { redisCluster, redisSentinel } from '../support/redis-fleet.ts';

describe.each([
  ['one server on a socket', testRedis],
  ['a cluster of three', redisCluster],
  ['what a sentinel names', redisSentinel],
])('%s', (_, start) => {
  it('shares pages between two hosts, renders once, and is cleared of them', async () => {
    await using redis = await start();
    await using one = await openHost({ redisUrl: redis.url, commandTimeoutMs: 5000 });
    await using two = await openHost({ redisUrl: redis.url, commandTimeoutMs: 5000 });
    await connected(one);
    await connected(two);
    let renders = 0;
    const fill = pageFill('page', async () => {
      renders++;
      await new Promise((resolve) => setTimeout(resolve, 30));
    });
    // Many keys, so that every node of a cluster has some.
    const keys = Array.from({ length: 30 }, (__, index) => `k${index}`);
    await Promise.all(
      keys.flatMap((key) => [one, two].map(({ caches }) => caches.pages.fetch(key, wait, fill))),
    );
    expect(renders).toBe(keys.length);
    await Promise.all([one.caches.pages.flushed(), two.caches.pages.flushed()]);
    for (const key of keys) {
      two.caches.pages.evict(key);
      expect((await two.caches.pages.fetch(key, wait, async () => expect.fail('rendered'))).tier).toBe('l2');
    }
    await one.caches.pages.clear();
    two.caches.pages.evict('k0');
    expect((await two.caches.pages.fetch('k0', wait, pageFill('again'))).result).toBe('miss');
  });
});
