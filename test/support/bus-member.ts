// A worker on the purge bus, connected to Redis as a real one is.
import { randomUUID } from 'node:crypto';
import { connectForCommands, connectForMessages } from '../../src/cache/redis/redis-connect.ts';
import { systemClock } from '../../src/core/clock.ts';
import { parseRedisUrl } from '../../src/core/redis-url.ts';
import { follow } from '../../src/invalidation/bus/follow.ts';
import { PurgeClock } from '../../src/invalidation/clock/clock.ts';
import { Lease } from '../../src/invalidation/clock/lease.ts';
import { RedisBus } from '../../src/invalidation/redis/redis-bus.ts';
import { until } from './redis.ts';
import { silent } from './silent.ts';

export interface BusMember extends AsyncDisposable {
  readonly bus: RedisBus;
  readonly clock: PurgeClock;
  readonly lease: Lease;
}

const MEMBER_SLOTS = 2 ** 12;

/** Trusted. `prefix` names the fleet. */
export async function busMember(url: string, prefix = 'kinds:'): Promise<BusMember> {
  const target = parseRedisUrl(url);
  const sharded = target.kind === 'cluster';
  const lease = new Lease(systemClock, 200);
  const bus = new RedisBus({
    commands: connectForCommands(target, 1000),
    subscriber: connectForMessages(target, {
      clock: systemClock,
      pingChannel: `{${prefix}bus}:ping`,
      sharded,
    }),
    sharded,
    prefix,
    clock: systemClock,
    logger: silent,
    newEpoch: randomUUID,
    readEveryMs: 100,
    needsFresh: false,
    member: randomUUID(),
    slots: MEMBER_SLOTS,
    lease,
  });
  const clock = new PurgeClock({ epoch: 'none', slots: MEMBER_SLOTS, onAhead: (stamp) => bus.saw(stamp) });
  follow(bus, clock, randomUUID);
  await bus.start();
  await until(() => lease.trusted && clock.epoch !== 'none');
  return { bus, clock, lease, [Symbol.asyncDispose]: () => bus.close() };
}
