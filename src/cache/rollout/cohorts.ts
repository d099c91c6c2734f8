// What each step of a rollout does: hits and waits of the keys inside the cohort of a feature beside those outside.
//
// A fixed number of counters for each feature that is on for some keys and off for others; a feature that is on or off
// for all has nothing to compare with. Features are judged one at a time: their cohorts are independent.
import type { Milliseconds } from '../../core/units.ts';
import type { CacheKey, Outcome } from '../contract.ts';
import type { Cached } from '../entry.ts';
import type { Feature, Rollout } from './rollout.ts';

/** Upper ends of the classes of waits: 1/16 ms, 1/8 ms, ... 65 s. */
const CLASSES = 21;
const FIRST_CLASS_MS: Milliseconds = 1 / 16;

export interface CohortStats {
  /** Answers, from memory or not, and failures. */
  readonly fetches: number;
  /** Answered without a render, stale ones included. */
  readonly hits: number;
  readonly failures: number;
  /** 0 to 1. */
  readonly hitRate: number;
  readonly meanMs: Milliseconds;
  /** Rounded up to a power of two. */
  readonly p50Ms: Milliseconds;
  readonly p99Ms: Milliseconds;
}

export interface FeatureStats {
  /** Of keys. */
  readonly percent: number;
  readonly inside: CohortStats;
  readonly outside: CohortStats;
}

export type RolloutStats = Readonly<Partial<Record<Feature, FeatureStats>>>;

export class Cohorts {
  readonly #rollout: Rollout;
  readonly #features: readonly {
    readonly feature: Feature;
    readonly inside: Tally;
    readonly outside: Tally;
  }[];

  /** Undefined: nothing is rolled out in part. `own`: the stack's own switch; that of other stacks is not its matter. */
  static of(rollout: Rollout, own: Feature | undefined): Cohorts | undefined {
    const features = rollout.partial.filter((feature) => feature !== 'fragments' || feature === own);
    return features.length === 0 ? undefined : new Cohorts(rollout, features);
  }

  private constructor(rollout: Rollout, features: readonly Feature[]) {
    this.#rollout = rollout;
    this.#features = features.map((feature) => ({ feature, inside: new Tally(), outside: new Tally() }));
  }

  add(key: CacheKey, result: Outcome<Cached>['result'] | 'failed', tookMs: Milliseconds): void {
    for (const { feature, inside, outside } of this.#features) {
      (this.#rollout.allows(feature, key) ? inside : outside).add(result, tookMs);
    }
  }

  stats(): RolloutStats {
    return Object.fromEntries(
      this.#features.map(({ feature, inside, outside }) => [
        feature,
        { percent: this.#rollout.percentOf(feature), inside: inside.stats(), outside: outside.stats() },
      ]),
    );
  }
}

class Tally {
  readonly #classes = new Uint32Array(CLASSES);
  #fetches = 0;
  #hits = 0;
  #failures = 0;
  #sumMs = 0;

  add(result: Outcome<Cached>['result'] | 'failed', tookMs: Milliseconds): void {
    this.#fetches++;
    if (result === 'failed') this.#failures++;
    else if (result !== 'miss') this.#hits++;
    this.#sumMs += tookMs;
    const at = tookMs <= FIRST_CLASS_MS ? 0 : Math.ceil(Math.log2(tookMs / FIRST_CLASS_MS));
    const index = Math.min(at, CLASSES - 1);
    this.#classes[index] = (this.#classes[index] ?? 0) + 1;
  }

  stats(): CohortStats {
    const share = (part: number) => (this.#fetches === 0 ? 0 : part / this.#fetches);
    return {
      fetches: this.#fetches,
      hits: this.#hits,
      failures: this.#failures,
      hitRate: share(this.#hits),
      meanMs: share(this.#sumMs),
      p50Ms: this.#quantileMs(0.5),
      p99Ms: this.#quantileMs(0.99),
    };
  }

  #quantileMs(quantile: number): Milliseconds {
    let seen = 0;
    for (const [index, count] of this.#classes.entries()) {
      seen += count;
      if (seen > 0 && seen >= this.#fetches * quantile) return FIRST_CLASS_MS * 2 ** index;
    }
    return 0;
  }
}
