// How often something was done lately, counted in the primary for the workers of its host, where there is no Redis.
//
//   worker                                    relay
//   count { id, key, max, withinMs }   ->
//                                      <-     counted { id, waitMs }      null: not too often
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { z } from 'zod';

const id = z.number().int().nonnegative();
const toRelay = z.object({
  ask: z.literal('count'),
  id,
  key: z.string().max(100),
  max: z.number().int().positive(),
  withinMs: z.number().min(1000).max(86_400_000),
});
const fromRelay = z.object({ say: z.literal('counted'), id, waitMs: z.number().nullable() });

export type ToThrottleRelay = z.output<typeof toRelay>;
export type FromThrottleRelay = z.output<typeof fromRelay>;

export function readFromThrottleRelay(body: unknown): FromThrottleRelay | undefined {
  return fromRelay.safeParse(body).data;
}

interface Member {
  send(body: FromThrottleRelay): void;
}

export class ThrottleRelay {
  /** By rule; rules come from the application's code. */
  readonly #limiters = new Map<string, RateLimiterMemory>();

  receive(from: Member, body: unknown): void {
    const message = toRelay.safeParse(body).data;
    if (message === undefined) return;
    void this.#count(message).then((waitMs) => from.send({ say: 'counted', id: message.id, waitMs }));
  }

  leave(): void {}

  async #count({ key, max, withinMs }: ToThrottleRelay): Promise<number | null> {
    const name = `${max}/${withinMs}`;
    const limiter =
      this.#limiters.get(name) ?? new RateLimiterMemory({ points: max, duration: withinMs / 1000 });
    this.#limiters.set(name, limiter);
    try {
      await limiter.consume(key);
      return null;
    } catch (refusal) {
      // It counts in memory: nothing else can go wrong, and a primary does not die of it.
      return refusal instanceof RateLimiterRes ? Math.max(1, refusal.msBeforeNext) : null;
    }
  }
}
