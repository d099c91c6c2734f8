import type { Milliseconds } from '../../core/units.ts';

/** So many in such a time, counted from the first of them. */
export interface ThrottleRule {
  readonly max: number;
  /** At most one day. */
  readonly withinMs: Milliseconds;
}

const DAY_MS: Milliseconds = 86_400_000;

/** Undefined, or what is wrong with it. */
export function faultOf({ max, withinMs }: ThrottleRule): string | undefined {
  if (!Number.isInteger(max) || max < 1) return `max is ${max}; give a whole number from 1`;
  if (!Number.isFinite(withinMs) || withinMs < 1000 || withinMs > DAY_MS)
    return `withinMs is ${withinMs}; give 1000 to ${DAY_MS} (a second to a day)`;
  return undefined;
}
