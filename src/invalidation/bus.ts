// The purge bus: hands out the numbers of purges and brings every purge to every worker, in order.
import type { DependencyKey, Seq } from '../core/units.ts';
import type { ClockState, PurgeKind } from './clock-state.ts';

export interface Purge {
  readonly epoch: string;
  readonly seq: Seq;
  readonly kind: PurgeKind;
  readonly keys: readonly DependencyKey[];
}

/** Where a purge stands in the river: enough to wait until a worker has applied it. */
export interface Published {
  readonly epoch: string;
  readonly seq: Seq;
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
  publish(keys: readonly DependencyKey[], kind: PurgeKind): Promise<Published>;
  /**
   * Begins with one `reset`, as soon as the bus knows where the river stands; until then a listener's clock stays on
   * an epoch of its own, in which nothing can be trusted. The answer stops listening.
   */
  subscribe(listener: BusListener): () => void;
  close(): Promise<void>;
}
