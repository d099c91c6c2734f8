// L2 and L3 as the stack sees them: asked in order, each within a time limit, none able to fail a request.
import type { Clock } from '../../core/clock.ts';
import { type SpanStart, type Tracing, untraced } from '../../core/trace.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Validity } from '../../core/validity.ts';
import type { CacheKey } from '../contract.ts';
import type { Cached } from '../entry.ts';
import { isTrusted, judgeKeys, type Use, useOf } from '../memory/cached-entry.ts';
import type { Rollout } from '../rollout/rollout.ts';
import type { Tier } from './tier.ts';

export interface SharedTiersOptions<V extends Cached> {
  readonly clock: Clock;
  readonly validity: Validity;
  /** In the order in which they are asked. */
  readonly tiers: readonly Tier<V>[];
  readonly rollout: Rollout;
  /** A tier that has not answered a reader by then counts as failed. */
  readonly tierTimeoutMs: Milliseconds;
  /** The same for a write. Only those wait for it who would otherwise render the same again: they have more time. */
  readonly writeTimeoutMs: Milliseconds;
  /** Writes on their way at the same time; what comes beyond is not written. */
  readonly maxWrites: number;
  readonly trace?: Tracing | undefined;
}

export interface Found<V> {
  readonly value: V;
  readonly tier: 'l2' | 'l3';
  readonly use: Exclude<Use, 'none'>;
  /** The version of the purge clock at which it was judged. */
  readonly currentAt: number;
}

const zero = () => ({
  hits: 0,
  misses: 0,
  stale: 0,
  purged: 0,
  errors: 0,
  timeouts: 0,
  writes: 0,
  rejectedStores: 0,
});

export class SharedTiers<V extends Cached> {
  readonly #options: SharedTiersOptions<V>;
  readonly #trace: Tracing;
  readonly #disks: readonly Tier<V>[];
  readonly #counts = { l2: zero(), l3: zero() };
  readonly #writing = new Set<Promise<void>>();
  #droppedWrites = 0;

  constructor(options: SharedTiersOptions<V>) {
    this.#options = options;
    this.#trace = options.trace ?? untraced;
    this.#disks = options.tiers.filter(({ name }) => name === 'l3');
  }

  /** Is there any tier through which others could see what is stored? */
  usableFor(key: CacheKey): boolean {
    return this.#options.tiers.some((tier) => this.#allows(tier, key));
  }

