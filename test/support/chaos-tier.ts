import type { CacheKey } from '../../src/cache/contract.ts';
import type { Cached } from '../../src/cache/entry.ts';
import type { Tier } from '../../src/cache/shared/tier.ts';

export interface Chaos {
  /** 0 to 1, from a seed. */
  readonly random: () => number;
  readonly throwShare?: number;
  readonly loseShare?: number;
  /** Awaited before and after each operation; a test decides how long it takes. */
  readonly delay?: () => Promise<void>;
}

/** A tier that throws, delays, and says of some writes that they were made though they were not. */
export class ChaosTier<V extends Cached> implements Tier<V> {
  readonly #tier: Tier<V>;
  readonly #chaos: Chaos;

  constructor(tier: Tier<V>, chaos: Chaos) {
    this.#tier = tier;
    this.#chaos = chaos;
  }

  get name(): 'l2' | 'l3' {
    return this.#tier.name;
  }

  get usable(): boolean {
    return this.#tier.usable;
  }

  get(key: CacheKey): Promise<V | undefined> {
    return this.#disturbed(() => this.#tier.get(key));
  }

  set(key: CacheKey, value: V): Promise<void> {
    return this.#disturbed(async () => {
      if (this.#chaos.random() >= (this.#chaos.loseShare ?? 0)) await this.#tier.set(key, value);
    });
  }

  delete(key: CacheKey): Promise<void> {
    return this.#disturbed(() => this.#tier.delete(key));
  }

  clear(): Promise<void> {
    return this.#disturbed(() => this.#tier.clear());
  }

  stats() {
    return this.#tier.stats();
  }

  close(): Promise<void> {
    return this.#tier.close();
  }

  async #disturbed<T>(work: () => Promise<T>): Promise<T> {
    const { random, throwShare = 0, delay } = this.#chaos;
    await delay?.();
    if (random() < throwShare) throw new Error('chaos before');
    const result = await work();
    await delay?.();
    if (random() < throwShare / 2) throw new Error('chaos after');
    return result;
  }
}

/** A small generator of even numbers from 0 to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
