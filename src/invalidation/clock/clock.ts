// The purge clock: for every slot of dependency keys, the number of its last purge and of its last expire.
//
// An entry is valid if and only if no key of it was purged after its stamp, the stamp being the number that
// this worker had applied *before* the render's first read. A render that began before a purge therefore
// carries an older number than the purge, however late it finishes, in whatever tier it lies.
//
// Invariants
// - numbers are applied in order without holes: `apply` refuses a hole, because a stamp taken beyond a missing
//   purge would call old pages valid for ever
// - stamps of another epoch say nothing, so they read as purged, never as valid
// - numbers fit 32 bits; the bus begins a new epoch before they end (`nearEnd`)

import type { DependencyKey, Milliseconds, Seq, Slot, Stamp } from '../../core/units.ts';
import type { Validity, Verdict } from '../../core/validity.ts';
import { isBarrierKey } from './barrier-keys.ts';
import { decodeSnapshot, encodeSnapshot } from './clock-snapshot.ts';
import type { ClockState, PurgeKind } from './clock-state.ts';
import { DEFAULT_SLOTS, slotOf } from './slots.ts';

/** Beyond this a new epoch is due: purges on their way still have numbers to take. */
export const LAST_SEQ: Seq = 2 ** 32 - 1 - 2 ** 20;

/** `old`: applied before, ignored. `gap`: a purge in between is missing, nothing was applied. */
export type Applied = 'applied' | 'old' | 'gap';

export interface PurgeClockOptions {
  readonly epoch: string;
  /** A power of two. */
  readonly slots?: number;
  /** How long this clock may be believed without a word from the purge stream. Without one: always. */
  readonly lease?: { readonly trustedUntil: Milliseconds };
  readonly degradedTtlMs?: Milliseconds;
  /** An entry was judged that has seen more of this epoch than this clock. */
  readonly onAhead?: (stamp: Stamp) => void;
}

export class PurgeClock implements Validity {
  readonly slots: number;
  readonly degradedTtlMs: Milliseconds;
  readonly #lease: { readonly trustedUntil: Milliseconds };
  readonly #onAhead: ((stamp: Stamp) => void) | undefined;
  #epoch: string;
  #seq: Seq = 0;
  #version = 0;
  #purged: Uint32Array;
  #expired: Uint32Array;
  #stamp: Stamp;
  #asked: { readonly keys: readonly DependencyKey[]; readonly slots: Uint32Array } | undefined;

  constructor({ epoch, slots = DEFAULT_SLOTS, lease, degradedTtlMs, onAhead }: PurgeClockOptions) {
    if (!Number.isInteger(slots) || slots < 1 || (slots & (slots - 1)) !== 0) {
      throw new RangeError(`A purge clock has a power of two of slots, not ${slots}`);
    }
    this.slots = slots;
    this.degradedTtlMs = degradedTtlMs ?? 0;
    this.#onAhead = onAhead;
    this.#lease = lease ?? { trustedUntil: Number.POSITIVE_INFINITY };
    this.#epoch = epoch;
    this.#purged = new Uint32Array(slots);
    this.#expired = new Uint32Array(slots);
    this.#stamp = Object.freeze({ epoch, seq: 0 });
  }

  get epoch(): string {
    return this.#epoch;
  }

  get seq(): Seq {
    return this.#seq;
  }

  get version(): number {
    return this.#version;
  }

  get trustedUntil(): Milliseconds {
    return this.#lease.trustedUntil;
  }

  get nearEnd(): boolean {
    return this.#seq >= LAST_SEQ;
  }

  stamp(): Stamp {
    return this.#stamp;
  }

  slotOf(key: DependencyKey): Slot {
    return slotOf(key, this.slots);
  }

  slotsOf(keys: readonly DependencyKey[]): Uint32Array {
    // A new entry is judged, and then kept: two questions about one list.
    if (keys === this.#asked?.keys) return this.#asked.slots;
    const slots = new Uint32Array(keys.length);
    for (let index = 0; index < keys.length; index++) slots[index] = slotOf(keys[index] ?? '', this.slots);
    // Only a frozen list is still what it was when it comes again.
    if (Object.isFrozen(keys)) this.#asked = { keys, slots };
    return slots;
  }

  judge(slots: ArrayLike<Slot>, stamp: Stamp): Verdict {
    if (stamp.epoch !== this.#epoch) return 'purged';
    const { seq } = stamp;
    // Another worker was quicker: fine, it has seen more than we have. Or the numbers ran backwards: the bus finds out.
    if (seq > this.#seq) this.#onAhead?.(stamp);
    let expired = false;
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index] ?? 0;
      // An unknown slot (an entry judged by a clock of another size) reads as purged, never as valid.
      if ((this.#purged[slot] ?? Number.POSITIVE_INFINITY) > seq) return 'purged';
      if ((this.#expired[slot] ?? Number.POSITIVE_INFINITY) > seq) expired = true;
    }
    return expired ? 'expired' : 'valid';
  }

  apply(seq: Seq, keys: readonly DependencyKey[], kind: PurgeKind): Applied {
    return this.applySlots(
      seq,
      this.slotsOf(keys.some(isBarrierKey) ? keys.filter((key) => !isBarrierKey(key)) : keys),
      kind,
    );
  }

  applySlots(seq: Seq, slots: ArrayLike<Slot>, kind: PurgeKind): Applied {
    if (seq <= this.#seq) return 'old';
    if (seq !== this.#seq + 1) return 'gap';
    const array = kind === 'purge' ? this.#purged : this.#expired;
    for (let index = 0; index < slots.length; index++) array[slots[index] ?? 0] = seq;
    this.#moveTo(this.#epoch, seq);
    return 'applied';
  }

  /** Nothing of before can be trusted (Redis came back empty, numbers ran out): every older stamp reads as purged. */
  beginEpoch(epoch: string, seq: Seq = 0): void {
    this.#purged.fill(0);
    this.#expired.fill(0);
    this.#moveTo(epoch, seq);
  }

  /** Takes over a whole clock: at start from disk, after a long absence from Redis. */
  load(state: ClockState): void {
    if (state.purged.length !== this.slots || state.expired.length !== this.slots) {
      throw new RangeError(`A clock of ${this.slots} slots cannot load one of ${state.purged.length}`);
    }
    this.#purged = state.purged.slice();
    this.#expired = state.expired.slice();
    this.#moveTo(state.epoch, state.seq);
  }

  save(): Buffer {
    return encodeSnapshot({
      epoch: this.#epoch,
      seq: this.#seq,
      purged: this.#purged,
      expired: this.#expired,
    });
  }

  /** Errors: `E_CLOCK_SNAPSHOT`; the clock is then as it was. */
  restore(snapshot: Buffer): void {
    this.load(decodeSnapshot(snapshot, this.slots));
  }

  #moveTo(epoch: string, seq: Seq): void {
    this.#epoch = epoch;
    this.#seq = seq;
    this.#version++;
    // One object for all renders that start between two purges: they need not allocate.
    this.#stamp = Object.freeze({ epoch, seq });
  }
}
