import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';
import type { EpochMs, Milliseconds } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';

/** An entry that is wanted again within this after it was displaced would have been a hit in a larger tier. */
const WINDOW_MS: Milliseconds = 60_000;
/** So many names of displaced entries are remembered, in the order in which they went. */
const MAX_GHOSTS = 4096;

/** Entries that had to go for others, remembered by name for a while: how many come back tells if a tier is too small. */
export class Ghosts {
  readonly #clock: Clock;
  readonly #gone = new LRUCache<CacheKey, EpochMs>({ max: MAX_GHOSTS });
  #returned = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  displaced(key: CacheKey): void {
    this.#gone.set(key, this.#clock.monotonic());
  }

  /** `key` is not held, and is wanted. */
  missed(key: CacheKey): void {
    const goneMs = this.#gone.get(key);
    if (goneMs === undefined) return;
    this.#gone.delete(key);
    if (this.#clock.monotonic() - goneMs <= WINDOW_MS) this.#returned++;
  }

  /** Displaced entries that were wanted again soon after. */
  get returned(): number {
    return this.#returned;
  }
}
