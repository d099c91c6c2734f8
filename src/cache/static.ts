import type { Clock } from '../core/clock.ts';
import type { Bytes, Milliseconds } from '../core/units.ts';
import type { Validity } from '../core/validity.ts';
import type { Cached } from './entry.ts';
import { Held, isFresh, isSpare, usableUntilMs, useOf } from './held.ts';
import { noShelf, type Shelf } from './shelf.ts';
import type { CacheKey } from './stack-contract.ts';
import type { Weigh } from './weight.ts';

export interface StaticTierOptions<V extends Cached> {
  readonly clock: Clock;
  readonly validity: Validity;
  readonly weigh: Weigh<V>;
  readonly maxBytes: Bytes;
  readonly shelf?: Shelf;
  /** So much longer than it is of use an entry is kept, for a worker that has no room to render. Default 0. */
  readonly spareMs?: Milliseconds;
}

export interface StaticStats {
  readonly entries: number;
  readonly bytes: Bytes;
  readonly maxBytes: Bytes;
  readonly purged: number;
  /** Declared or promoted, but there was no room: they live in L1 like others. */
  readonly refused: number;
}

/**
 * Entries pinned outside the LRU: declared static, or promoted because they are hot. Nothing displaces them; a
 * purge or the end of their time drops them. Full is full: what finds no room lives in L1 like others.
 */
export class StaticTier<V extends Cached> {
  readonly #clock: Clock;
  readonly #validity: Validity;
  readonly #weigh: Weigh<V>;
  readonly #maxBytes: Bytes;
  readonly #shelf: Shelf;
  readonly #spareMs: Milliseconds;
  readonly #entries = new Map<CacheKey, Held<V>>();
  #bytes: Bytes = 0;
  #purged = 0;
  #refused = 0;

  constructor({ clock, validity, weigh, maxBytes, shelf = noShelf, spareMs = 0 }: StaticTierOptions<V>) {
    this.#clock = clock;
    this.#validity = validity;
    this.#weigh = weigh;
    this.#maxBytes = maxBytes;
    this.#shelf = shelf;
    this.#spareMs = spareMs;
  }

  fresh(key: CacheKey): V | undefined {
    const held = this.#entries.get(key);
    if (held === undefined) return undefined;
    const { value } = held;
    const verdict = held.verdict(this.#validity);
    if (!isFresh(value, verdict, this.#validity, this.#clock, held.nowMs(this.#clock))) return undefined;
    held.reads++;
    return value;
  }

  get(key: CacheKey): Held<V> | undefined {
    const held = this.#entries.get(key);
    if (held === undefined) return undefined;
    const verdict = held.verdict(this.#validity);
    const nowMs = held.nowMs(this.#clock);
    if (useOf(held.value, verdict, this.#validity, this.#clock, nowMs) !== 'none') return held;
    if (verdict === 'purged') this.#purged++;
    if (!isSpare(held.value, verdict, this.#validity, this.#clock, this.#spareMs, nowMs)) this.delete(key);
    return undefined;
  }

  /** False: purged meanwhile, of no use any more, or no room. */
  set(key: CacheKey, value: V, group: string): boolean {
    const bytes = this.#weigh(key, value) + this.#shelf.weigh(value.keys.length);
    const held = new Held(value, group, bytes, this.#validity, this.#clock);
    const verdict = held.verdict(this.#validity);
    if (verdict === 'purged' || usableUntilMs(value) <= this.#clock.now()) return false;
    const before = this.#entries.get(key);
    if (verdict === 'expired' && before?.verdict(this.#validity) === 'valid') return false;
    if (this.#bytes - (before?.bytes ?? 0) + held.bytes > this.#maxBytes) {
      this.#refused++;
      this.delete(key);
      return false;
    }
    this.#bytes += held.bytes - (before?.bytes ?? 0);
    if (before !== undefined) this.#shelf.left(key);
    this.#entries.set(key, held);
    this.#shelf.entered(key, value.keys);
    return true;
  }

  /** For the sweep after a purge, no read: drops what is invalid by now, and answers what it was. */
  dropPurged(key: CacheKey): Held<V> | undefined {
    const held = this.#entries.get(key);
    if (held?.verdict(this.#validity) !== 'purged') return undefined;
    this.#purged++;
    this.delete(key);
    return held;
  }

  /** What is held, whatever it is worth, and no read. */
  look(key: CacheKey): Held<V> | undefined {
    return this.#entries.get(key);
  }

  keys(): Iterable<CacheKey> {
    return this.#entries.keys();
  }

  delete(key: CacheKey): boolean {
    const held = this.#entries.get(key);
    if (held === undefined) return false;
    this.#bytes -= held.bytes;
    this.#shelf.left(key);
    return this.#entries.delete(key);
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.#shelf.left(key);
    this.#entries.clear();
    this.#bytes = 0;
  }

  stats(): StaticStats {
    return {
      entries: this.#entries.size,
      bytes: this.#bytes,
      maxBytes: this.#maxBytes,
      purged: this.#purged,
      refused: this.#refused,
    };
  }
}
