import type { EpochMs, Milliseconds } from './units.ts';

/** A timer that was set; `cancel` is safe to call at any time, also after it fired. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as a part that is passed in, so that tests of TTLs, backoff and leases take microseconds.
 * `now` may jump with the machine's wall clock; anything that measures a span uses `monotonic`.
 */
export interface Clock {
  now(): EpochMs;
  monotonic(): Milliseconds;
  /** Calls `fire` once after `delayMs`. The timer never keeps the process alive. */
  after(delayMs: Milliseconds, fire: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
