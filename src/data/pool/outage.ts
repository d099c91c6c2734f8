// How long statements wait for a database that has just gone: while it restarts (it, or a pooler before it) they wait and
// try again; once it has been away for longer they are refused at once, each after one attempt.
//
//   unknown   no connection has been made yet: refused at once
//   up        -> away, when a connection fails
//   away      for graceMs statements wait; then they are refused at once   -> up, with the first that works
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';

const FIRST_WAIT_MS: Milliseconds = 20;
const LAST_WAIT_MS: Milliseconds = 250;

export class Outage {
  readonly #clock: Clock;
  readonly #graceMs: Milliseconds;
  #hasBeenUp = false;
  #awaySinceMs: Milliseconds | undefined;

  constructor(clock: Clock, graceMs: Milliseconds) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  /** A connection works. */
  over(): void {
    this.#hasBeenUp = true;
    this.#awaySinceMs = undefined;
  }

  /** A connection failed: how long to wait before the next attempt, 20 ms to 250 ms. Undefined: give up. */
  waitMs(attempt: number): Milliseconds | undefined {
    const nowMs = this.#clock.monotonic();
    this.#awaySinceMs ??= nowMs;
    if (!this.#hasBeenUp || nowMs - this.#awaySinceMs >= this.#graceMs) return undefined;
    return Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  }
}
