// How a worker counts what is done too often: by Redis where there is one, so that all hosts count together; else by the primary.
import type { Config } from '../../config/config.ts';
import { connectForCommands } from '../cache/redis/redis-connect.ts';
import type { Clock } from '../core/clock.ts';
import { parseRedisUrl } from '../core/redis-url.ts';
import { redisCounter } from '../visitor/throttle/counters.ts';
import { HostCounter, type ThrottleLine } from '../visitor/throttle/host-counter.ts';
import { Throttle } from '../visitor/throttle/throttle.ts';
import { REDIS_PREFIX } from './render-cache.ts';

/** A login can wait for so long; then each worker counts by itself. */
const COMMAND_TIMEOUT_MS = 250;

export interface ThrottleParts {
  readonly config: Pick<Config, 'redisUrl'>;
  readonly line: ThrottleLine;
  readonly clock: Clock;
}

export function openThrottle({ config, line, clock }: ThrottleParts): Throttle {
  const { redisUrl } = config;
  if (redisUrl === undefined) return new Throttle(new HostCounter(line, clock), clock);
  const client = connectForCommands(parseRedisUrl(redisUrl), COMMAND_TIMEOUT_MS);
  const counter = redisCounter(client, REDIS_PREFIX);
  return new Throttle(
    { count: (key, rule) => counter.count(key, rule), close: () => client.disconnect() },
    clock,
  );
}
