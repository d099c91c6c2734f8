/** A value at a time. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** 60 points are 1,770 pairs: 0.1 ms. */
const MAX_POINTS = 60;

/**
 * By how much a value rises per unit of time: the median of the slopes between all pairs (Theil 1950, Sen 1968).
 * Collections make memory jump; least squares follows such outliers, the median does not until they are 29 % of
 * the points. Undefined below `minPoints`: a line through two points says nothing.
 */
export function slope(points: readonly Point[], minPoints = 8): number | undefined {
  const few = thinned(points);
  if (few.length < Math.max(2, minPoints)) return undefined;
  const slopes: number[] = [];
  for (const [index, a] of few.entries()) {
    for (let next = index + 1; next < few.length; next++) {
      const b = few[next];
      if (b !== undefined && b.at !== a.at) slopes.push((b.value - a.value) / (b.at - a.at));
    }
  }
  return median(slopes);
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted.length % 2 === 1 ? upper : sorted[middle - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

/** Evenly, with the first and the last. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= MAX_POINTS) return points;
  const step = (points.length - 1) / (MAX_POINTS - 1);
  return Array.from({ length: MAX_POINTS }, (_, index) => points[Math.round(index * step)]).filter(
    (point) => point !== undefined,
  );
}
