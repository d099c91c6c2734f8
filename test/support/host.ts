// Whole caches as a host has them, over a real Redis and a real disk, for tests of faults.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fill, FillContext } from '../../src/cache/contract.ts';
import type { PageEntry } from '../../src/cache/entry.ts';
import { type Caches, type CachesOptions, openCaches } from '../../src/cache/stack/caches.ts';
import { systemClock } from '../../src/core/clock.ts';
import { parseRedisUrl } from '../../src/core/redis-url.ts';
import { PurgeClock } from '../../src/invalidation/clock/clock.ts';
import { until } from './redis.ts';
import { silent } from './silent.ts';

export interface Host extends AsyncDisposable {
  readonly caches: Caches;
  readonly purges: PurgeClock;
  readonly folder: string;
}

export interface HostOptions {
  readonly redisUrl?: string;
  readonly withDisk?: boolean;
  readonly epoch?: string;
  readonly commandTimeoutMs?: number;
  readonly overrides?: Partial<CachesOptions>;
}

export async function openHost({
  redisUrl,
  withDisk = false,
  epoch = 'e1',
  commandTimeoutMs = 100,
  overrides = {},
}: HostOptions): Promise<Host> {
  const folder = mkdtempSync(join(tmpdir(), 'crs-box-'));
  const purges = new PurgeClock({ epoch, slots: 1024 });
  const caches = openCaches({
    clock: systemClock,
    log: silent,
    random: Math.random,
    newId: randomUUID,
    validity: purges,
    pid: process.pid,
    memoryBytes: 50e6,
    staticBytes: 1e6,
    ...(redisUrl === undefined
      ? {}
      : { redis: { target: parseRedisUrl(redisUrl), prefix: 'crs:', commandTimeoutMs } }),
    ...(withDisk ? { disk: { folder, maxBytes: 1e8, writers: 1 } } : {}),
    ...overrides,
  });
  return {
    caches,
    purges,
    folder,
    async [Symbol.asyncDispose]() {
      await caches.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Redis is reached: what is written there can be read back. */
export async function connected({ caches }: Host): Promise<void> {
  let probe = 0;
  await until(async () => {
    const key = `probe${probe++}`;
    await caches.pages.fetch(key, wait, pageFill('probe'));
    await caches.pages.flushed();
    caches.pages.evict(key);
    return (await caches.pages.fetch(key, wait, pageFill('probe'))).tier === 'l2';
  });
}

export const wait = { group: '/page', hardTimeoutMs: 10_000, softTimeoutMs: 10_000 };

export function pageFill(
  text: string,
  onRender: (context: FillContext) => Promise<void> | void = () => {},
): Fill<PageEntry> {
  return async (context) => {
    await onRender(context);
    const createdMs = systemClock.now();
    const value: PageEntry = {
      status: 200,
      headers: [['content-type', 'text/html; charset=utf-8']],
      identity: Buffer.from(text),
      gzip: undefined,
      brotli: undefined,
      tag: text,
      keys: ['users#1'],
      stamp: context.stamp,
      createdMs,
      freshUntilMs: createdMs + 60_000,
      staleUntilMs: createdMs + 60_000,
      errorUntilMs: createdMs + 60_000,
    };
    return { value, store: true };
  };
}

type Counts = Readonly<Record<string, number>> & {
  readonly store: Readonly<Record<string, number | string>>;
};

/** The counters of a shared tier of the pages. */
export function l2(caches: Caches, tier: 'l2' | 'l3' = 'l2'): Counts {
  const shared: Record<string, unknown> = caches.pages.stats().shared;
  return shared[tier] as Counts;
}
