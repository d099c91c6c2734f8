// The purge bus as a process of this server joins it: through the fleet's Redis, or through the primary of the host.
import { randomUUID } from 'node:crypto';
import { connectForCommands, connectForMessages } from '../cache/redis/redis-connect.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { parseRedisUrl } from '../core/redis-url.ts';
import type { Milliseconds } from '../core/units.ts';
import { HostBus, type RelayLine } from '../host-link/purges/host-bus.ts';
import type { Lease } from '../invalidation/clock/lease.ts';
import { RedisBus } from '../invalidation/redis/redis-bus.ts';

export interface PurgeBusOptions {
  /** Undefined: the host works alone. */
  readonly redisUrl: string | undefined;
  /** To the relay in the primary; used without Redis only. */
  readonly line: RelayLine;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly logger: Logger;
  readonly readEveryMs: Milliseconds;
  /** Whether the lease also demands that the change feed is up to date. */
  readonly needsFresh: boolean;
  /** Of a process that serves pages: its name among the acknowledgements, unlike any other of the fleet. */
  readonly member?: string;
  /** How long such a process serves what it has just made while it is not trusted. */
  readonly degradedTtlMs?: Milliseconds;
}

/** Buses of one Redis with one prefix are one bus. */
const PREFIX = 'coherent:';
/** A purge of 100,000 keys takes Redis a while; a reading that takes this long is of no use to the lease anyway. */
const COMMAND_TIMEOUT_MS: Milliseconds = 1000;
/** A connection that has not answered for two terms of the lease is made anew: within half of COHERENCE_BOUND_MS. */
const SILENT_TERMS = 2;
/** A Redis that saves or is busy for a moment is not silent. */
const SHORTEST_SILENCE_MS: Milliseconds = 500;

/** Joined, but not listening yet: `start()` is the caller's, and so is `belongTo`, without which nothing is trusted. */
export function joinPurgeBus({ redisUrl, line, ...common }: PurgeBusOptions): RedisBus | HostBus {
  const owned = { ...common, isOwned: true, newEpoch: randomUUID };
  if (redisUrl === undefined) return new HostBus({ ...owned, line });
  const target = parseRedisUrl(redisUrl);
  const sharded = target.kind === 'cluster';
  const silentAfterMs = Math.max(SHORTEST_SILENCE_MS, SILENT_TERMS * common.lease.termMs);
  return new RedisBus({
    ...owned,
    commands: connectForCommands(target, COMMAND_TIMEOUT_MS, silentAfterMs),
    subscriber: connectForMessages(target, {
      clock: common.clock,
      // Of the same hash tag as the channel itself.
      pingChannel: `{${PREFIX}bus}:ping`,
      sharded,
      silentAfterMs,
    }),
    prefix: PREFIX,
    sharded,
  });
}
