import type { EpochMs, Milliseconds } from '../../core/units.ts';

/** Upper ends of the buckets; what took longer is in one more. */
export const DELAY_BOUNDS_MS: readonly Milliseconds[] = [1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 2000];

export interface CommitDelayStats {
  readonly boundsMs: readonly Milliseconds[];
  /** One more than there are bounds; each delay is in one of them. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumMs: Milliseconds;
  readonly maxMs: Milliseconds;
  /** Commits that seem to lie in the future: so far the two clocks are apart at the least. Counted as 0 ms. */
  readonly negative: number;
}

/**
 * From COMMIT to applied by this worker. The one moment is by the database's clock, the other by ours, which counts whole
 * milliseconds: on one machine right to a millisecond, between machines as right as their clocks are.
 */
export class CommitDelays {
  readonly #counts = new Array<number>(DELAY_BOUNDS_MS.length + 1).fill(0);
  #count = 0;
  #sumMs: Milliseconds = 0;
  #maxMs: Milliseconds = 0;
  #negative = 0;

  add(committedMs: EpochMs, appliedMs: EpochMs): void {
    const delayMs = appliedMs - committedMs;
    // Our clock has no fractions: less than one millisecond tells of no difference between the clocks.
    if (delayMs <= -1) this.#negative++;
    const tookMs = Math.max(0, delayMs);
    this.#count++;
    this.#sumMs += tookMs;
    if (tookMs > this.#maxMs) this.#maxMs = tookMs;
    let bucket = 0;
    while (tookMs > (DELAY_BOUNDS_MS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  stats(): CommitDelayStats {
    return {
      boundsMs: DELAY_BOUNDS_MS,
      counts: [...this.#counts],
      count: this.#count,
      sumMs: this.#sumMs,
      maxMs: this.#maxMs,
      negative: this.#negative,
    };
  }
}
