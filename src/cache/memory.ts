// L1: the entries of one worker, bounded in true bytes (bodies, headers, keys, containers).
//
// One LRU for all, and a cap per group (a page's route, a fragment's name) so that one route of a million
// addresses cannot flush the rest: a group that is over its cap evicts its own, by second chance.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import type { Bytes, Milliseconds } from '../core/units.ts';
import type { Validity } from '../core/validity.ts';
import { type Admission, admitAll } from './admission.ts';
import type { Cached } from './entry.ts';
import { Ghosts } from './ghosts.ts';
import { Held, isFresh, isSpare, usableUntilMs, useOf } from './held.ts';
import type { Lives } from './lives.ts';
import { noShelf, type Shelf } from './shelf.ts';
import type { CacheKey } from './stack-contract.ts';
import type { Weigh } from './weight.ts';

export interface MemoryTierOptions<V extends Cached> {
  readonly clock: Clock;
  readonly validity: Validity;
  readonly weigh: Weigh<V>;
  readonly maxBytes: Bytes;
  /** A larger entry stays out. Default: an eighth of the tier. */
  readonly maxEntryBytes?: Bytes;
  /** The share of the tier that one group may hold. Default: half. */
  readonly maxGroupShare?: number;
  readonly admission?: Admission;
  readonly shelf?: Shelf;
  /** Counts what becomes of the entries. */
  readonly lives?: Lives<V>;
  /** So much longer than it is of use an entry is kept, for a worker that has no room to render. Default 0. */
  readonly spareMs?: Milliseconds;
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
}

/** The keys of a group in the order in which they are looked at for eviction, and what they weigh. */
interface Group {
  readonly keys: Set<CacheKey>;
  bytes: Bytes;
}

export class MemoryTier<V extends Cached> {
  readonly #clock: Clock;
  readonly #validity: Validity;
  readonly #weigh: Weigh<V>;
  readonly #maxEntryBytes: Bytes;
  readonly #maxGroupBytes: Bytes;
  readonly #admission: Admission;
  readonly #shelf: Shelf;
  readonly #lives: Lives<V> | undefined;
  readonly #spareMs: Milliseconds;
  readonly #entries: LRUCache<CacheKey, Held<V>>;
  readonly #groups = new Map<string, Group>();
  readonly #ghosts: Ghosts;
  #evictions = 0;
  #groupEvictions = 0;
  #purged = 0;
  #tooLarge = 0;
  #notAdmitted = 0;

