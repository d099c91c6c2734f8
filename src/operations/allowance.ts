import type { Clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/units.ts';

export interface AllowanceOptions {
  readonly clock: Clock;
  /** So many at once ... */
  readonly burst: number;
  /** ... and then so many a second. */
  readonly perSecond: number;
}

/** A bucket that holds `burst` calls and fills by `perSecond`. */
export class Allowance {
  readonly #options: AllowanceOptions;
  #left: number;
  #filledAt: Milliseconds;

  constructor(options: AllowanceOptions) {
    this.#options = options;
    this.#left = options.burst;
    this.#filledAt = options.clock.monotonic();
  }

  /** False: there is none left. */
  take(): boolean {
    const { clock, burst, perSecond } = this.#options;
    const now = clock.monotonic();
    this.#left = Math.min(burst, this.#left + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
