// L1: the entries of one worker, bounded in true bytes (bodies, headers, keys, containers).
//
// One LRU for all, and a cap per group (a page's route, a fragment's name) so that one route of a million
// addresses cannot flush the rest: a group that is over its cap evicts its own, by second chance.
import type { Clock } from '../core/clock.ts';
import type { Bytes, Milliseconds } from '../core/units.ts';
import type { Validity } from '../core/validity.ts';
import { type Admission, admitAll } from './admission.ts';
import type { Cached } from './entry.ts';
import { Ghosts } from './ghosts.ts';
import { Held, isFresh, isSpare, usableUntilMs, useOf } from './held.ts';
import type { Lives } from './lives.ts';
import { type Member, Queue } from './queue.ts';
import { Recency } from './recency.ts';
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

/** The entries of a group in the order in which they are looked at for eviction, and what they weigh. */
interface Group<V extends Cached> {
  readonly queue: Queue<Seat<V>>;
  entries: number;
  bytes: Bytes;
}

/** An entry and its places: in the order of all, and in its group's. */
class Kept<V extends Cached> extends Held<V> implements Member<Kept<V>> {
  readonly key: CacheKey;
  readonly seat = new Seat(this);
  older: Kept<V> | undefined;
  newer: Kept<V> | undefined;

  constructor(key: CacheKey, value: V, group: string, bytes: Bytes, validity: Validity, clock: Clock) {
    super(value, group, bytes, validity, clock);
    this.key = key;
  }
}

class Seat<V extends Cached> implements Member<Seat<V>> {
  readonly entry: Kept<V>;
  older: Seat<V> | undefined;
  newer: Seat<V> | undefined;

  constructor(entry: Kept<V>) {
    this.entry = entry;
  }
}

