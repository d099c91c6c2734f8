import { describe, expect, it } from 'vitest';
import { DURATION_BOUNDS_MS, Histogram, quantileMs } from './histogram.ts';

function of(...durations: readonly number[]) {
  const histogram = new Histogram();
  for (const each of durations) histogram.record(each);
  return histogram.stats();
}

describe('a histogram of durations', () => {
  it('puts a duration at a bound into the bucket that ends there', () => {
    const { buckets } = of(...DURATION_BOUNDS_MS);
    expect(buckets).toEqual([...DURATION_BOUNDS_MS.map(() => 1), 0]);
  });

  it('counts what lies beyond all bounds, and what a clock that was set back measures as nothing', () => {
    const { count, sumMs, buckets } = of(60_000, -5);
    expect({ count, sumMs }).toEqual({ count: 2, sumMs: 60_000 });
    expect([buckets[0], buckets.at(-1)]).toEqual([1, 1]);
  });

  it('tells quantiles between the bounds of a bucket', () => {
    expect(quantileMs(of(6, 6, 6, 6), 0.5)).toBe(7.5);
    expect(quantileMs(of(1, 1, 1, 200), 0.99)).toBeGreaterThan(100);
    expect(quantileMs(of(60_000), 0.5)).toBe(10_000);
    expect(quantileMs(of(), 0.5)).toBeUndefined();
  });
});