  constructor(options: MemoryTierOptions<V>) {
    const { maxBytes } = options;
    this.#clock = options.clock;
    this.#validity = options.validity;
    this.#weigh = options.weigh;
    this.#maxEntryBytes = options.maxEntryBytes ?? Math.floor(maxBytes / 8);
    this.#maxGroupBytes = Math.floor(maxBytes * (options.maxGroupShare ?? 0.5));
    this.#admission = options.admission ?? admitAll;
    this.#ghosts = new Ghosts(options.clock);
    this.#shelf = options.shelf ?? noShelf;
    this.#lives = options.lives;
    this.#spareMs = options.spareMs ?? 0;
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (held) => held.bytes,
      dispose: (held, key, reason) => {
        if (reason === 'evict') {
          this.#evictions++;
          this.#ghosts.displaced(key);
        }
        this.#leaveGroup(key, held);
        this.#shelf.left(key);
      },
    });
  }

  /** Fresh and valid, or undefined. The hot path: one look-up, one comparison of integers, one of times. */
  fresh(key: CacheKey): V | undefined {
    const held = this.#entries.get(key);
    if (held === undefined) return undefined;
    const { value } = held;
    if (!isFresh(value, held.verdict(this.#validity), this.#validity, this.#clock)) return undefined;
    held.touched = true;
    held.reads++;
    return value;
  }

  /** Whatever is held and was not purged, be it fresh, stale or of use only if a render fails. */
  get(key: CacheKey): Held<V> | undefined {
    const held = this.#entries.get(key);
    if (held === undefined) {
      this.#admission.missed(key, this.#entries.size);
      this.#ghosts.missed(key);
      return undefined;
    }
    const use = useOf(held.value, held.verdict(this.#validity), this.#validity, this.#clock);
    if (use === 'none') {
      const verdict = held.verdict(this.#validity);
      if (verdict === 'purged') this.#countPurged(held);
      if (!isSpare(held.value, verdict, this.#validity, this.#clock, this.#spareMs))
        this.#entries.delete(key);
      return undefined;
    }
    held.touched = true;
    return held;
  }

  /** False: it was not taken (purged meanwhile, too large, of no use any more, or not wanted often enough). */
  set(key: CacheKey, value: V, group: string): boolean {
    const bytes = this.#weigh(key, value) + this.#shelf.weigh(value.keys.length);
    const held = new Held(value, group, bytes, this.#validity);
    const verdict = held.verdict(this.#validity);
    if (verdict === 'purged' || usableUntilMs(value) <= this.#clock.now()) return false;
    const before = this.#entries.peek(key);
    // A late fill that an expire overtook must not take the place of what was made after it.
    if (verdict === 'expired' && before?.verdict(this.#validity) === 'valid') return false;
    if (bytes > this.#maxEntryBytes || bytes > this.#maxGroupBytes) {
      this.#tooLarge++;
      this.#entries.delete(key);
      return false;
    }
    const full = this.#entries.calculatedSize + bytes > this.#entries.maxSize;
    if (full && before === undefined && !this.#admission.admits(key)) {
      this.#notAdmitted++;
      return false;
    }
    this.#lives?.stored(group, value, before);
    this.#entries.set(key, held);
    this.#shelf.entered(key, value.keys);
    this.#enterGroup(key, held);
    return true;
  }

  /** For the sweep after a purge, no read: drops what is invalid by now, and answers what it was. */
  dropPurged(key: CacheKey): Held<V> | undefined {
    const held = this.#entries.peek(key);
    if (held?.verdict(this.#validity) !== 'purged') return undefined;
    this.#countPurged(held);
    this.delete(key);
    return held;
  }

  /** What is held, whatever it is worth, and no read. */
  look(key: CacheKey): Held<V> | undefined {
    return this.#entries.peek(key);
  }

  /** What each group holds. */
  groups(): { readonly group: string; readonly entries: number; readonly bytes: Bytes }[] {
    return [...this.#groups].map(([group, { keys, bytes }]) => ({ group, entries: keys.size, bytes }));
  }

  delete(key: CacheKey): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The keys that were wanted last, most recent first. */
  recentKeys(limit: number): CacheKey[] {
    const keys: CacheKey[] = [];
    for (const key of this.#entries.keys()) {
      if (keys.length >= limit) break;
      keys.push(key);
    }
    return keys;
  }

  stats(): MemoryStats {
    return {
      entries: this.#entries.size,
      bytes: this.#entries.calculatedSize,
      maxBytes: this.#entries.maxSize,
      evictions: this.#evictions,
      groupEvictions: this.#groupEvictions,
      returned: this.#ghosts.returned,
      purged: this.#purged,
      tooLarge: this.#tooLarge,
      notAdmitted: this.#notAdmitted,
    };
  }

  #countPurged(held: Held<V>): void {
    this.#purged++;
    this.#lives?.purged(held);
  }

  #enterGroup(key: CacheKey, { group: name, bytes }: Held<V>): void {
    const group = this.#groups.get(name) ?? { keys: new Set(), bytes: 0 };
    this.#groups.set(name, group);
    group.keys.add(key);
    group.bytes += bytes;
    if (group.bytes > this.#maxGroupBytes) this.#shrink(group, key);
  }

  #leaveGroup(key: CacheKey, { group: name, bytes }: Held<V>): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    group.keys.delete(key);
    group.bytes -= bytes;
    if (group.keys.size === 0) this.#groups.delete(name);
  }

  /** Second chance: the oldest goes, unless it was read since we last looked; then it goes to the end of the queue. */
  #shrink(group: Group, newcomer: CacheKey): void {
    for (const key of group.keys) {
      if (group.bytes <= this.#maxGroupBytes) return;
      const held = this.#entries.peek(key);
      if (held === undefined || key === newcomer) continue;
      if (held.touched) {
        held.touched = false;
        group.keys.delete(key);
        group.keys.add(key);
      } else {
        this.#groupEvictions++;
        this.#ghosts.displaced(key);
        this.#entries.delete(key);
      }
    }
  }
}
