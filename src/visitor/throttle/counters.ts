// Counting by the library rate-limiter-flexible: one limiter for each rule that there is, and rules come from code.
import {
  type IRateLimiterOptions,
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Milliseconds } from '../../core/units.ts';
import type { ThrottleRule } from './rule.ts';
import type { Counter } from './throttle.ts';

type Make = (options: IRateLimiterOptions) => RateLimiterAbstract;

class LibraryCounter implements Counter {
  readonly #make: Make;
  readonly #limiters = new Map<string, RateLimiterAbstract>();

  constructor(make: Make) {
    this.#make = make;
  }

  async count(key: string, rule: ThrottleRule): Promise<Milliseconds | undefined> {
    try {
      await this.#limiterFor(rule).consume(key);
      return undefined;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
      throw refusal;
    }
  }

  #limiterFor({ max, withinMs }: ThrottleRule): RateLimiterAbstract {
    const name = `${max}/${withinMs}`;
    const known = this.#limiters.get(name);
    if (known !== undefined) return known;
    const limiter = this.#make({ keyPrefix: name, points: max, duration: withinMs / 1000 });
    this.#limiters.set(name, limiter);
    return limiter;
  }
}

/** In this process alone. */
export function memoryCounter(): Counter {
  return new LibraryCounter((options) => new RateLimiterMemory(options));
}

/** For all hosts that have this Redis; each process by itself while it is away. `client`: of ioredis, for commands. */
export function redisCounter(client: unknown, prefix: string): Counter {
  return new LibraryCounter(({ keyPrefix, ...options }) => {
    const name = `${prefix}throttle:${keyPrefix}`;
    return new RateLimiterRedis({
      ...options,
      keyPrefix: name,
      storeClient: client,
      insuranceLimiter: new RateLimiterMemory({ ...options, keyPrefix: name }),
    });
  });
}
