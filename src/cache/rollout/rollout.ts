// Each part of the cache can be switched on its own, for a share of the keys. The share is taken by a hash of the
// key, so a key is always in the same cohort, on every worker of every host, and a larger share keeps the smaller.
import { hashOf } from '../../core/hash.ts';
import type { CacheKey } from '../contract.ts';

export type Feature = 'l1' | 'l2' | 'l3' | 'fragments' | 'static' | 'refresh';

/** Percent of keys, 0 to 100. What is not named is on for all. */
export type RolloutShares = Readonly<Partial<Record<Feature, number>>>;

/** Of the form `l2=10,fragments=50`; config/settings.ts has checked it. */
export function parseRollout(text: string): RolloutShares {
  return Object.fromEntries(
    text.split(',').map((share) => [share.split('=')[0], Number(share.split('=')[1])]),
  );
}

export class Rollout {
  readonly #limits = new Map<Feature, number>();

  constructor(shares: RolloutShares = {}) {
    for (const [feature, percent] of Object.entries(shares) as [Feature, number][]) {
      if (!(percent >= 0 && percent <= 100)) {
        throw new RangeError(`The rollout of ${feature} is a percentage from 0 to 100, not ${percent}`);
      }
      if (percent < 100) this.#limits.set(feature, percent);
    }
  }

  /** The features that are on for some keys and off for others. */
  get partial(): readonly Feature[] {
    return [...this.#limits].flatMap(([feature, percent]) => (percent > 0 ? [feature] : []));
  }

  percentOf(feature: Feature): number {
    return this.#limits.get(feature) ?? 100;
  }

  allows(feature: Feature, key: CacheKey): boolean {
    if (this.#limits.size === 0) return true;
    const limit = this.#limits.get(feature);
    return limit === undefined || percentile(feature, key) < limit;
  }
}

/** 0 to 99.99, spread evenly; another one for each feature, so that cohorts of two features are independent. */
function percentile(feature: Feature, key: CacheKey): number {
  return (hashOf(`${feature}\0${key}`) % 10_000) / 100;
}
