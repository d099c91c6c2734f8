import type { Seq } from '../../core/units.ts';

/** purge: must not be served again. expire: may be served as stale while a new one is made. */
export type PurgeKind = 'purge' | 'expire';

/** Everything a purge clock knows; what it is restored from. */
export interface ClockState {
  readonly epoch: string;
  readonly seq: Seq;
  /** For each slot the number of its last purge. */
  readonly purged: Uint32Array;
  /** For each slot the number of its last expire. */
  readonly expired: Uint32Array;
}
