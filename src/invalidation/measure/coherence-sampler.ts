// How coherent this worker has been, seen from outside of the mechanism: of one in so many purges a few entries that
// were made from its keys are looked at 0.1, 1 and 10 seconds after the commit. Would a request that comes then be given
// what was made before the purge? (After Polaris, with which Meta watches its caches.)
//
//   a purge comes in time        the entries are looked at when the span is over
//   it comes late                until now they were served: for every span that is over by then they count as old,
//                                unless the lease had run out before, since which they are not served any more
//
// All workers sample the same purges. What came with a whole clock, and not by name, cannot be sampled.
import type { Clock, Timer } from '../../core/clock.ts';
import type { DependencyKey, EpochMs, Milliseconds, Stamp } from '../../core/units.ts';
import type { BusListener, Purge } from '../bus/bus.ts';
import type { EntryId } from '../graph/entry-index.ts';

const SPANS_MS: readonly Milliseconds[] = [100, 1_000, 10_000];

/** An entry in this worker's memory. */
export interface Sampled {
  readonly kind: 'page' | 'fragment';
  readonly id: EntryId;
}

export interface SamplerOptions {
  readonly clock: Clock;
  /** One in so many purges; 0: none. */
  readonly every: number;
  readonly lease: { readonly trustedUntil: Milliseconds };
  readonly degradedTtlMs: Milliseconds;
  /** Entries that are held and made from one of these keys, at most `limit`. */
  readonly madeFrom: (keys: readonly DependencyKey[], limit: number) => readonly Sampled[];
  /** The stamp of what a request that comes now is given from memory; undefined: memory has no answer. */
  readonly servedStamp: (entry: Sampled) => Stamp | undefined;
}

export interface SamplerStats {
  /** Purges of which entries were looked at. */
  readonly purges: number;
  /** Purges that were due, but too many were under way. */
  readonly passedOver: number;
  /** `coherent` of `checked` looks, `withinMs` after the commit. */
  readonly spans: readonly {
    readonly withinMs: Milliseconds;
    readonly checked: number;
    readonly coherent: number;
  }[];
}

const ENTRIES_A_PURGE = 4;
const MAX_UNDER_WAY = 256;

export class CoherenceSampler implements BusListener {
  readonly #options: SamplerOptions;
  readonly #spans = SPANS_MS.map((withinMs) => ({ withinMs, checked: 0, coherent: 0 }));
  readonly #timers = new Set<Timer>();
  #epoch = '';
  #purges = 0;
  #passedOver = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  purge(purge: Purge): void {
    this.#epoch = purge.epoch;
    const { every, madeFrom } = this.#options;
    if (every === 0 || purge.seq % every !== 0 || purge.kind !== 'purge') return;
    if (this.#timers.size > MAX_UNDER_WAY * SPANS_MS.length) {
      this.#passedOver++;
      return;
    }
    const entries = madeFrom(purge.keys, ENTRIES_A_PURGE);
    if (entries.length === 0) return;
    this.#purges++;
    this.#sample(purge, entries);
  }

  reset(epoch: string): void {
    this.#epoch = epoch;
  }

  stats(): SamplerStats {
    return {
      purges: this.#purges,
      passedOver: this.#passedOver,
      spans: this.#spans.map((span) => ({ ...span })),
    };
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #sample(purge: Purge, entries: readonly Sampled[]): void {
    const { clock } = this.#options;
    const lateMs = lateness(purge.committedMs, clock.now());
    const servedForMs = this.#servedFor(lateMs);
    for (const span of this.#spans) {
      if (servedForMs > span.withinMs) span.checked += entries.length;
      else this.#look(purge, entries, span, Math.max(0, span.withinMs - lateMs));
    }
  }

  /** How long after the commit these entries may have been served; with a lease that had run out no longer than it lasted. */
  #servedFor(lateMs: Milliseconds): Milliseconds {
    const { clock, lease, degradedTtlMs } = this.#options;
    const now = clock.monotonic();
    if (now < lease.trustedUntil) return lateMs;
    const trustedForMs = lease.trustedUntil - (now - lateMs);
    return Math.min(lateMs, Math.max(trustedForMs, degradedTtlMs));
  }

  #look(
    purge: Purge,
    entries: readonly Sampled[],
    span: { checked: number; coherent: number },
    afterMs: Milliseconds,
  ): void {
    const timer = this.#options.clock.after(afterMs, () => {
      this.#timers.delete(timer);
      for (const entry of entries) {
        span.checked++;
        const stamp = this.#options.servedStamp(entry);
        if (stamp === undefined || !this.#isBefore(stamp, purge)) span.coherent++;
      }
    });
    this.#timers.add(timer);
  }

  #isBefore(stamp: Stamp, { epoch, seq }: Purge): boolean {
    return stamp.epoch === epoch ? stamp.seq < seq : stamp.epoch !== this.#epoch;
  }
}

/** By two clocks: one that is behind makes nothing late. */
function lateness(committedMs: EpochMs | undefined, now: EpochMs): Milliseconds {
  return committedMs === undefined ? 0 : Math.max(0, now - committedMs);
}
