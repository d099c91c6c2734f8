import type { DependencyKey, EpochMs, Seq } from '../../core/units.ts';
import type { Applied, BusListener, Published, PurgeBus } from '../../invalidation/bus/bus.ts';
import { LAST_SEQ, PurgeClock } from '../../invalidation/clock/clock.ts';
import { decodeSnapshot } from '../../invalidation/clock/clock-snapshot.ts';
import type { ClockState, PurgeKind } from '../../invalidation/clock/clock-state.ts';
import { DEFAULT_SLOTS } from '../../invalidation/clock/slots.ts';
import { BusClosedError } from '../../invalidation/errors.ts';

export interface LocalBusOptions {
  /** Names a new epoch; must never repeat a name (a random id). */
  readonly newEpoch: () => string;
  readonly slots?: number;
  /** What `save()` gave at the last shutdown. Errors: `E_CLOCK_SNAPSHOT`. */
  readonly snapshot?: Buffer;
  /** After this number a new epoch begins. */
  readonly lastSeq?: Seq;
}

/**
 * The bus of one process. Listeners are called before `publish` resolves, so a purge that was published has been
 * applied everywhere. It keeps a clock of its own, which newcomers take over and which survives a restart.
 */
export class LocalBus implements PurgeBus {
  readonly #newEpoch: () => string;
  readonly #clock: PurgeClock;
  readonly #lastSeq: Seq;
  readonly #listeners = new Set<BusListener>();
  #closed = false;

  constructor({ newEpoch, slots = DEFAULT_SLOTS, snapshot, lastSeq = LAST_SEQ }: LocalBusOptions) {
    this.#newEpoch = newEpoch;
    this.#lastSeq = lastSeq;
    this.#clock = new PurgeClock({ epoch: newEpoch(), slots });
    if (snapshot !== undefined) this.#clock.restore(snapshot);
  }

  async publish(keys: readonly DependencyKey[], kind: PurgeKind, committedMs?: EpochMs): Promise<Published> {
    if (this.#closed) throw new BusClosedError();
    // The purge is told in the new epoch as well: who learns of the epoch first must still drop these keys.
    if (this.#clock.seq >= this.#lastSeq) this.beginEpoch();
    const { epoch } = this.#clock;
    const seq = this.#clock.seq + 1;
    this.#clock.apply(seq, keys, kind);
    for (const listener of this.#listeners) listener.purge({ epoch, seq, kind, keys, committedMs });
    return { epoch, seq };
  }

  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener);
    listener.reset(this.#clock.epoch, this.#clock.seq, this.#state());
    return () => this.#listeners.delete(listener);
  }

  /** Everything rendered until now becomes suspect. */
  beginEpoch(): void {
    this.#clock.beginEpoch(this.#newEpoch());
    for (const listener of this.#listeners) listener.reset(this.#clock.epoch, 0, undefined);
  }

  /** What was published has been applied already. */
  async applied(): Promise<Applied> {
    if (this.#closed) throw new BusClosedError();
    return { workers: this.#listeners.size, missing: [] };
  }

  save(): Buffer {
    return this.#clock.save();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
  }

  #state(): ClockState {
    return decodeSnapshot(this.#clock.save(), this.#clock.slots);
  }
}
