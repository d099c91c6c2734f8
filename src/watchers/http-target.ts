// A target that is told over HTTP. Anything but 2xx, or nothing in time, is a refusal, which is tried again.
import type { Clock } from '../core/clock.ts';
import { openPoster, type Posted, type Poster } from '../core/post.ts';
import type { Milliseconds } from '../core/units.ts';
import { NotConfirmedError } from './errors.ts';

const ANSWER_WITHIN_MS: Milliseconds = 10_000;
const LONGEST_RETRY_AFTER_MS: Milliseconds = 300_000;

/** One connection to one receiver. */
export class HttpCaller {
  readonly #name: string;
  readonly #poster: Poster;

  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#poster = openPoster({ timeoutMs: ANSWER_WITHIN_MS, clock });
  }

  /** POST. Errors: `E_NOT_CONFIRMED`. */
  async post(posted: Posted, stopped: AbortSignal): Promise<void> {
    const outcome = await this.#poster.post(posted, stopped);
    if (outcome.outcome === 'delivered') return;
    const afterMs = (outcome.outcome === 'failed' && outcome.afterMs) || 0;
    throw new NotConfirmedError(this.#name, outcome.why, Math.min(LONGEST_RETRY_AFTER_MS, afterMs));
  }

  close(): Promise<void> {
    return this.#poster.close();
  }
}
