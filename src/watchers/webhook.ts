// PURGE_WEBHOOK_URL: every purge as a signed JSON body.
//
//   POST <url>
//   Content-Type: application/json
//   Idempotency-Key: <id>          the same at every attempt
//   X-Coherent-Signature: t=...,v1=...   signature.ts
//   { "id", "everything": false, "keys": ["users#17"], "surrogateKeys": ["users#17"] }
//   { "id", "everything": true, "keys": [], "surrogateKeys": [], "dropped": 100000 }
import type { Clock } from '../core/clock.ts';
import { surrogateKey } from '../core/surrogate-key.ts';
import { HttpCaller } from './http-target.ts';
import { signature } from './signature.ts';
import type { Batch, Target } from './target.ts';

export interface WebhookOptions {
  readonly url: string;
  readonly secret: string;
  readonly clock: Clock;
}

export class Webhook implements Target {
  readonly name = 'webhook';
  readonly pattern = '*';
  readonly #options: WebhookOptions;
  readonly #caller: HttpCaller;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#caller = new HttpCaller('PURGE_WEBHOOK_URL', options.clock);
  }

  async tell({ id, keys, dropped }: Batch, signal: AbortSignal): Promise<void> {
    const { url, secret, clock } = this.#options;
    const named = keys ?? [];
    const body = JSON.stringify({
      id,
      everything: keys === undefined,
      keys: named,
      surrogateKeys: named.map(surrogateKey),
      ...(keys === undefined && { dropped }),
    });
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': id,
      'x-coherent-signature': signature(secret, body, clock.now()),
    };
    await this.#caller.post({ url, headers, body }, signal);
  }

  close(): Promise<void> {
    return this.#caller.close();
  }
}
