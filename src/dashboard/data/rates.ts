import { type HistogramStats, quantileMs } from '../../core/histogram.ts';
import type { BoundedCounts, Sample } from './sums.ts';

/** null: there is nothing to compare with. Counts that fell began anew. */
export function perSecond(
  now: Sample,
  before: Sample | undefined,
  after: number | undefined,
  earlier: number | undefined,
): number | null {
  if (before === undefined || after === undefined || earlier === undefined) return null;
  const gained = after - earlier;
  return gained < 0 ? null : (gained * 1000) / Math.max(1, now.atMs - before.atMs);
}

/** null: of nothing. */
export function share(part: number, whole: number): number | null {
  return whole > 0 && part >= 0 ? Math.min(1, part / whole) : null;
}

export function quantile(window: HistogramStats | undefined, part: number): number | null {
  return (window && quantileMs(window, part)) ?? null;
}

/** Of what was counted between two moments, read between the bounds of its bucket; null of nothing. */
export function boundedQuantile(
  before: BoundedCounts | undefined,
  { boundsMs, counts }: BoundedCounts,
  part: number,
): number | null {
  if (before === undefined) return null;
  const gained = counts.map((value, at) => Math.max(0, value - (before.counts[at] ?? 0)));
  const all = gained.reduce((sum, value) => sum + value, 0);
  let below = 0;
  for (const [at, here] of gained.entries()) {
    if (here > 0 && below + here >= part * all) {
      const lowerMs = boundsMs[at - 1] ?? 0;
      const upperMs = boundsMs[at] ?? lowerMs;
      if (!Number.isFinite(upperMs)) return lowerMs;
      return lowerMs + ((upperMs - lowerMs) * Math.max(0, part * all - below)) / here;
    }
    below += here;
  }
  return null;
}