export class MemoryTier<V extends Cached> {
  readonly #clock: Clock;
  readonly #validity: Validity;
  readonly #weigh: Weigh<V>;
  readonly #maxBytes: Bytes;
  readonly #maxEntryBytes: Bytes;
  readonly #maxGroupBytes: Bytes;
  readonly #admission: Admission;
  readonly #shelf: Shelf;
  readonly #lives: Lives<V> | undefined;
  readonly #spareMs: Milliseconds;
  readonly #entries = new Recency<Kept<V>>();
  readonly #groups = new Map<string, Group<V>>();
  readonly #ghosts: Ghosts;
  #bytes: Bytes = 0;
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
    this.#maxBytes = maxBytes;
    this.#maxEntryBytes = Math.min(maxBytes, options.maxEntryBytes ?? Math.floor(maxBytes / 8));
    this.#maxGroupBytes = Math.floor(maxBytes * (options.maxGroupShare ?? 0.5));
    this.#admission = options.admission ?? admitAll;
    this.#ghosts = new Ghosts(options.clock);
    this.#shelf = options.shelf ?? noShelf;
    this.#lives = options.lives;
    this.#spareMs = options.spareMs ?? 0;
  }

  /** Fresh and valid, or undefined. The hot path: one look-up, one comparison of integers, one of times. */
  fresh(key: CacheKey): V | undefined {
    const held = this.#entries.get(key);
    if (held === undefined) return undefined;
    const { value } = held;
    const verdict = held.verdict(this.#validity);
    if (!isFresh(value, verdict, this.#validity, this.#clock, held.nowMs(this.#clock))) return undefined;
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
    const verdict = held.verdict(this.#validity);
    const nowMs = held.nowMs(this.#clock);
    if (useOf(held.value, verdict, this.#validity, this.#clock, nowMs) === 'none') {
      if (verdict === 'purged') this.#countPurged(held);
      if (!isSpare(held.value, verdict, this.#validity, this.#clock, this.#spareMs, nowMs)) this.#drop(held);
      return undefined;
    }
    held.touched = true;
    return held;
  }

  /** False: it was not taken (purged meanwhile, too large, of no use any more, or not wanted often enough). */
  set(key: CacheKey, value: V, group: string): boolean {
    const bytes = this.#weigh(key, value) + this.#shelf.weigh(value.keys.length);
    const held = new Kept(key, value, group, bytes, this.#validity, this.#clock);
    const verdict = held.verdict(this.#validity);
    if (verdict === 'purged' || usableUntilMs(value) <= this.#clock.now()) return false;
    const before = this.#entries.peek(key);
    // A late fill that an expire overtook must not take the place of what was made after it.
    if (verdict === 'expired' && before?.verdict(this.#validity) === 'valid') return false;
    if (bytes > this.#maxEntryBytes || bytes > this.#maxGroupBytes) {
      this.#tooLarge++;
      this.delete(key);
      return false;
    }
    const full = this.#bytes + bytes > this.#maxBytes;
    if (full && before === undefined && !this.#admission.admits(key)) {
      this.#notAdmitted++;
      return false;
    }
    this.#lives?.stored(group, value, before);
    if (before !== undefined) this.#drop(before);
    this.#makeRoom(bytes);
    this.#entries.add(held);
    this.#bytes += bytes;
    this.#shelf.entered(key, value.keys);
    this.#enterGroup(held);
    return true;
  }

  /** For the sweep after a purge, no read: drops what is invalid by now, and answers what it was. */
  dropPurged(key: CacheKey): Held<V> | undefined {
    const held = this.#entries.peek(key);
    if (held?.verdict(this.#validity) !== 'purged') return undefined;
    this.#countPurged(held);
    this.#drop(held);
    return held;
  }

  /** What is held, whatever it is worth, and no read. */
  look(key: CacheKey): Held<V> | undefined {
    return this.#entries.peek(key);
  }

  /** What each group holds. */
  groups(): { readonly group: string; readonly entries: number; readonly bytes: Bytes }[] {
    return [...this.#groups].map(([group, { entries, bytes }]) => ({ group, entries, bytes }));
  }

  delete(key: CacheKey): boolean {
    const held = this.#entries.peek(key);
    if (held === undefined) return false;
    this.#drop(held);
    return true;
  }

  clear(): void {
    for (let held = this.#entries.oldest; held !== undefined; held = this.#entries.oldest) this.#drop(held);
  }

  /** The keys that were wanted last, most recent first. */
  recentKeys(limit: number): CacheKey[] {
    const keys: CacheKey[] = [];
    for (const { key } of this.#entries.newestFirst()) {
      if (keys.length >= limit) break;
      keys.push(key);
    }
    return keys;
  }

  stats(): MemoryStats {
    return {
      entries: this.#entries.size,
      bytes: this.#bytes,
      maxBytes: this.#maxBytes,
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

  #makeRoom(bytes: Bytes): void {
    while (this.#bytes + bytes > this.#maxBytes) {
      const oldest = this.#entries.oldest;
      if (oldest === undefined) return;
      this.#evictions++;
      this.#ghosts.displaced(oldest.key);
      this.#drop(oldest);
    }
  }

  /** It must be held. */
  #drop(held: Kept<V>): void {
    this.#entries.remove(held);
    this.#bytes -= held.bytes;
    this.#leaveGroup(held);
    this.#shelf.left(held.key);
  }

  #enterGroup(held: Kept<V>): void {
    const group = this.#groups.get(held.group) ?? { queue: new Queue(), entries: 0, bytes: 0 };
    this.#groups.set(held.group, group);
    group.queue.append(held.seat);
    group.entries++;
    group.bytes += held.bytes;
    if (group.bytes > this.#maxGroupBytes) this.#shrink(group, held);
  }

  #leaveGroup({ group: name, seat, bytes }: Kept<V>): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    group.queue.remove(seat);
    group.entries--;
    group.bytes -= bytes;
    if (group.entries === 0) this.#groups.delete(name);
  }

  /** Second chance: the oldest goes, unless it was read since we last looked; then it goes to the end of the queue. */
  #shrink(group: Group<V>, newcomer: Kept<V>): void {
    const { queue } = group;
    while (group.bytes > this.#maxGroupBytes) {
      const seat = queue.oldest;
      if (seat === undefined) return;
      const { entry } = seat;
      if (entry.touched || entry === newcomer) {
        entry.touched = false;
        queue.remove(seat);
        queue.append(seat);
      } else {
        this.#groupEvictions++;
        this.#ghosts.displaced(entry.key);
        this.#drop(entry);
      }
    }
  }
}
