// How often something was done from one address, or to one account, lately: counted for the whole fleet by Redis, or by the primary for the
// workers of its host. Who has done it too often is remembered here until their time is over, so that a flood costs no question
// for each request.
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { RecentMap } from '../../core/recent-map.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { ThrottleRule } from './rule.ts';

/** Counts one more. Never rejects: where nobody can be asked it counts by itself. */
export interface Counter {
  /** Undefined: not too often. Otherwise how long until it may be done again. */
  count(key: string, rule: ThrottleRule): Promise<Milliseconds | undefined>;
  close?(): void;
}

/** More are forgotten, the oldest first, and asked about again. */
const MAX_REMEMBERED = 20_000;

export class Throttle {
  readonly #counter: Counter;
  readonly #clock: Clock;
  /** Until when (monotonic), by key. */
  readonly #refused = new RecentMap<Milliseconds>(MAX_REMEMBERED);
  readonly #counts = { asked: 0, refused: 0 };

  constructor(counter: Counter, clock: Clock) {
    this.#counter = counter;
    this.#clock = clock;
  }

  stats() {
    return { ...this.#counts };
  }

  /** `what`: of the route and of whom. Undefined: not too often. Otherwise how long until it may be done again; a promise only where somebody is asked. */
  over(
    what: readonly string[],
    rule: ThrottleRule,
  ): Milliseconds | undefined | Promise<Milliseconds | undefined> {
    const key = keyOf(what);
    const leftMs = (this.#refused.get(key) ?? 0) - this.#clock.monotonic();
    if (leftMs > 0) {
      this.#counts.refused++;
      return leftMs;
    }
    this.#counts.asked++;
    return this.#counter.count(key, rule).then((waitMs) => {
      if (waitMs === undefined) return undefined;
      this.#counts.refused++;
      this.#refused.set(key, this.#clock.monotonic() + waitMs);
      return waitMs;
    });
  }

  close(): void {
    this.#counter.close?.();
  }
}

/** No name of an account and no address lies in Redis. */
function keyOf(what: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('base64url');
}

/** One who has an IPv6 address has 2^64 of them. */
export function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  const all = [...groups, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
