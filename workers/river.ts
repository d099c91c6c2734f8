// The river of purges as one worker hears it: the bus of the fleet where there is a Redis, of the box where there is
// none, the purge clock that follows it, and the lease that says how far the clock may be believed.
import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { connectForCommands, connectForMessages } from '../src/cache/redis-connect.ts';
import type { Clock } from '../src/core/clock.ts';
import type { Logger } from '../src/core/log.ts';
import { parseRedisUrl } from '../src/core/redis-url.ts';
import type { Milliseconds } from '../src/core/units.ts';
import { BoxBus, type RelayLine } from '../src/invalidation/box-bus.ts';
import type { PurgeBus } from '../src/invalidation/bus.ts';
import { PurgeClock } from '../src/invalidation/clock.ts';
import { follow } from '../src/invalidation/follow.ts';
import { Lease } from '../src/invalidation/lease.ts';
import { RedisBus } from '../src/invalidation/redis-bus.ts';

/** Longer than a hiccup, shorter than anybody waits: a purge that Redis takes this long for counts as not taken. */
const COMMAND_TIMEOUT_MS: Milliseconds = 1000;
/** All boxes on one Redis database are one fleet. */
const BUS_PREFIX = 'coherent:';

export interface RiverBus extends PurgeBus {
  start(): Promise<void>;
  setFresh(lifeMs: Milliseconds): Promise<void>;
  beginEpoch(): Promise<unknown>;
}

export interface River {
  readonly bus: RiverBus;
  readonly validity: PurgeClock;
  readonly lease: Lease;
  close(): Promise<void>;
}

export interface RiverOptions {
  readonly config: Config;
  /** The way to the relay in the primary; used where there is no Redis. */
  readonly line: RelayLine;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether pages may only be trusted while the change feed vouches for the database's log. */
  readonly needsFresh: boolean;
}

/**
 * The bound on staleness is spent in four parts: a quarter each for the feed's word and for the lease, the rest for
 * pages of the micro-cache (DEGRADED_TTL_MS). Readings come twice in a term, so that one may be late.
 */
export function createRiver({ config, line, clock, log, needsFresh }: RiverOptions): River {
  const termMs = config.coherenceBoundMs / 4;
  const lease = new Lease(clock, termMs);
  const common = { clock, lease, logger: log, readEveryMs: termMs / 2, needsFresh };
  const bus =
    config.redisUrl === undefined ? new BoxBus({ ...common, line }) : redisBus(config.redisUrl, common);
  const { degradedTtlMs } = config;
  const validity = new PurgeClock({ epoch: randomUUID(), lease, degradedTtlMs });
  const unfollow = follow(bus, validity, randomUUID);
  return {
    bus,
    validity,
    lease,
    close: async () => {
      unfollow();
      await bus.close();
    },
  };
}

function redisBus(
  url: string,
  common: Omit<ConstructorParameters<typeof RedisBus>[0], 'commands' | 'subscriber' | 'prefix' | 'newEpoch'>,
): RedisBus {
  const target = parseRedisUrl(url);
  return new RedisBus({
    ...common,
    commands: connectForCommands(target, COMMAND_TIMEOUT_MS),
    subscriber: connectForMessages(target),
    prefix: BUS_PREFIX,
    newEpoch: randomUUID,
    sharded: target.kind === 'cluster',
  });
}
