import type { Bytes, DependencyKey } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';

/** Told by memory of every entry that it takes and lets go of, for whatever reason. */
export interface TierObserver {
  /** Also where it replaces an entry; that one has left before. */
  entered(key: CacheKey, keys: readonly DependencyKey[]): void;
  left(key: CacheKey, keys: readonly DependencyKey[]): void;
  /** What knowing an entry of so many keys takes: it counts as the entry's own. */
  weigh(keys: number): Bytes;
}

export const noTierObserver: TierObserver = { entered: () => {}, left: () => {}, weigh: () => 0 };
