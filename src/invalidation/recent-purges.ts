import type { Clock } from '../core/clock.ts';
import type { DependencyKey, EpochMs, Milliseconds } from '../core/units.ts';
import type { PurgeKind } from './clock-state.ts';

/** Longer than any takeover that the bound on staleness survives anyway. */
const KEPT_MS: Milliseconds = 10_000;
const MAX_KEPT = 20_000;

interface Kept {
  readonly epoch: string;
  readonly keys: readonly DependencyKey[];
  readonly kind: PurgeKind;
  readonly committedMs: EpochMs | undefined;
  readonly atMs: Milliseconds;
}

/** What a publisher said lately, to be said again if the server that heard it turns out not to be in charge any more. */
export class RecentPurges {
  readonly #clock: Clock;
  #kept: Kept[] = [];
  /** When the youngest was that had to be forgotten before its time. */
  #forgottenAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(epoch: string, keys: readonly DependencyKey[], kind: PurgeKind, committedMs?: EpochMs): void {
    if (this.#kept.length >= MAX_KEPT) this.#makeRoom();
    this.#kept.push({ epoch, keys, kind, committedMs, atMs: this.#clock.monotonic() });
  }

  /**
   * Those published under another epoch than the one now in force, no longer kept after this.
   * `'too many'`: some are not known any more, so only a new epoch makes up for them.
   */
  takeOfOtherEpochs(epoch: string): readonly Kept[] | 'too many' {
    if (this.#kept.every((each) => each.epoch === epoch)) return [];
    const now = this.#clock.monotonic();
    const others = this.#kept.filter((each) => each.epoch !== epoch && now - each.atMs <= KEPT_MS);
    this.#kept = this.#kept.filter((each) => each.epoch === epoch);
    if (now - this.#forgottenAt > KEPT_MS) return others;
    this.#forgottenAt = Number.NEGATIVE_INFINITY;
    return 'too many';
  }

  #makeRoom(): void {
    const now = this.#clock.monotonic();
    const young = this.#kept.filter((each) => now - each.atMs <= KEPT_MS);
    const forgotten = young.length - MAX_KEPT / 2;
    if (forgotten > 0) this.#forgottenAt = now;
    this.#kept = forgotten > 0 ? young.slice(forgotten) : young;
  }
}
