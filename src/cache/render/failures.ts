import type { Clock } from '../../core/clock.ts';
import type { EpochMs, Milliseconds } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';

interface Failure {
  readonly error: unknown;
  readonly untilMs: EpochMs;
}

/** Renders that failed a moment ago: a request that comes meanwhile gets the same error instead of another attempt. */
export class Failures {
  readonly #clock: Clock;
  readonly #ttlMs: Milliseconds;
  readonly #maxKeys: number;
  readonly #failures = new Map<CacheKey, Failure>();

  constructor(clock: Clock, ttlMs: Milliseconds, maxKeys: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#maxKeys = maxKeys;
  }

  add(key: CacheKey, error: unknown): void {
    if (this.#ttlMs <= 0) return;
    this.#failures.delete(key);
    this.#failures.set(key, { error, untilMs: this.#clock.monotonic() + this.#ttlMs });
    if (this.#failures.size <= this.#maxKeys) return;
    const oldest = this.#failures.keys().next();
    if (oldest.done !== true) this.#failures.delete(oldest.value);
  }

  get(key: CacheKey): { readonly error: unknown } | undefined {
    if (this.#failures.size === 0) return undefined;
    const failure = this.#failures.get(key);
    if (failure === undefined || this.#clock.monotonic() < failure.untilMs) return failure;
    this.#failures.delete(key);
    return undefined;
  }

  forget(key: CacheKey): void {
    this.#failures.delete(key);
  }

  get size(): number {
    return this.#failures.size;
  }
}
