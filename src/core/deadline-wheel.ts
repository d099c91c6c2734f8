// Many deadlines of one process over one timer. Nearly all deadlines are kept: a statement is answered, a request ends. So what
// counts is that to start and to stop one costs next to nothing, and a timer of its own for each does not.
//
// Time is cut into ticks of 20 ms, and each slot of the wheel holds the deadlines of one tick in every 256. The timer rings once a
// tick, and only while a deadline runs. A deadline passes less than a tick late, or later where the process was busy.
//
//   idle   -> running    start()
//   running -> running   start(): it runs anew
//   running -> idle      stop(), or it passes
import type { Clock } from './clock.ts';
import type { Milliseconds } from './units.ts';

const TICK_MS: Milliseconds = 20;
const SLOTS = 256;

export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<Deadline>());
  #running = 0;
  #isRinging = false;
  /** The last one whose deadlines have passed. */
  #tick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many run. */
  get running(): number {
    return this.#running;
  }

  /** Of a `Deadline`: the tick after which it passes. */
  add(deadline: Deadline, afterMs: Milliseconds): number {
    const nowMs = this.#clock.monotonic();
    if (!this.#isRinging) {
      this.#tick = Math.floor(nowMs / TICK_MS);
      this.#ringNext(nowMs);
    }
    const tick = Math.max(this.#tick + 1, Math.ceil((nowMs + afterMs) / TICK_MS));
    this.#slot(tick).add(deadline);
    this.#running++;
    return tick;
  }

  /** Of a `Deadline` that runs. */
  remove(deadline: Deadline, tick: number): void {
    if (this.#slot(tick).delete(deadline)) this.#running--;
  }

  #slot(tick: number): Set<Deadline> {
    const slot = this.#slots[tick % SLOTS];
    if (slot === undefined) throw new RangeError(`No slot for tick ${tick}.`);
    return slot;
  }

  #ringNext(nowMs: Milliseconds): void {
    this.#isRinging = true;
    // After what has arrived has been looked at: an answer that lay there while the process was busy came in time.
    this.#clock.after((this.#tick + 1) * TICK_MS - nowMs, () => setImmediate(() => this.#turn()));
  }

  #turn(): void {
    const nowMs = this.#clock.monotonic();
    const last = Math.floor(nowMs / TICK_MS);
    const passed: Deadline[] = [];
    for (let tick = Math.max(this.#tick + 1, last - SLOTS + 1); tick <= last; tick++) {
      for (const deadline of this.#slot(tick)) if (deadline.tick <= last) passed.push(deadline);
    }
    this.#tick = Math.max(this.#tick, last);
    for (const deadline of passed) deadline.passIfDue(last);
    if (this.#running > 0) this.#ringNext(nowMs);
    else this.#isRinging = false;
  }
}

/** One thing that has to happen in time, started again and again. */
export class Deadline {
  readonly #wheel: DeadlineWheel;
  readonly #pass: () => void;
  #tick = Number.POSITIVE_INFINITY;

  /** `pass` is called when it has run out. It must not throw. */
  constructor(wheel: DeadlineWheel, pass: () => void) {
    this.#wheel = wheel;
    this.#pass = pass;
  }

  get isRunning(): boolean {
    return this.#tick !== Number.POSITIVE_INFINITY;
  }

  /** Infinite while it does not run. */
  get tick(): number {
    return this.#tick;
  }

  /** From now on, whether it ran or not. */
  start(afterMs: Milliseconds): void {
    this.stop();
    this.#tick = this.#wheel.add(this, afterMs);
  }

  stop(): void {
    if (!this.isRunning) return;
    this.#wheel.remove(this, this.#tick);
    this.#tick = Number.POSITIVE_INFINITY;
  }

  /** Of the wheel. Another one that passed may have stopped it, or started it anew. */
  passIfDue(tick: number): void {
    if (this.#tick > tick) return;
    this.stop();
    this.#pass();
  }
}
