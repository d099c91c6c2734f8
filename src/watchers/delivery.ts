// Tells one target what waits for it, one batch after the other: in order, at least once each.
//
//   idle       nothing waits. Looks again when woken, and every LOOK_EVERY_MS: other processes add, too
//   telling    a batch is on its way. Confirmed: it is gone from the outbox, and the next is taken
//   backing    it was refused: tried again after a random time up to 0.2 s, 0.4 s, 0.8 s ... 60 s (or when the target
//   off        says, Retry-After), for ever. What piles up behind it is bounded by the outbox
//   closed     what was not confirmed stays in the outbox, under the same id
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import type { Batch, Target } from './target.ts';

/** Where batches wait; src/data/feed/outbox.ts is one. */
export interface Waiting {
  next(target: string): Promise<Batch | undefined>;
  done(target: string, batch: string): Promise<void>;
}

export interface DeliveryOptions {
  readonly target: Target;
  readonly outbox: Waiting;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

const LOOK_EVERY_MS: Milliseconds = 1_000;
const FIRST_BACKOFF_MS: Milliseconds = 200;
const LONGEST_BACKOFF_MS: Milliseconds = 60_000;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #closing = new AbortController();
  readonly #counts = { told: 0, keys: 0, failures: 0, failuresInRow: 0 };
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #isWoken = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Something was added. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  stats(): {
    readonly told: number;
    readonly keys: number;
    readonly failures: number;
    readonly failuresInRow: number;
  } {
    return { ...this.#counts };
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The server stops.'));
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const delayMs = await this.#step().catch((error: unknown) => this.#failed(error));
      if (delayMs > 0 && !this.#isClosed) await this.#pause(delayMs);
    }
  }

  /** Resolves to how long to wait before the next. */
  async #step(): Promise<Milliseconds> {
    const { target, outbox } = this.#options;
    this.#isWoken = false;
    const batch = await outbox.next(target.name);
    if (batch === undefined) return this.#isWoken ? 0 : LOOK_EVERY_MS;
    await target.tell(batch, this.#closing.signal);
    await outbox.done(target.name, batch.id);
    if (this.#counts.failuresInRow > 0) {
      const { failuresInRow: failures } = this.#counts;
      this.#options.logger.info({ target: target.name, failures }, 'watchers: a target takes purges again');
    }
    this.#counts.failuresInRow = 0;
    this.#counts.told++;
    this.#counts.keys += batch.keys?.length ?? 0;
    return 0;
  }

  #failed(error: unknown): Milliseconds {
    if (this.#isClosed) return 0;
    const { target, logger, random } = this.#options;
    const attempt = this.#counts.failuresInRow++;
    this.#counts.failures++;
    const write = attempt === 0 ? logger.warn : logger.debug;
    write.call(
      logger,
      { err: error, target: target.name },
      'watchers: a target was not reached; it is told again',
    );
    const ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempt, 20));
    return Math.max(1, random() * ceiling, retryAfterMs(error));
  }

  /** While it backs off, news is no reason to hurry. */
  #pause(delayMs: Milliseconds): Promise<void> {
    const { clock } = this.#options;
    const isIdle = this.#counts.failuresInRow === 0;
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
      const timer = clock.after(delayMs, end);
      this.#wake = () => {
        if (isIdle || this.#isClosed) end();
      };
    });
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }
}

function retryAfterMs(error: unknown): Milliseconds {
  const known =
    typeof error === 'object' && error !== null && 'retryAfterMs' in error ? error.retryAfterMs : 0;
  return typeof known === 'number' ? known : 0;
}
