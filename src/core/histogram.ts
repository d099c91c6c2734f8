import type { Milliseconds } from './units.ts';

/** Upper ends of the buckets of durations: those OpenTelemetry advises for HTTP, and two below for what memory answers. */
export const DURATION_BOUNDS_MS: readonly Milliseconds[] = Object.freeze([
  1, 2.5, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
]);

/** As JSON. `buckets[i]` counts what lay above the bound before it and at or below bound i; the last, what lay beyond all. */
export interface HistogramStats {
  readonly count: number;
  readonly sumMs: Milliseconds;
  readonly buckets: readonly number[];
}

/** Durations, counted into DURATION_BOUNDS_MS. Takes the same memory however many there are. */
export class Histogram {
  readonly #buckets: number[] = DURATION_BOUNDS_MS.map(() => 0);
  #beyond = 0;
  #count = 0;
  #sumMs: Milliseconds = 0;

  record(durationMs: Milliseconds): void {
    // A wall clock that was set back measures less than nothing.
    const ms = durationMs > 0 ? durationMs : 0;
    this.#count++;
    this.#sumMs += ms;
    for (let at = 0; at < DURATION_BOUNDS_MS.length; at++) {
      if (ms <= (DURATION_BOUNDS_MS[at] ?? 0)) {
        this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
        return;
      }
    }
    this.#beyond++;
  }

  get count(): number {
    return this.#count;
  }

  stats(): HistogramStats {
    return { count: this.#count, sumMs: this.#sumMs, buckets: [...this.#buckets, this.#beyond] };
  }
}

/**
 * The duration that `share` (0 to 1) of all lay at or below, read between the bounds of its bucket as Prometheus does.
 * Undefined without any; the largest bound for what lay beyond it.
 */
export function quantileMs({ count, buckets }: HistogramStats, share: number): Milliseconds | undefined {
  if (count === 0) return undefined;
  const rank = share * count;
  let below = 0;
  for (const [at, upperMs] of DURATION_BOUNDS_MS.entries()) {
    const here = buckets[at] ?? 0;
    if (here > 0 && below + here >= rank) {
      const lowerMs = DURATION_BOUNDS_MS[at - 1] ?? 0;
      return lowerMs + ((upperMs - lowerMs) * Math.max(0, rank - below)) / here;
    }
    below += here;
  }
  return DURATION_BOUNDS_MS.at(-1);
}
