import type { Clock } from '../../core/clock.ts';
import type { Bytes, EpochMs, Milliseconds } from '../../core/units.ts';
import type { Validity, Verdict } from '../../core/validity.ts';
import type { CacheKey } from '../contract.ts';
import type { Cached } from '../entry.ts';
import type { Grouped } from './group-queues.ts';

export interface CachedEntryParts<V extends Cached> {
  readonly key: CacheKey;
  readonly value: V;
  readonly group: string;
  readonly bytes: Bytes;
  readonly validity: Validity;
  readonly clock: Clock;
}

/**
 * An entry in memory with what judging it costs nothing to know: its slots, and the clock's version at which it
 * was last judged. While the clock has not moved since, one comparison of integers settles its validity.
 */
export class CachedEntry<V extends Cached> implements Grouped<CachedEntry<V>> {
  readonly key: CacheKey;
  readonly value: V;
  readonly group: string;
  /** What it takes in memory, its containers included. A positive integer, as lru-cache demands. */
  readonly bytes: Bytes;
  /** Read since the group last looked for something to evict. */
  touched = false;
  /** Nothing displaces it. */
  isPinned = false;
  /** Times it was served since it was made. */
  reads = 0;
  /** Its place in its group's queue. */
  older: CachedEntry<V> | undefined = undefined;
  newer: CachedEntry<V> | undefined = undefined;
  readonly #slots: Uint32Array;
  /** The wall clock less the monotonic one, when this was taken in. */
  readonly #wallAheadMs: Milliseconds;
  #judgedAt: number;
  #verdict: Verdict;

  constructor({ key, value, group, bytes, validity, clock }: CachedEntryParts<V>) {
    this.key = key;
    this.#wallAheadMs = clock.now() - clock.monotonic();
    this.value = value;
    this.group = group;
    this.bytes = bytes;
    this.#slots = validity.slotsOf(value.keys);
    this.#judgedAt = validity.version;
    this.#verdict = validity.judge(this.#slots, value.stamp);
  }

  /** The tier that it lies in. */
  get tier(): 'static' | 'l1' {
    return this.isPinned ? 'static' : 'l1';
  }

  /**
   * The moment to compare the times of this entry with. Where the wall clock was set back it goes on by the monotonic
   * one: an entry does not live longer for it. Where the machine slept, which the monotonic one does not count, the
   * wall clock tells.
   */
  nowMs(clock: Clock): EpochMs {
    return Math.max(clock.now(), clock.monotonic() + this.#wallAheadMs);
  }

  verdict(validity: Validity): Verdict {
    if (this.#judgedAt !== validity.version) {
      this.#verdict = validity.judge(this.#slots, this.value.stamp);
      this.#judgedAt = validity.version;
    }
    return this.#verdict;
  }
}

/** What may be done with an entry now. `error`: only in the place of a render that failed. */
export type Use = 'fresh' | 'stale' | 'error' | 'none';

/** Does this worker know all purges, as far as it can tell? */
export function isTrusted(validity: Validity, clock: Clock): boolean {
  return clock.monotonic() < validity.trustedUntil;
}

/**
 * May the verdict on this entry be believed? While purges may be missing only for what was read a moment ago. An entry
 * from the future tells that a clock was set back: its age is unknown, so it is never believed.
 */
export function isBelievable(
  { createdMs }: Cached,
  validity: Validity,
  clock: Clock,
  nowMs: EpochMs = clock.now(),
): boolean {
  const ageMs = nowMs - createdMs;
  return ageMs >= 0 && (isTrusted(validity, clock) || ageMs < validity.degradedTtlMs);
}

export function isFresh(
  value: Cached,
  verdict: Verdict,
  validity: Validity,
  clock: Clock,
  nowMs: EpochMs = clock.now(),
): boolean {
  return verdict === 'valid' && nowMs < value.freshUntilMs && isBelievable(value, validity, clock, nowMs);
}

export function useOf(
  value: Cached,
  verdict: Verdict,
  validity: Validity,
  clock: Clock,
  nowMs: EpochMs = clock.now(),
): Use {
  if (verdict === 'purged') return 'none';
  if (isFresh(value, verdict, validity, clock, nowMs)) return 'fresh';
  const believable = isBelievable(value, validity, clock, nowMs);
  if (nowMs < value.staleUntilMs && believable) return 'stale';
  // A page that chose nothing may have an error window, too: it ends with its freshness, which nothing vouches for now.
  const mayStandIn = believable || value.errorUntilMs > value.freshUntilMs;
  return mayStandIn && nowMs >= value.createdMs && nowMs < value.errorUntilMs ? 'error' : 'none';
}

/**
 * May it be served where this worker has no room to render? What ran out less than `standInMs` ago, or was expired. Never
 * what was purged, and nothing while purges may be missing.
 */
export function mayStandIn(
  value: Cached,
  verdict: Verdict,
  validity: Validity,
  clock: Clock,
  standInMs: Milliseconds,
  nowMs: EpochMs = clock.now(),
): boolean {
  if (verdict === 'purged' || !isBelievable(value, validity, clock, nowMs)) return false;
  return nowMs < usableUntilMs(value) + standInMs;
}

/** The moment after which an entry is of no use to anybody. */
export function usableUntilMs(value: Cached): EpochMs {
  return Math.max(value.freshUntilMs, value.staleUntilMs, value.errorUntilMs);
}

/** The verdict on an entry that is not held in memory (yet). */
export function judgeKeys(validity: Validity, value: Cached): Verdict {
  return validity.judge(validity.slotsOf(value.keys), value.stamp);
}
