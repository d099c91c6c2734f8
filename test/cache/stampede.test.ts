// Many want one cold key at once, in several workers of several hosts: one render.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalFlights } from '../../src/cache/render/flights.ts';
import { connected, type Host, openHost, pageFill, wait } from '../support/host.ts';
import { type TestRedis, testRedis, until } from '../support/redis.ts';

let redis: TestRedis;
let workers: Host[];
/** The workers of the two hosts; each host has its own agreement, nearer than the fleet's. */
const boxes = [new LocalFlights(), new LocalFlights()];

beforeEach(async () => {
  redis = await testRedis();
  const open = (index: number) =>
    openHost({
      redisUrl: redis.url,
      withDisk: true,
      commandTimeoutMs: 2000,
      overrides: { box: boxes[index % 2] ?? new LocalFlights() },
    });
  workers = await Promise.all([open(0), open(0), open(1), open(1)]);
  await Promise.all(workers.map(connected));
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  await redis.close();
});

/** 500 requests, spread over the workers. Answers how often was rendered. */
async function stampede(key: string, renderMs = 50): Promise<number> {
  let renders = 0;
  const fill = pageFill('one', async () => {
    renders++;
    await new Promise((resolve) => setTimeout(resolve, renderMs));
  });
  const all = await Promise.all(
    Array.from({ length: 500 }, (_, index) => {
      const worker = workers[index % workers.length];
      return worker === undefined ? expect.fail('no worker') : worker.caches.pages.fetch(key, wait, fill);
    }),
  );
  for (const { value } of all) expect(value.identity.toString()).toBe('one');
  return renders;
}

describe('500 requests for a cold key, two hosts of two workers', () => {
  it('cause one render in the fleet', async () => {
    for (const key of ['a', 'b', 'c', 'd', 'e']) expect(await stampede(key)).toBe(1);
  });

  it('cause one more after a purge, and nobody sees the old page', async () => {
    await stampede('k');
    for (const { purges } of workers) purges.apply(1, ['users#1'], 'purge');
    expect(await stampede('k')).toBe(1);
  });

  it('cause at most one render a worker while Redis is hung, and none waits for ever', async () => {
    const pid = await redis.pid();
    process.kill(pid, 'SIGSTOP');
    try {
      await Promise.all(workers.map(({ caches }) => caches.pages.fetch('first', wait, pageFill('x'))));
      expect(await stampede('k')).toBeLessThanOrEqual(workers.length);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('leave no lease, no flight and no waiter behind', async () => {
    await stampede('k');
    await Promise.all(workers.map(({ caches }) => caches.pages.flushed()));
    await until(async () => (await redis.admin.keys('crs:lease:*')).length === 0);
    for (const { caches } of workers) expect(caches.pages.stats().inFlight).toBe(0);
  });
});
