import type { CacheKey } from '../contract.ts';
import type { Cached } from '../entry.ts';

/**
 * A tier below memory: shared with other workers, reached by I/O. It keeps what it is given and judges nothing:
 * the reading worker checks the stamp against its own purge clock. A tier that fails must reject, not hang.
 */
export interface Tier<V extends Cached> {
  readonly name: 'l2' | 'l3';
  /** False while the tier is known to be of no use (breaker open, disk full): it is then left out. */
  readonly usable: boolean;
  get(key: CacheKey): Promise<V | undefined>;
  /** Kept until the entry is of no use to anybody, at most. */
  set(key: CacheKey, value: V): Promise<void>;
  delete(key: CacheKey): Promise<void>;
  /** Everything of this cache, and nothing of anybody else. */
  clear(): Promise<void>;
  stats(): Readonly<Record<string, number | string>>;
  close(): Promise<void>;
}
