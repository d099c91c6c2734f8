import type { Clock, Timer } from '../../src/core/clock.ts';
import type { EpochMs, Milliseconds } from '../../src/core/units.ts';

interface Waiting {
  readonly atMs: Milliseconds;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that moves only when the test says so. Timers fire in order of their time, then of their setting. */
export class ManualClock implements Clock {
  #elapsedMs: Milliseconds = 0;
  #startMs: EpochMs;
  #order = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(startMs: EpochMs = 1_700_000_000_000) {
    this.#startMs = startMs;
  }

  now(): EpochMs {
    return this.#startMs + this.#elapsedMs;
  }

  monotonic(): Milliseconds {
    return this.#elapsedMs;
  }

  after(delayMs: Milliseconds, fire: () => void): Timer {
    const waiting = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /** Moves time forward, firing what falls due on the way, also what is set on the way. */
  advance(ms: Milliseconds): void {
    const untilMs = this.#elapsedMs + ms;
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.atMs > untilMs) break;
      this.#waiting.delete(next);
      this.#elapsedMs = next.atMs;
      next.fire();
    }
    this.#elapsedMs = untilMs;
  }

  /** To the next timer, and fires that one alone. */
  advanceToNext(): void {
    const next = this.#earliest();
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#elapsedMs = next.atMs;
    next.fire();
  }

  /** The wall clock jumps (NTP, an operator); spans are not touched. */
  jump(ms: Milliseconds): void {
    this.#startMs += ms;
  }

  /** Timers set and neither fired nor cancelled: 0 at the end of a test that leaks none. */
  get pending(): number {
    return this.#waiting.size;
  }

  #earliest(): Waiting | undefined {
    let earliest: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (earliest === undefined || waiting.atMs < earliest.atMs) earliest = waiting;
      else if (waiting.atMs === earliest.atMs && waiting.order < earliest.order) earliest = waiting;
    }
    return earliest;
  }
}
