// Connections that are open and have no work, so that a statement gets one without a promise and without a timer. The driver's pool
// opens, counts and closes them; to it those here are in use.
//
//   free      -> in use   `take`: the one that had work last
//   free      -> closed   after `idleTimeoutMs`, or when it breaks
import type { Clock } from '../../core/clock.ts';
import { Deadline, type DeadlineWheel } from '../../core/deadline-wheel.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Connection } from './connection.ts';

interface IdleOptions {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  /** 0: they stay. */
  readonly idleTimeoutMs: Milliseconds;
  readonly close: (connection: Connection) => void;
}

export class IdleConnections {
  readonly #options: IdleOptions;
  /** The one that has been without work for longest is first. */
  readonly #free: Connection[] = [];
  readonly #tidying: Deadline;

  constructor(options: IdleOptions) {
    this.#options = options;
    this.#tidying = new Deadline(options.wheel, () => this.#tidy());
  }

  get size(): number {
    return this.#free.length;
  }

  add(connection: Connection): void {
    const { clock, idleTimeoutMs } = this.#options;
    connection.idleSinceMs = clock.monotonic();
    if (this.#free.push(connection) === 1 && !this.#tidying.isRunning && idleTimeoutMs > 0)
      this.#tidying.start(idleTimeoutMs);
  }

  take(): Connection | undefined {
    return this.#free.pop();
  }

  /** False: it is not one of these. */
  remove(connection: Connection): boolean {
    const at = this.#free.indexOf(connection);
    if (at >= 0) this.#free.splice(at, 1);
    return at >= 0;
  }

  /** All of them; none is left. */
  drain(): Connection[] {
    this.#tidying.stop();
    return this.#free.splice(0);
  }

  #tidy(): void {
    const { clock, idleTimeoutMs, close } = this.#options;
    const beforeMs = clock.monotonic() - idleTimeoutMs;
    for (;;) {
      const [oldest] = this.#free;
      if (oldest === undefined) return;
      if (oldest.idleSinceMs > beforeMs) {
        this.#tidying.start(oldest.idleSinceMs - beforeMs);
        return;
      }
      this.#free.shift();
      close(oldest);
    }
  }
}
