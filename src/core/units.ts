/** A length of time in milliseconds. */
export type Milliseconds = number;

/** A moment: milliseconds since 1970 by the wall clock of this machine. Never compared between machines. */
export type EpochMs = number;

/** A size in bytes. */
export type Bytes = number;

/** The number of a purge. The bus hands them out 1, 2, 3, ...; 0 is "before the first". */
export type Seq = number;

/** An index into the purge clock's fixed array; dependency keys are hashed to slots. */
export type Slot = number;

/** Names data that a page was made from: `users#17`, `posts.user_id=17`, `users@rows`, `weather:berlin`. */
export type DependencyKey = string;

/**
 * The point in the purge stream of purges that a render began at: what the worker had applied *before* the
 * render's first read. An entry is as old as its stamp, however late the render finished.
 */
export interface Stamp {
  /** The life of the purge clock that `seq` counts in. Stamps of different epochs cannot be compared. */
  readonly epoch: string;
  readonly seq: Seq;
}
