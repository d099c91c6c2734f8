// The purge bus: hands out the numbers of purges and brings every purge to every worker, in order.
import type { DependencyKey, EpochMs, Milliseconds, Seq } from '../../core/units.ts';
import type { ClockState, PurgeKind } from '../clock/clock-state.ts';

export interface Purge {
  readonly epoch: string;
  readonly seq: Seq;
  readonly kind: PurgeKind;
  readonly keys: readonly DependencyKey[];
  /**
   * When the change was committed, by the database's clock; of the oldest where several travel as one purge. Undefined
   * where nothing was committed: purges by hand. For figures only, nothing depends on it for being right.
   */
  readonly committedMs?: EpochMs | undefined;
}

/** Where a purge stands in the purge stream: enough to wait until a worker has applied it. */
export interface Published {
  readonly epoch: string;
  readonly seq: Seq;
}

export interface AppliedOptions {
  readonly timeoutMs: Milliseconds;
  readonly signal?: AbortSignal;
}

/** Complete when `missing` is empty. */
export interface Applied {
  /** So many have applied it. */
  readonly workers: number;
  /** These may still serve what was made before. */
  readonly missing: readonly string[];
}

export interface BusListener {
  /** Purges of one epoch come in order: 1, 2, 3, ... without holes and without repeats. */
  purge(purge: Purge): void;
  /**
   * The numbers begin anew, or a hole could not be filled. `state` is the whole clock where it is known;
   * without it, nothing of before can be trusted.
   */
  reset(epoch: string, seq: Seq, state: ClockState | undefined): void;
}

export interface PurgeBus {
  /** Resolves once the bus has accepted the purge: from then on it cannot be lost. Errors: `E_BUS_CLOSED`. */
  publish(keys: readonly DependencyKey[], kind: PurgeKind, committedMs?: EpochMs): Promise<Published>;
  /**
   * Begins with one `reset`, as soon as the bus knows where the purge stream stands; until then a listener's clock stays on
   * an epoch of its own, in which nothing can be trusted. The answer stops listening.
   */
  subscribe(listener: BusListener): () => void;
  /**
   * Resolves when no worker serves anything from before `published` any more, or at the timeout, naming those that may.
   * Errors: `E_BUS_UNAVAILABLE`, `E_RELAY_SILENT` where no worker could be asked, `E_BUS_CLOSED`, the signal's reason.
   */
  applied(published: Published, options: AppliedOptions): Promise<Applied>;
  close(): Promise<void>;
}
