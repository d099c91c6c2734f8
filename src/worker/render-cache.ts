// The caches of one render worker: which tiers there are, and whose share of them is whose, as the settings say.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { type FlightLine, HostFlights } from '../cache/render/host-flights.ts';
import type { RenderSlots } from '../cache/render/render-slots.ts';
import { parseRollout } from '../cache/rollout/rollout.ts';
import { type Caches, type CachesOptions, openCaches } from '../cache/stack/caches.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { parseRedisUrl } from '../core/redis-url.ts';
import type { Tracing } from '../core/trace.ts';
import type { Bytes } from '../core/units.ts';
import type { Validity } from '../core/validity.ts';

/** How a worker's share of L1_MAX_BYTES is divided. Prepared answers are heads and small bodies once more. */
const SHARES = { memory: 0.8, pinned: 0.1, prepared: 0.1 } as const;

/** Below that a render costs less than to ask for its result elsewhere: docs/decisions/0043-cheap-and-dear-renders.md. */
const CHEAP_MS = 2;

/** Names of what is kept in Redis; everything else there belongs to others. */
export const REDIS_PREFIX = 'coherent:';

export interface RenderCachesOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly validity: Validity;
  /** To the primary, which keeps the workers of the host from rendering the same thing twice. */
  readonly line: FlightLine;
  /** Where the tiers in memory tell what they hold. */
  readonly tierObserver: NonNullable<CachesOptions['tierObserver']>;
  readonly slots: RenderSlots;
  readonly trace: Tracing;
  /** The name of the database that pages are made from; undefined while it is not known. */
  readonly owner: () => string | undefined;
  /** Whether this is the worker of its host that tells people how their Redis is set. */
  readonly tells: boolean;
}

export function createCaches({
  config,
  clock,
  log,
  validity,
  line,
  tierObserver,
  slots,
  trace,
  owner,
  tells,
}: RenderCachesOptions): Caches & {
  /** For the fast path's prepared answers. */
  readonly preparedBytes: Bytes;
} {
  const share = (part: keyof typeof SHARES) =>
    Math.floor((config.l1MaxBytes / config.workers) * SHARES[part]);
  const { redisUrl, rollout, l2, l3, l3MaxBytes, workers } = config;
  const caches = openCaches({
    clock,
    log,
    validity,
    tierObserver,
    slots,
    trace,
    owner,
    standInMs: config.overloadStaleMs,
    cheapMs: CHEAP_MS,
    random: Math.random,
    newId: randomUUID,
    pid: process.pid,
    memoryBytes: share('memory'),
    staticBytes: share('pinned'),
    // A worker alone has no other to agree with; a message to the primary for every miss would be for nothing.
    ...(workers > 1 && { box: new HostFlights({ line, clock }) }),
    ...(rollout !== undefined && { rollout: parseRollout(rollout) }),
    ...(redisUrl !== undefined && {
      redis: { target: parseRedisUrl(redisUrl), prefix: REDIS_PREFIX, holdsPages: l2, tells },
    }),
    ...(l3 &&
      l3MaxBytes > 0 && {
        disk: { folder: join(config.dataDir, 'l3'), maxBytes: l3MaxBytes, writers: workers },
      }),
  });
  return { ...caches, preparedBytes: share('prepared') };
}
