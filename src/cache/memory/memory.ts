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
import { CachedEntry, isFresh, isStandby, type Use, usableUntilMs, useOf } from './cached-entry.ts';
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
  readonly spareMs?: Milliseconds;
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
  readonly held: CachedEntry<V>;
  readonly use: Exclude<Use, 'none'>;
}

export class MemoryTier<V extends Cached> {
  readonly #options: Required<Pick<MemoryTierOptions<V>, 'clock' | 'validity' | 'weigh' | 'maxBytes'>>;
  readonly #maxPinnedBytes: Bytes;
  readonly #maxEntryBytes: Bytes;
  readonly #spareMs: Milliseconds;
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
    this.#spareMs = options.spareMs ?? 0;
    this.#admission = options.admission ?? admitAll;
    this.#tierObserver = options.tierObserver ?? noTierObserver;
    this.#lifetimes = options.lifetimes;
    this.#rollout = options.rollout ?? new Rollout();
    this.#ghosts = new Ghosts(options.clock);
    this.#groups = new GroupQueues(maxGroupBytes);
    this.#lru = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (held) => held.bytes,
      dispose: (held, _key, reason) => this.#left(held, reason),
    });
  }

  /** Fresh and valid, or undefined. The hot path: one look-up, one comparison of integers, one of times. */
  fresh(key: CacheKey): CachedEntry<V> | undefined {
    const held = this.#get(key);
    if (held === undefined) return undefined;
    const { clock, validity } = this.#options;
    if (!isFresh(held.value, held.verdict(validity), validity, clock, held.nowMs(clock))) return undefined;
    held.touched = true;
    held.reads++;
    return held;
  }

  /** Whatever is held and was not purged, be it fresh, stale or of use only if a render fails. */
  get(key: CacheKey): Found<V> | undefined {
    const held = this.#get(key);
    if (held === undefined) {
      this.#admission.missed(key, this.#lru.size);
      this.#ghosts.missed(key);
      return undefined;
    }
    const use = this.#useOf(held);
    if (use === 'none') {
      this.#dropUseless(held);
      return undefined;
    }
    held.touched = true;
    return { held, use };
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
    const held = new CachedEntry({ key, value, group, bytes, validity, clock });
    if (!this.#isWanted(held, before)) return false;
    if (isPinned && this.#pin(held, before)) return true;
    return this.#rollout.allows('l1', key) && this.#admit(held, before);
  }

  /** Puts `after` where `before` is, pinned or not. False: `before` is not what is held any more. */
  replace(key: CacheKey, before: V, after: V): boolean {
    const held = this.look(key);
    if (held?.value !== before) return false;
    this.set(key, after, held.group, held.isPinned);
    return true;
  }

  /** For the sweep after a purge, no read: drops what is invalid by now, and answers what it was. */
  dropPurged(key: CacheKey): CachedEntry<V> | undefined {
    const held = this.look(key);
    if (held?.verdict(this.#options.validity) !== 'purged') return undefined;
    this.#countPurged(held);
    this.delete(key);
    return held;
  }

  /** What is held, whatever it is worth, and no read. */
  look(key: CacheKey): CachedEntry<V> | undefined {
    return this.#pinned.get(key) ?? this.#lru.peek(key);
  }

  /** What a request that comes now is answered with, be it stale; and no read. */
  served(key: CacheKey): V | undefined {
    const held = this.look(key);
    const use = held && this.#useOf(held);
    return use === 'fresh' || use === 'stale' ? held?.value : undefined;
  }

  /** What may stand in for a render that there is no room for. */
  spare(key: CacheKey): CachedEntry<V> | undefined {
    const held = this.look(key);
    return held !== undefined && this.#isStandby(held) ? held : undefined;
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

  #useOf(held: CachedEntry<V>): Use {
    const { validity, clock } = this.#options;
    return useOf(held.value, held.verdict(validity), validity, clock, held.nowMs(clock));
  }

  #isStandby(held: CachedEntry<V>): boolean {
    const { validity, clock } = this.#options;
    return isStandby(held.value, held.verdict(validity), validity, clock, this.#spareMs, held.nowMs(clock));
  }

  #dropUseless(held: CachedEntry<V>): void {
    if (held.verdict(this.#options.validity) === 'purged') this.#countPurged(held);
    if (!this.#isStandby(held)) this.delete(held.key);
  }

  /** Not purged meanwhile, still of use, and not a late fill that would take the place of what an expire had made anew. */
  #isWanted(held: CachedEntry<V>, before: CachedEntry<V> | undefined): boolean {
    const { validity, clock } = this.#options;
    const verdict = held.verdict(validity);
    if (verdict === 'purged' || usableUntilMs(held.value) <= clock.now()) return false;
    return verdict !== 'expired' || before?.verdict(validity) !== 'valid';
  }

  /** False: there is no room for it among the pinned. */
  #pin(held: CachedEntry<V>, before: CachedEntry<V> | undefined): boolean {
    const freed = before?.isPinned === true ? before.bytes : 0;
    if (this.#pinnedBytes - freed + held.bytes > this.#maxPinnedBytes) {
      this.#counts.pinnedRefused++;
      this.#unpin(held.key);
      return false;
    }
    this.#lifetimes?.stored(held.group, held.value, before);
    this.delete(held.key);
    held.isPinned = true;
    this.#pinned.set(held.key, held);
    this.#pinnedBytes += held.bytes;
    this.#tierObserver.entered(held.key, held.value.keys);
    return true;
  }

  #unpin(key: CacheKey): boolean {
    const held = this.#pinned.get(key);
    if (held === undefined) return false;
    this.#pinned.delete(key);
    this.#pinnedBytes -= held.bytes;
    this.#tierObserver.left(key, held.value.keys);
    return true;
  }

  #admit(held: CachedEntry<V>, before: CachedEntry<V> | undefined): boolean {
    const { key, bytes } = held;
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
    this.#lifetimes?.stored(held.group, held.value, before);
    this.#unpin(key);
    this.#lru.set(key, held);
    this.#tierObserver.entered(key, held.value.keys);
    this.#groups.enter(held);
    this.#cutToShare(held);
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

  #left(held: CachedEntry<V>, reason: LRUCache.DisposeReason): void {
    this.#groups.leave(held);
    this.#tierObserver.left(held.key, held.value.keys);
    if (reason !== 'evict') return;
    this.#counts.evictions++;
    this.#ghosts.displaced(held.key);
  }

  #countPurged(held: CachedEntry<V>): void {
    if (held.isPinned) this.#counts.pinnedPurged++;
    else this.#counts.purged++;
    this.#lifetimes?.purged(held);
  }
}
