// What a worker's own memory answers: the static tier and L1 as one. A key lies in one of them, never in both.
import type { Clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/units.ts';
import type { Validity } from '../core/validity.ts';
import type { Cached } from './entry.ts';
import { type Held, isSpare, type Use, useOf } from './held.ts';
import type { MemoryTier } from './memory.ts';
import type { Rollout } from './rollout.ts';
import type { CacheKey, FetchOptions } from './stack-contract.ts';
import type { StackCounts } from './stack-counts.ts';
import type { StaticTier } from './static.ts';

export interface MemoryTiersOptions<V extends Cached> {
  readonly clock: Clock;
  readonly validity: Validity;
  readonly memory: MemoryTier<V>;
  readonly pinned: StaticTier<V>;
  readonly rollout: Rollout;
  readonly counts: StackCounts;
  /** As of the two tiers. */
  readonly spareMs: Milliseconds;
}

export interface InMemory<V extends Cached> {
  readonly held: Held<V>;
  readonly value: V;
  readonly tier: 'static' | 'l1';
  readonly use: Exclude<Use, 'none'>;
}

export class MemoryTiers<V extends Cached> {
  readonly #clock: Clock;
  readonly #validity: Validity;
  readonly #memory: MemoryTier<V>;
  readonly #pinned: StaticTier<V>;
  readonly #rollout: Rollout;
  readonly #counts: StackCounts;
  readonly #spareMs: Milliseconds;
  readonly #promoted = new Set<CacheKey>();

  constructor({ clock, validity, memory, pinned, rollout, counts, spareMs }: MemoryTiersOptions<V>) {
    this.#clock = clock;
    this.#validity = validity;
    this.#memory = memory;
    this.#pinned = pinned;
    this.#rollout = rollout;
    this.#counts = counts;
    this.#spareMs = spareMs;
  }

  /** Fresh and valid, or undefined; counted as a hit. The hot path. */
  peek(key: CacheKey): V | undefined {
    const pinned = this.#pinned.fresh(key);
    if (pinned !== undefined) {
      this.#counts.hitsStatic++;
      return pinned;
    }
    const value = this.#memory.fresh(key);
    // What stands in for a failure goes the way on which the answer says so.
    if (value === undefined || value.incomplete === true) return undefined;
    this.#counts.hitsL1++;
    return value;
  }

  /** Of a key that lies in one of them. */
  tierOf(key: CacheKey): 'static' | 'l1' {
    return this.#pinned.look(key) === undefined ? 'l1' : 'static';
  }

  /** Whatever is of some use, and what use that is. */
  get(key: CacheKey): InMemory<V> | undefined {
    const pinned = this.#pinned.get(key);
    const held = pinned ?? this.#memory.get(key);
    if (held === undefined) return undefined;
    const use = this.#useOf(held);
    if (use === 'none') return undefined;
    return { held, value: held.value, tier: pinned === undefined ? 'l1' : 'static', use };
  }

  /** What may stand in for a render that there is no room for. */
  spare(key: CacheKey): Pick<InMemory<V>, 'value' | 'tier'> | undefined {
    const pinned = this.#pinned.look(key);
    const held = pinned ?? this.#memory.look(key);
    if (held === undefined) return undefined;
    const verdict = held.verdict(this.#validity);
    const nowMs = held.nowMs(this.#clock);
    if (!isSpare(held.value, verdict, this.#validity, this.#clock, this.#spareMs, nowMs)) return undefined;
    return { value: held.value, tier: pinned === undefined ? 'l1' : 'static' };
  }

  keep(key: CacheKey, value: V, { group, pin }: Pick<FetchOptions, 'group' | 'pin'>): void {
    const wanted = value.incomplete !== true && (pin === true || this.#promoted.has(key));
    const pinned = wanted && this.#rollout.allows('static', key);
    if (pinned && this.#pinned.set(key, value, group)) return;
    if (this.#rollout.allows('l1', key)) this.#memory.set(key, value, group);
  }

  /** False: `before` is not what is held any more. */
  replace(key: CacheKey, before: V, after: V, group: string): boolean {
    const pinned = this.#pinned.get(key);
    const held = pinned ?? this.#memory.get(key);
    if (held?.value !== before) return false;
    if (pinned === undefined) this.#memory.set(key, after, group);
    else this.#pinned.set(key, after, group);
    return true;
  }

  heldByGroup() {
    return this.#memory.groups();
  }

  promote(key: CacheKey): void {
    if (!this.#rollout.allows('static', key)) return;
    this.#promoted.add(key);
    const held = this.#memory.get(key);
    if (held !== undefined && this.#pinned.set(key, held.value, held.group)) this.#memory.delete(key);
  }

  demote(key: CacheKey): void {
    this.#promoted.delete(key);
    this.#pinned.delete(key);
  }

  delete(key: CacheKey): void {
    this.#pinned.delete(key);
    this.#memory.delete(key);
  }

  clear(): void {
    this.#pinned.clear();
    this.#memory.clear();
  }

  /** Drops `key` if a purge has made it invalid, and says how often it had been served. */
  dropPurged(key: CacheKey): { readonly reads: number } | undefined {
    const pinned = this.#pinned.dropPurged(key);
    const held = this.#memory.dropPurged(key);
    if (pinned === undefined && held === undefined) return undefined;
    return { reads: (pinned?.reads ?? 0) + (held?.reads ?? 0) };
  }

  /** What a request that comes now is answered with from memory, be it stale; and no read. */
  served(key: CacheKey): V | undefined {
    const held = this.#pinned.look(key) ?? this.#memory.look(key);
    if (held === undefined) return undefined;
    const use = this.#useOf(held);
    return use === 'fresh' || use === 'stale' ? held.value : undefined;
  }

  /** What is held, whatever it is worth, and no read. */
  look(key: CacheKey): { readonly tier: 'static' | 'l1'; readonly value: V | undefined }[] {
    return [
      { tier: 'static', value: this.#pinned.look(key)?.value },
      { tier: 'l1', value: this.#memory.look(key)?.value },
    ];
  }

  /** The pinned ones, then those of L1 that were wanted last, most recent first. */
  recentKeys(limit: number): CacheKey[] {
    return [...this.#pinned.keys(), ...this.#memory.recentKeys(limit)].slice(0, limit);
  }

  stats() {
    return { static: this.#pinned.stats(), l1: this.#memory.stats() };
  }

  #useOf(held: Held<V>): Use {
    const verdict = held.verdict(this.#validity);
    return useOf(held.value, verdict, this.#validity, this.#clock, held.nowMs(this.#clock));
  }
}
