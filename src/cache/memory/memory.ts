// L1: the entries of one worker, bounded in true bytes (bodies, headers, keys, containers).
//
// lru-cache keeps the order and the bytes of all. Beside it each group (a page's route, a fragment's name) has a queue and
// a share, so that one route of a million addresses cannot flush the rest: a group over its share evicts its own, by
// second chance. Pinned entries (`cache: { static: true }`) lie in a Map with a budget of their own, and nothing displaces
// them. A key lies in one of the two, never in both.
//
// Held true after each step (memory.property.test.ts): bytes = sum of the entries' bytes, no group over its share, and the
// index knows exactly what is held. Whatever leaves lru-cache leaves through `#left`, which calls nothing of it back; a
// group is cut to its share after `set` has returned.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { Validity } from '../../core/validity.ts';
import type { CacheKey } from '../contract.ts';
import type { Cached } from '../entry.ts';
import { Rollout } from '../rollout/rollout.ts';
import { type Admission, admitAll } from './admission.ts';
import { CachedEntry, isFresh, mayStandIn, type Use, usableUntilMs, useOf } from './cached-entry.ts';
import { Ghosts } from './ghosts.ts';
import { GroupQueues } from './group-queues.ts';
import type { Lifetimes } from './lifetimes.ts';
import { noTierObserver, type TierObserver } from './tier-observer.ts';
import type { Weigh } from './weight.ts';

export interface MemoryTierOptions<V extends Cached> {
  readonly clock: Clock;
  readonly validity: Validity;
  readonly weigh: Weigh<V>;
  readonly maxBytes: Bytes;
  /** For pinned entries, beside `maxBytes`. Default 0: they live in the LRU like others. */
  readonly maxPinnedBytes?: Bytes;
  /** A larger entry stays out. Default: an eighth of the tier. */
  readonly maxEntryBytes?: Bytes;
  /** The share of the tier that one group may hold. Default: half. */
  readonly maxGroupShare?: number;
  readonly admission?: Admission;
  /** Told of what is held, pinned entries included. */
  readonly tierObserver?: TierObserver;
  /** Counts what becomes of the entries. */
  readonly lifetimes?: Lifetimes<V>;
  /** So much longer than it is of use an entry is kept, for a worker that has no room to render. Default 0. */
  readonly standInMs?: Milliseconds;
  readonly rollout?: Rollout;
}

export interface MemoryStats {
  readonly entries: number;
  readonly bytes: Bytes;
  readonly maxBytes: Bytes;
  /** Displaced by others, or by their own group. */
  readonly evictions: number;
  readonly groupEvictions: number;
  /** Displaced by either, and wanted again soon after. */
  readonly returned: number;
  /** Dropped because their data was purged. */
  readonly purged: number;
  readonly tooLarge: number;
  readonly notAdmitted: number;
  readonly pinned: PinnedStats;
}

export interface PinnedStats {
  readonly entries: number;
  readonly bytes: Bytes;
  readonly maxBytes: Bytes;
  readonly purged: number;
  /** There was no room: they live in the LRU like others. */
  readonly refused: number;
}

/** What is held of a key, and what it is worth now. */
export interface Found<V extends Cached> {
  readonly cached: CachedEntry<V>;
  readonly use: Exclude<Use, 'none'>;
}

