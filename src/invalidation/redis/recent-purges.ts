import type { Clock } from '../../core/clock.ts';
import { Fifo } from '../../core/fifo.ts';
import type { DependencyKey, EpochMs, Milliseconds } from '../../core/units.ts';
import type { PurgeKind } from '../clock/clock-state.ts';

/** Longer than any takeover that the bound on staleness survives anyway. */
const KEPT_MS: Milliseconds = 10_000;
/** Of all keys together, with what a purge and a key take beside their letters: 20 MB at the most. */
const MAX_LETTERS = 8_000_000;
const LETTERS_EACH = 50;

interface Kept {
  readonly epoch: string;
  readonly keys: readonly DependencyKey[];
  readonly kind: PurgeKind;
  readonly committedMs: EpochMs | undefined;
  readonly atMs: Milliseconds;
  readonly letters: number;
}

/**
 * What a publisher said lately, to be said again if the server that heard it turns out not to be in charge any more.
 * Bounded by age and by size: what is older is of no use, and a new epoch makes up for what would be too much.
 */
export class RecentPurges {
  readonly #clock: Clock;
  readonly #kept = new Fifo<Kept>();
  #letters = 0;
  /** Of all that are kept; undefined where they are of several. */
  #epoch: string | undefined;
  /** When the youngest was that had to be forgotten before its time. */
  #forgottenAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  add(epoch: string, keys: readonly DependencyKey[], kind: PurgeKind, committedMs?: EpochMs): void {
    const letters = keys.reduce((sum, key) => sum + key.length + LETTERS_EACH, LETTERS_EACH);
    if (this.#kept.size === 0) this.#epoch = epoch;
    else if (this.#epoch !== epoch) this.#epoch = undefined;
    this.#keep({ epoch, keys, kind, committedMs, atMs: this.#clock.monotonic(), letters });
    this.#makeRoom();
  }

  /**
   * Those published under another epoch than the one now in force, no longer kept after this.
   * `'too many'`: some are not known any more, so only a new epoch makes up for them.
   */
  takeOfOtherEpochs(epoch: string): readonly Kept[] | 'too many' {
    this.#makeRoom();
    if (this.#kept.size === 0 || this.#epoch === epoch) return [];
    const kept = [...this.#kept];
    this.#kept.clear();
    this.#letters = 0;
    this.#epoch = epoch;
    for (const each of kept) if (each.epoch === epoch) this.#keep(each);
    if (this.#clock.monotonic() - this.#forgottenAt > KEPT_MS)
      return kept.filter((each) => each.epoch !== epoch);
    this.#forgottenAt = Number.NEGATIVE_INFINITY;
    return 'too many';
  }

  #keep(purge: Kept): void {
    this.#kept.push(purge);
    this.#letters += purge.letters;
  }

  #makeRoom(): void {
    const now = this.#clock.monotonic();
    for (let first = this.#kept.first; first !== undefined; first = this.#kept.first) {
      const isYoung = now - first.atMs <= KEPT_MS;
      if (isYoung && this.#letters <= MAX_LETTERS) return;
      if (isYoung) this.#forgottenAt = now;
      this.#kept.shift();
      this.#letters -= first.letters;
    }
  }
}
