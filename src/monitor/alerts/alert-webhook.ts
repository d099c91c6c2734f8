// Tells alerts to a webhook, one after the other, in their order, without anybody waiting for it.
//
//   idle       nothing to tell
//   sending    the oldest notice is on its way; each attempt is bounded in time and bytes (core/post.ts)
//   waiting    it failed: again after a backoff with full jitter (1 s to 1 min), or when the other side said
//              (Retry-After, at most MAX_WAIT_MS). After MAX_ATTEMPTS it is given up, and the next is told
//   closed     what has not been told by then is not told; it stands in the log
//
// Beyond MAX_QUEUED the oldest that waits is dropped. The log names alerts by code; the address is in no line.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Poster, PostOutcome } from '../../core/post.ts';
import type { Milliseconds } from '../../core/units.ts';
import { type AlertFormat, messageOf, type Sender } from './alert-message.ts';
import type { Notice } from './alerts.ts';

const MAX_QUEUED = 50;
const MAX_ATTEMPTS = 8;
const MAX_WAIT_MS: Milliseconds = 600_000;
const FIRST_BACKOFF_MS: Milliseconds = 1000;
const MAX_BACKOFF_MS: Milliseconds = 60_000;

export interface AlertWebhookOptions {
  readonly url: string;
  readonly format: AlertFormat;
  readonly sender: Sender;
  readonly poster: Poster;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

interface Queued {
  readonly notice: Notice;
  attempts: number;
}

export class AlertWebhook {
  readonly #options: AlertWebhookOptions;
  readonly #queue: Queued[] = [];
  readonly #stop = new AbortController();
  #isSending = false;
  #timer: Timer | undefined;
  #delivered = 0;
  #failures = 0;
  #dropped = 0;

  constructor(options: AlertWebhookOptions) {
    this.#options = options;
  }

  tell(notice: Notice): void {
    if (this.#stop.signal.aborted) return;
    // The first may be on its way.
    if (this.#queue.length >= MAX_QUEUED) {
      for (const oldest of this.#queue.splice(1, 1)) this.#drop(oldest, 'queue full');
    }
    this.#queue.push({ notice, attempts: 0 });
    this.#next();
  }

  stats() {
    return {
      waiting: this.#queue.length,
      delivered: this.#delivered,
      failures: this.#failures,
      dropped: this.#dropped,
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    this.#queue.length = 0;
    await this.#options.poster.close();
  }

  #next(): void {
    const [first] = this.#queue;
    if (first === undefined || this.#isSending || this.#timer !== undefined) return;
    this.#isSending = true;
    void this.#send(first).then((outcome) => {
      this.#isSending = false;
      if (!this.#stop.signal.aborted) this.#sent(first, outcome);
    });
  }

  #send({ notice }: Queued): Promise<PostOutcome> {
    const { url, format, sender, poster } = this.#options;
    const headers = { 'content-type': 'application/json', 'user-agent': 'coherent-render-server' };
    return poster.post({ url, headers, body: messageOf(notice, sender, format) }, this.#stop.signal);
  }

  #sent(first: Queued, outcome: PostOutcome): void {
    first.attempts++;
    if (outcome.outcome === 'failed' && first.attempts < MAX_ATTEMPTS) {
      this.#failures++;
      this.#again(first, outcome);
      return;
    }
    this.#queue.shift();
    if (outcome.outcome === 'delivered') this.#delivered++;
    else {
      this.#failures++;
      this.#drop(first, outcome.why);
    }
    this.#next();
  }

  #again({ notice, attempts }: Queued, { why, afterMs }: Extract<PostOutcome, { outcome: 'failed' }>): void {
    const { clock, random, logger } = this.#options;
    const ceilingMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempts - 1));
    const delayMs = Math.round(Math.max(random() * ceilingMs, Math.min(afterMs ?? 0, MAX_WAIT_MS)));
    logger.warn({ alert: notice.alert.code, attempts, why, delayMs }, 'the alert webhook failed');
    this.#timer = clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#next();
    });
  }

  #drop({ notice, attempts }: Queued, why: string): void {
    this.#dropped++;
    const { code, id } = notice.alert;
    this.#options.logger.error(
      { alert: code, alertId: id, state: notice.state, attempts, why },
      'an alert could not be told to the webhook',
    );
  }
}
