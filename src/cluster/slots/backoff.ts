import type { Milliseconds } from '../../core/units.ts';

const BACKOFF_FIRST_MS: Milliseconds = 200;
export const BACKOFF_MAX_MS: Milliseconds = 30_000;

/**
 * Full jitter (AWS Architecture Blog, "Exponential backoff and jitter"): anything between nothing and a
 * ceiling that doubles: 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30 ... seconds. Slots that died of one
 * cause thus do not come back in step.
 */
export function backoffMs(failures: number, random: () => number): Milliseconds {
  return Math.round(random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures));
}
