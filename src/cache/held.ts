import type { Clock } from '../core/clock.ts';
import type { EpochMs, Milliseconds } from '../core/units.ts';
import type { Validity, Verdict } from '../core/validity.ts';
import type { Cached } from './entry.ts';

/**
 * An entry in memory with what judging it costs nothing to know: its slots, and the clock's version at which it
 * was last judged. While the clock has not moved since, one comparison of integers settles its validity.
 */
export class Held<V extends Cached> {
  readonly value: V;
  readonly group: string;
  readonly bytes: number;
  /** Read since the group last looked for something to evict. */
  touched = false;
  /** Times it was served since it was made. */
  reads = 0;
  readonly #slots: Uint32Array;
  #judgedAt: number;
  #verdict: Verdict;

  constructor(value: V, group: string, bytes: number, validity: Validity) {
    this.value = value;
    this.group = group;
    this.bytes = bytes;
    this.#slots = validity.slotsOf(value.keys);
    this.#judgedAt = validity.version;
    this.#verdict = validity.judge(this.#slots, value.stamp);
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
 * May the verdict on this entry be believed? While purges may be missing only for what was read a moment ago, by the
 * wall clock of this box: an entry from the future tells that the clock was set back, and is not believed.
 */
export function isBelievable({ createdMs }: Cached, validity: Validity, clock: Clock): boolean {
  if (isTrusted(validity, clock)) return true;
  const ageMs = clock.now() - createdMs;
  return ageMs >= 0 && ageMs < validity.degradedTtlMs;
}

export function isFresh(value: Cached, verdict: Verdict, validity: Validity, clock: Clock): boolean {
  return verdict === 'valid' && clock.now() < value.freshUntilMs && isBelievable(value, validity, clock);
}

export function useOf(value: Cached, verdict: Verdict, validity: Validity, clock: Clock): Use {
  if (verdict === 'purged') return 'none';
  if (isFresh(value, verdict, validity, clock)) return 'fresh';
  const nowMs = clock.now();
  const believable = isBelievable(value, validity, clock);
  if (nowMs < value.staleUntilMs && believable) return 'stale';
  // A page that chose nothing may have an error window, too: it ends with its freshness, which nobody vouches for now.
  const mayStandIn = believable || value.errorUntilMs > value.freshUntilMs;
  return mayStandIn && nowMs < value.errorUntilMs ? 'error' : 'none';
}

/**
 * May it be served where this worker has no room to render? What ran out less than `spareMs` ago, or was expired. Never
 * what was purged, and nothing while purges may be missing.
 */
export function isSpare(
  value: Cached,
  verdict: Verdict,
  validity: Validity,
  clock: Clock,
  spareMs: Milliseconds,
): boolean {
  if (verdict === 'purged' || !isBelievable(value, validity, clock)) return false;
  return clock.now() < usableUntilMs(value) + spareMs;
}

/** The moment after which an entry is of no use to anybody. */
export function usableUntilMs(value: Cached): EpochMs {
  return Math.max(value.freshUntilMs, value.staleUntilMs, value.errorUntilMs);
}

/** The verdict on an entry that is not held in memory (yet). */
export function judgeKeys(validity: Validity, value: Cached): Verdict {
  return validity.judge(validity.slotsOf(value.keys), value.stamp);
}
