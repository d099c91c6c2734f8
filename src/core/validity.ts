import type { DependencyKey, Milliseconds, Seq, Slot, Stamp } from './units.ts';

/**
 * What has become of an entry's data since its stamp.
 * - `valid`: nothing it was made from was purged or expired
 * - `expired`: may be served as stale while a new one is made
 * - `purged`: must not be served again (also: its stamp is of another epoch, so nothing is known)
 */
export type Verdict = 'valid' | 'expired' | 'purged';

/**
 * The question every tier and every wait asks before it hands out an entry. Answered by the purge clock
 * (src/invalidation/clock/clock.ts) from a fixed array, without I/O, in the worker itself.
 */
export interface Validity {
  /** The last purge this worker has applied, within the current epoch. */
  readonly seq: Seq;
  /**
   * Counts everything that could change a verdict: purges applied, epochs begun. While it has not moved,
   * what was valid still is. Unlike `seq` it never comes back to a value it had (an epoch begins at any seq).
   */
  readonly version: number;
  /**
   * Until then (monotonic time) what this worker knows of purges is complete. Beyond it a purge may be missing, and
   * what is held is served as a micro-cache only: for `degradedTtlMs` after the first read it was made from.
   */
  readonly trustedUntil: Milliseconds;
  readonly degradedTtlMs: Milliseconds;
  /** The stamp for a render that starts now. Take it before the first read. */
  stamp(): Stamp;
  /** The slots of an entry's keys; computed once when an entry enters memory, then judged by slot. */
  slotsOf(keys: readonly DependencyKey[]): Uint32Array;
  judge(slots: ArrayLike<Slot>, stamp: Stamp): Verdict;
}

/** Collects the dependency keys of one render. */
export interface KeyRecorder {
  add(key: DependencyKey): void;
  /**
   * The render read something whose changes nothing will tell of (a volatile function, a foreign table).
   * The page is then kept by its TTL only, and `why` is logged once.
   */
  untracked(why: string): void;
  /**
   * A read begins, described by `what`. Call the result once it has ended: with its error when it failed. A render in
   * which a read failed, or was still running when `load` returned, is incomplete. A key recorder of nothing kept has no need.
   */
  reading?(what: () => string): (error?: unknown) => void;
  /** Nothing told to it is kept, so what a statement depends on need not be found out. */
  readonly isDeaf?: true;
  /** Where an operator asks why: the key recorder for the keys of one statement. Ordinary renders have none. */
  of?(statement: string): KeyRecorder;
}
