import type { Clock, Timer } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';

/**
 * A limit that is set anew all the time, over one timer that is set only when it has to ring earlier: a busy connection sets
 * one a second, not one a statement. What has arrived, and was not yet looked at, counts as in time.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #pass: () => void;
  #dueAtMs: Milliseconds = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #ringsAtMs: Milliseconds = Number.POSITIVE_INFINITY;
  #hasPassed = false;

  constructor(clock: Clock, pass: () => void) {
    this.#clock = clock;
    this.#pass = pass;
  }

  start(nowMs: Milliseconds, afterMs: Milliseconds): void {
    this.#dueAtMs = nowMs + afterMs;
    if (this.#dueAtMs < this.#ringsAtMs) this.#ringAt(nowMs, this.#dueAtMs);
  }

  /** True: it has passed. */
  stop(): boolean {
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    return this.#hasPassed;
  }

  #ringAt(nowMs: Milliseconds, atMs: Milliseconds): void {
    this.#timer?.cancel();
    this.#ringsAtMs = atMs;
    this.#timer = this.#clock.after(atMs - nowMs, () => this.#ring());
  }

  #ring(): void {
    this.#ringsAtMs = Number.POSITIVE_INFINITY;
    const dueAtMs = this.#dueAtMs;
    if (dueAtMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#clock.monotonic();
    // Timers may ring a little early.
    if (nowMs < dueAtMs - 1) this.#ringAt(nowMs, dueAtMs);
    else setImmediate(() => this.#passIfStill(dueAtMs));
  }

  #passIfStill(dueAtMs: Milliseconds): void {
    if (this.#dueAtMs !== dueAtMs) return;
    this.#hasPassed = true;
    this.#pass();
  }
}
