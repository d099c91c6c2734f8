import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';

export interface Probed {
  run(sql: string): Promise<unknown>;
}

const FIRST_RETRY_MS: Milliseconds = 250;
const LAST_RETRY_MS: Milliseconds = 5_000;

/**
 * Says whether the database can be reached when the server starts, and, if not, when it can. Renders need no
 * such watch, every statement tries by itself; people who start a server do.
 */
export class DatabaseWatch {
  readonly #database: Probed;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onReached: (() => void) | undefined;
  #timer: Timer | undefined;
  #closed = false;

  /** `onReached`: called once, when the first statement has succeeded. */
  constructor(database: Probed, clock: Clock, log: Logger, onReached?: () => void) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
    this.#onReached = onReached;
  }

  /** Undefined: it answers. Otherwise a note for the banner, and attempts go on until it does. */
  async start(): Promise<string | undefined> {
    const error = await this.#probe();
    if (error === undefined) return undefined;
    const why = error instanceof Error ? error.message : String(error);
    this.#log.warn({ err: error }, 'the database cannot be reached; pages answer 503 until it can');
    this.#again(FIRST_RETRY_MS);
    return `Postgres: ${why} Pages answer 503 until it can be reached; the server keeps trying.`;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #probe(): Promise<unknown> {
    try {
      await this.#database.run('SELECT 1');
      this.#onReached?.();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** 250 ms, 500 ms, 1 s, 2 s, 4 s, then every 5 s. */
  #again(delayMs: Milliseconds): void {
    if (this.#closed) return;
    this.#timer = this.#clock.after(delayMs, () => {
      void this.#probe().then((error) => {
        if (error === undefined) this.#log.info({}, 'the database can be reached');
        else this.#again(Math.min(LAST_RETRY_MS, delayMs * 2));
      });
    });
  }
}
