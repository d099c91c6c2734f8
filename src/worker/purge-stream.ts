// The purge stream of purges as a render worker hears it: the bus, the purge clock that follows it, and the lease that says
// how far the clock may be believed.
import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { PoolIdentity } from '../data/pool/identity.ts';
import type { RelayLine } from '../host-link/purges/host-bus.ts';
import { ownerOf } from '../invalidation/bus/bus-owner.ts';
import { follow } from '../invalidation/bus/follow.ts';
import { PurgeClock } from '../invalidation/clock/clock.ts';
import { Lease } from '../invalidation/clock/lease.ts';
import type { MeasuredBus } from '../invalidation/measure/coherence-meter.ts';
import { joinPurgeBus } from './purge-bus.ts';

export interface PurgeStream {
  readonly bus: MeasuredBus;
  readonly validity: PurgeClock;
  readonly lease: Lease;
  /** Whose purges it follows: before this is known nothing is trusted. */
  speakOf(identity: Pick<PoolIdentity, 'current' | 'onChange'>): void;
  /** Resolves after the first reading, whether it succeeded or not. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface PurgeStreamOptions {
  readonly config: Config;
  /** The way to the relay in the primary; used where there is no Redis. */
  readonly line: RelayLine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Names this worker to those who wait for a purge: unlike any other of the fleet. */
  readonly member: string;
}

/**
 * The bound on staleness is the sum of three lives: a quarter each for the feed's word and for the lease, and the rest
 * for pages of the micro-cache (DEGRADED_TTL_MS). Readings come twice in a lease's term, so that one may be late.
 */
export function createPurgeStream({ config, line, clock, logger, member }: PurgeStreamOptions): PurgeStream {
  const { coherenceBoundMs, degradedTtlMs, redisUrl, feed } = config;
  const termMs = coherenceBoundMs / 4;
  const lease = new Lease(clock, termMs);
  const bus = joinPurgeBus({
    redisUrl,
    line,
    clock,
    lease,
    logger,
    member,
    degradedTtlMs,
    readEveryMs: termMs / 2,
    // With a feed no page may be trusted that it has not vouched for; without one, pages live by TTL and explicit purges.
    needsFresh: feed === 'on',
  });
  const validity = new PurgeClock({
    epoch: randomUUID(),
    lease,
    degradedTtlMs,
    onAhead: (stamp) => bus.saw(stamp),
  });
  const unfollow = follow(bus, validity, randomUUID);
  return {
    bus,
    validity,
    lease,
    speakOf: (identity) => {
      bus.belongTo(ownerOf(identity.current));
      identity.onChange((now) => bus.belongTo(ownerOf(now)));
    },
    start: () => bus.start(),
    close: async () => {
      unfollow();
      await bus.close();
    },
  };
}