  /** The first tier's answer that is of any use. What a lower one had is written to those above it. */
  async read(key: CacheKey): Promise<Found<V> | undefined> {
    const { clock, validity } = this.#options;
    const above: Tier<V>[] = [];
    // While purges may be missing only the age of an entry vouches for it, and hosts have clocks of their own.
    const ownHostOnly = !isTrusted(validity, clock);
    for (const tier of this.#options.tiers) {
      if (!this.#allows(tier, key) || (ownHostOnly && tier.name === 'l2')) continue;
      const counts = this.#counts[tier.name];
      const value = await this.#get(tier, key);
      if (value === undefined) counts.misses++;
      else {
        const use = useOf(value, judgeKeys(validity, value), validity, clock);
        if (use !== 'none') {
          if (use === 'fresh') counts.hits++;
          else counts.stale++;
          if (use === 'fresh' && above.length > 0) void this.#writeTo(above, key, value);
          return { value, tier: tier.name, use, currentAt: validity.version };
        }
        counts.purged++;
      }
      above.push(tier);
    }
    return undefined;
  }

  /** What each tier has of it, whatever it is worth. */
  async look(key: CacheKey): Promise<{ tier: 'l2' | 'l3'; value: V }[]> {
    const looks = this.#options.tiers.map(async (tier) => {
      const value = this.#allows(tier, key) ? await this.#guarded(tier, () => tier.get(key)) : undefined;
      return value === undefined ? undefined : { tier: tier.name, value };
    });
    return (await Promise.all(looks)).filter((found) => found !== undefined);
  }

  /** Resolves when the tiers have it, or have failed to take it; no response waits for this. */
  write(key: CacheKey, value: V): Promise<void> {
    return this.#writeTo(this.#options.tiers, key, value);
  }

  /** To L3 only: what is cheaper made than read is there for a restart, if at all. */
  writeToDisk(key: CacheKey, value: V): Promise<void> {
    return this.#writeTo(this.#disks, key, value);
  }

  async delete(key: CacheKey): Promise<void> {
    await Promise.all(this.#options.tiers.map((tier) => this.#guarded(tier, () => tier.delete(key))));
  }

  async clear(): Promise<void> {
    await Promise.all(this.#options.tiers.map((tier) => tier.clear()));
  }

  /** Resolves when nothing is being written any more. */
  async flushed(): Promise<void> {
    while (this.#writing.size > 0) await Promise.allSettled(this.#writing);
  }

  stats() {
    const statsOf = (name: 'l2' | 'l3') => {
      const tier = this.#options.tiers.find((each) => each.name === name);
      return tier && { ...this.#counts[name], store: tier.stats() };
    };
    return {
      l2: statsOf('l2'),
      l3: statsOf('l3'),
      writing: this.#writing.size,
      droppedWrites: this.#droppedWrites,
    };
  }

  #writeTo(tiers: readonly Tier<V>[], key: CacheKey, value: V): Promise<void> {
    if (this.#writing.size >= this.#options.maxWrites) {
      this.#droppedWrites++;
      return Promise.resolve();
    }
    const writing = Promise.all(tiers.map((tier) => this.#writeOne(tier, key, value))).then(() => {
      this.#writing.delete(writing);
    });
    this.#writing.add(writing);
    return writing;
  }

  async #writeOne(tier: Tier<V>, key: CacheKey, value: V): Promise<void> {
    if (!this.#allows(tier, key)) return;
    // While purges may be missing others do not read it, and what this worker knows may be about another database.
    if (tier.name === 'l2' && !isTrusted(this.#options.validity, this.#options.clock)) return;
    // A reader would reject it anyway by its stamp; not writing it spares what is there, which may be newer.
    if (judgeKeys(this.#options.validity, value) !== 'valid') {
      this.#counts[tier.name].rejectedStores++;
      return;
    }
    this.#counts[tier.name].writes++;
    await this.#set(tier, key, value);
  }

  #get(tier: Tier<V>, key: CacheKey): Promise<V | undefined> {
    if (!this.#trace.isOn) return this.#guarded(tier, () => tier.get(key));
    return this.#trace.span(spanStart(tier.name, 'get'), async (span) => {
      const value = await this.#guarded(tier, () => tier.get(key));
      span.set('coherent.cache.hit', value !== undefined);
      return value;
    });
  }

  #set(tier: Tier<V>, key: CacheKey, value: V): Promise<unknown> {
    const { writeTimeoutMs } = this.#options;
    if (!this.#trace.isOn) return this.#guarded(tier, () => tier.set(key, value), writeTimeoutMs);
    return this.#trace.span(spanStart(tier.name, 'set'), () =>
      this.#guarded(tier, () => tier.set(key, value), writeTimeoutMs),
    );
  }

  #allows(tier: Tier<V>, key: CacheKey): boolean {
    return tier.usable && this.#options.rollout.allows(tier.name, key);
  }

  /** A tier's failure is a miss; a tier's silence is a failure. */
  async #guarded<T>(
    tier: Tier<V>,
    work: () => Promise<T>,
    timeoutMs = this.#options.tierTimeoutMs,
  ): Promise<T | undefined> {
    const counts = this.#counts[tier.name];
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.after(timeoutMs, () => {
        counts.timeouts++;
        resolve(undefined);
      });
      const failed = () => {
        counts.errors++;
        resolve(undefined);
      };
      const settle = (end: () => void) => {
        timer.cancel();
        end();
      };
      try {
        work().then(
          (value) => settle(() => resolve(value)),
          () => settle(failed),
        );
      } catch {
        settle(failed);
      }
    });
  }
}

/** Keys stay out: inputs of pages are in them. */
function spanStart(tier: 'l2' | 'l3', operation: 'get' | 'set'): SpanStart {
  const attributes = {
    'coherent.cache.tier': tier,
    'db.system.name': tier === 'l2' ? 'redis' : undefined,
    'db.operation.name': tier === 'l2' ? operation.toUpperCase() : undefined,
  };
  return { name: `${tier} ${operation}`, kind: tier === 'l2' ? 'client' : 'internal', attributes };
}