export class MemoryTier<V extends Cached> {
  readonly #options: Required<Pick<MemoryTierOptions<V>, 'clock' | 'validity' | 'weigh' | 'maxBytes'>>;
  readonly #maxPinnedBytes: Bytes;
  readonly #maxEntryBytes: Bytes;
  readonly #standInMs: Milliseconds;
  readonly #admission: Admission;
  readonly #tierObserver: TierObserver;
  readonly #lifetimes: Lifetimes<V> | undefined;
  readonly #rollout: Rollout;
  readonly #lru: LRUCache<CacheKey, CachedEntry<V>>;
  readonly #groups: GroupQueues<CachedEntry<V>>;
  readonly #pinned = new Map<CacheKey, CachedEntry<V>>();
  readonly #ghosts: Ghosts;
  #pinnedBytes: Bytes = 0;
  readonly #counts = {
    evictions: 0,
    groupEvictions: 0,
    purged: 0,
    pinnedPurged: 0,
    pinnedRefused: 0,
    tooLarge: 0,
    notAdmitted: 0,
  };

  constructor(options: MemoryTierOptions<V>) {
    const { maxBytes, maxGroupShare = 0.5 } = options;
    const maxGroupBytes = Math.floor(maxBytes * maxGroupShare);
    this.#options = options;
    this.#maxPinnedBytes = options.maxPinnedBytes ?? 0;
    this.#maxEntryBytes = Math.min(
      maxBytes,
      maxGroupBytes,
      options.maxEntryBytes ?? Math.floor(maxBytes / 8),
    );
    this.#standInMs = options.standInMs ?? 0;
    this.#admission = options.admission ?? admitAll;
    this.#tierObserver = options.tierObserver ?? noTierObserver;
    this.#lifetimes = options.lifetimes;
    this.#rollout = options.rollout ?? new Rollout();
    this.#ghosts = new Ghosts(options.clock);
    this.#groups = new GroupQueues(maxGroupBytes);
    this.#lru = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (cached) => cached.bytes,
      dispose: (cached, _key, reason) => this.#left(cached, reason),
    });
  }

  /** Fresh and valid, or undefined. The hot path: one look-up, one comparison of integers, one of times. */
  fresh(key: CacheKey): CachedEntry<V> | undefined {
    const cached = this.#get(key);
    if (cached === undefined) return undefined;
    const { clock, validity } = this.#options;
    if (!isFresh(cached.value, cached.verdict(validity), validity, clock, cached.nowMs(clock)))
      return undefined;
    cached.touched = true;
    cached.reads++;
    return cached;
  }

  /** Whatever is held and was not purged, be it fresh, stale or of use only if a render fails. */
  get(key: CacheKey): Found<V> | undefined {
    const cached = this.#get(key);
    if (cached === undefined) {
      this.#admission.missed(key, this.#lru.size);
      this.#ghosts.missed(key);
      return undefined;
    }
    const use = this.#useOf(cached);
    if (use === 'none') {
      this.#dropUseless(cached);
      return undefined;
    }
    cached.touched = true;
    return { cached, use };
  }

  /**
   * `pin`: nothing is to displace it, where there is room for that. False: it was not taken (purged meanwhile, too large,
   * of no use any more, or not wanted often enough).
   */
  set(key: CacheKey, value: V, group: string, pin = false): boolean {
    const before = this.look(key);
    const isPinned = pin && this.#rollout.allows('static', key);
    if (!isPinned && !this.#rollout.allows('l1', key)) return false;
    const { weigh, validity, clock } = this.#options;
    const bytes = weigh(key, value) + this.#tierObserver.weigh(value.keys.length);
    const cached = new CachedEntry({ key, value, group, bytes, validity, clock });
    if (!this.#isWanted(cached, before)) return false;
    if (isPinned && this.#pin(cached, before)) return true;
    return this.#rollout.allows('l1', key) && this.#admit(cached, before);
  }

  /** Puts `after` where `before` is, pinned or not. False: `before` is not what is held any more. */
  replace(key: CacheKey, before: V, after: V): boolean {
    const cached = this.look(key);
    if (cached?.value !== before) return false;
    this.set(key, after, cached.group, cached.isPinned);
    return true;
  }

  /** For the sweep after a purge, no read: drops what is invalid by now, and answers what it was. */
  dropPurged(key: CacheKey): CachedEntry<V> | undefined {
    const cached = this.look(key);
    if (cached?.verdict(this.#options.validity) !== 'purged') return undefined;
    this.#countPurged(cached);
    this.delete(key);
    return cached;
  }

  /** What is held, whatever it is worth, and no read. */
  look(key: CacheKey): CachedEntry<V> | undefined {
    return this.#pinned.get(key) ?? this.#lru.peek(key);
  }

  /** What a request that comes now is answered with, be it stale; and no read. */
  served(key: CacheKey): V | undefined {
    const cached = this.look(key);
    const use = cached && this.#useOf(cached);
    return use === 'fresh' || use === 'stale' ? cached?.value : undefined;
  }

  /** What may stand in for a render that there is no room for. */
  standIn(key: CacheKey): CachedEntry<V> | undefined {
    const cached = this.look(key);
    return cached !== undefined && this.#mayStandIn(cached) ? cached : undefined;
  }

  delete(key: CacheKey): boolean {
    return this.#unpin(key) || this.#lru.delete(key);
  }

  clear(): void {
    for (const key of [...this.#pinned.keys()]) this.#unpin(key);
    this.#lru.clear();
  }

  /** What each group holds, pinned entries aside. */
  groups(): { readonly group: string; readonly entries: number; readonly bytes: Bytes }[] {
    return this.#groups.all();
  }

  /** The pinned keys, then those that were wanted last, most recent first. */
  recentKeys(limit: number): CacheKey[] {
    const keys = [...this.#pinned.keys()];
    for (const key of this.#lru.keys()) {
      if (keys.length >= limit) break;
      keys.push(key);
    }
    return keys.slice(0, limit);
  }

  stats(): MemoryStats {
    const { pinnedPurged, pinnedRefused, ...counts } = this.#counts;
    return {
      entries: this.#lru.size,
      bytes: this.#lru.calculatedSize,
      maxBytes: this.#options.maxBytes,
      returned: this.#ghosts.returned,
      ...counts,
      pinned: {
        entries: this.#pinned.size,
        bytes: this.#pinnedBytes,
        maxBytes: this.#maxPinnedBytes,
        purged: pinnedPurged,
        refused: pinnedRefused,
      },
    };
  }

  #get(key: CacheKey): CachedEntry<V> | undefined {
    const pinned = this.#pinned.size === 0 ? undefined : this.#pinned.get(key);
    return pinned ?? this.#lru.get(key);
  }

  #useOf(cached: CachedEntry<V>): Use {
    const { validity, clock } = this.#options;
    return useOf(cached.value, cached.verdict(validity), validity, clock, cached.nowMs(clock));
  }

  #mayStandIn(cached: CachedEntry<V>): boolean {
    const { validity, clock } = this.#options;
    return mayStandIn(
      cached.value,
      cached.verdict(validity),
      validity,
      clock,
      this.#standInMs,
      cached.nowMs(clock),
    );
  }

  #dropUseless(cached: CachedEntry<V>): void {
    if (cached.verdict(this.#options.validity) === 'purged') this.#countPurged(cached);
    if (!this.#mayStandIn(cached)) this.delete(cached.key);
  }

  /** Not purged meanwhile, still of use, and not a late fill that would take the place of what an expire had made anew. */
  #isWanted(cached: CachedEntry<V>, before: CachedEntry<V> | undefined): boolean {
    const { validity, clock } = this.#options;
    const verdict = cached.verdict(validity);
    if (verdict === 'purged' || usableUntilMs(cached.value) <= clock.now()) return false;
    return verdict !== 'expired' || before?.verdict(validity) !== 'valid';
  }

  /** False: there is no room for it among the pinned. */
  #pin(cached: CachedEntry<V>, before: CachedEntry<V> | undefined): boolean {
    const freed = before?.isPinned === true ? before.bytes : 0;
    if (this.#pinnedBytes - freed + cached.bytes > this.#maxPinnedBytes) {
      this.#counts.pinnedRefused++;
      this.#unpin(cached.key);
      return false;
    }
    this.#lifetimes?.stored(cached.group, cached.value, before);
    this.delete(cached.key);
    cached.isPinned = true;
    this.#pinned.set(cached.key, cached);
    this.#pinnedBytes += cached.bytes;
    this.#tierObserver.entered(cached.key, cached.value.keys);
    return true;
  }

  #unpin(key: CacheKey): boolean {
    const cached = this.#pinned.get(key);
    if (cached === undefined) return false;
    this.#pinned.delete(key);
    this.#pinnedBytes -= cached.bytes;
    this.#tierObserver.left(key, cached.value.keys);
    return true;
  }

  #admit(cached: CachedEntry<V>, before: CachedEntry<V> | undefined): boolean {
    const { key, bytes } = cached;
    if (bytes > this.#maxEntryBytes) {
      this.#counts.tooLarge++;
      this.delete(key);
      return false;
    }
    const isFull = this.#lru.calculatedSize + bytes > this.#options.maxBytes;
    if (isFull && before === undefined && !this.#admission.admits(key)) {
      this.#counts.notAdmitted++;
      return false;
    }
    this.#lifetimes?.stored(cached.group, cached.value, before);
    this.#unpin(key);
    this.#lru.set(key, cached);
    this.#tierObserver.entered(key, cached.value.keys);
    this.#groups.enter(cached);
    this.#cutToShare(cached);
    return true;
  }

  #cutToShare(newcomer: CachedEntry<V>): void {
    for (;;) {
      const victim = this.#groups.victim(newcomer);
      if (victim === undefined) return;
      this.#counts.groupEvictions++;
      this.#ghosts.displaced(victim.key);
      this.#lru.delete(victim.key);
    }
  }

  #left(cached: CachedEntry<V>, reason: LRUCache.DisposeReason): void {
    this.#groups.leave(cached);
    this.#tierObserver.left(cached.key, cached.value.keys);
    if (reason !== 'evict') return;
    this.#counts.evictions++;
    this.#ghosts.displaced(cached.key);
  }

  #countPurged(cached: CachedEntry<V>): void {
    if (cached.isPinned) this.#counts.pinnedPurged++;
    else this.#counts.purged++;
    this.#lifetimes?.purged(cached);
  }
}
