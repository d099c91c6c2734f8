import type { DependencyKey, Milliseconds } from '../core/units.ts';

/** Purges that are told at once. */
export interface Batch {
  /** Names it however often it is tried: the idempotency key. */
  readonly id: string;
  /** Undefined: everything, because more came than is kept, or because what is missing cannot be named. */
  readonly keys: readonly DependencyKey[] | undefined;
  /** How many keys "everything" stands for; 0 where it is unknown. */
  readonly dropped: number;
}

/** A receiver of purges, at least once each, in order. */
export interface Target {
  /** Unique, and the same in every process and over restarts. */
  readonly name: string;
  /** `*` stands for any characters. */
  readonly pattern: string;
  /** Resolves when it has been taken; a rejection is tried again. */
  tell(batch: Batch, signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

/** A refusal that says when to come back. */
export interface Delayed {
  readonly retryAfterMs: Milliseconds;
}
