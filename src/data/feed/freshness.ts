// Says, a few times a second, that everything committed until a moment has been published. One beat:
//
//   t0 = now -> P = where the log ends -> what the definitions are (where no event tells) -> the server is asked
//   for its position, and again, until all up to P has been read -> everything queued by then is published, or was
//   not visible at t0 -> fresh, for a life that counts from t0
//
// P is where the log was *inserted* up to, not flushed: with synchronous_commit = off a commit is visible before it
// is flushed, and only what is flushed is sent. Where P is not reached soon (such a commit, or P lies behind the
// header of the log's next page) a synchronous transaction of our own flushes all before it.
// A feed that is stuck, behind or cut off ends no beat, so what it said last runs out by itself.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Lsn } from './lsn.ts';
import type { Publisher } from './publisher.ts';

export interface FreshnessOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifeMs: Milliseconds;
  readonly publisher: Publisher;
  readonly insertedUpTo: () => Promise<Lsn>;
  /** False when definitions have changed: this beat is void, the next will do. */
  readonly definitionsAreKnown: () => Promise<boolean>;
  readonly askPosition: () => void;
  readonly nudge: () => Promise<void>;
  readonly setFresh: (lifeMs: Milliseconds) => Promise<void>;
}

const ASK_AGAIN_MS: Milliseconds = 10;
const NUDGE_AFTER_MS: Milliseconds = 80;

export class Freshness {
  readonly #options: FreshnessOptions;
  #position: Lsn = 0n;
  #closed = false;
  #timer: Timer | undefined;
  #check: (() => void) | undefined;
  readonly stats = { beats: 0, missed: 0, nudges: 0 };

  constructor(options: FreshnessOptions) {
    this.#options = options;
    options.publisher.onProgress(() => this.#check?.());
  }

  start(): void {
    void this.#beat();
  }

  /** Everything before this position has been read. */
  reached(position: Lsn): void {
    if (position > this.#position) this.#position = position;
    this.#check?.();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#check = undefined;
  }

  async #beat(): Promise<void> {
    const { clock, lifeMs, logger } = this.#options;
    const startedAt = clock.monotonic();
    try {
      if (await this.#caughtUp(startedAt)) {
        const leftMs = lifeMs - (clock.monotonic() - startedAt);
        if (leftMs > 0 && !this.#closed) {
          await this.#options.setFresh(leftMs);
          this.stats.beats++;
        }
      } else this.stats.missed++;
    } catch (error) {
      this.stats.missed++;
      if (!this.#closed) logger.debug({ err: error }, 'change feed: freshness could not be told');
    }
    if (this.#closed) return;
    const spentMs = clock.monotonic() - startedAt;
    this.#timer = clock.after(Math.max(5, lifeMs / 4 - spentMs), () => void this.#beat());
  }

  async #caughtUp(startedAt: Milliseconds): Promise<boolean> {
    const target = await this.#options.insertedUpTo();
    if (!(await this.#options.definitionsAreKnown()) || this.#closed) return false;
    const { clock, publisher, lifeMs } = this.#options;
    let lastNumber: number | undefined;
    let nudged = false;
    return new Promise((resolve) => {
      let again: Timer | undefined;
      const done = (isCaughtUp: boolean) => {
        again?.cancel();
        this.#check = undefined;
        resolve(isCaughtUp);
      };
      this.#check = () => {
        if (this.#position < target) return;
        lastNumber ??= publisher.lastNumber;
        if (publisher.settled(lastNumber, startedAt)) done(true);
      };
      const ask = () => {
        const spentMs = clock.monotonic() - startedAt;
        if (this.#closed || spentMs > lifeMs) {
          done(false);
          return;
        }
        if (this.#position < target) {
          this.#options.askPosition();
          if (spentMs > NUDGE_AFTER_MS && !nudged) {
            nudged = true;
            this.stats.nudges++;
            this.#options.nudge().catch(() => {});
          }
        }
        again = clock.after(ASK_AGAIN_MS, ask);
        this.#check?.();
      };
      ask();
    });
  }
}
