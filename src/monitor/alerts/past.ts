// Counts as they were a while ago, so that what is said of the host is of the last hour and not of all its days.
import type { Milliseconds } from '../../core/units.ts';
import { type Counts, countsSince, zeroCounts } from '../counts.ts';

const KEEP_EVERY_MS: Milliseconds = 600_000;
/** Six of them reach back an hour. Each is as large as the counts of a host: tens of KB. */
const KEPT = 6;

interface Kept {
  readonly atMs: Milliseconds;
  readonly counts: Counts;
}

export interface Window {
  readonly counts: Counts;
  readonly spanMs: Milliseconds;
}

export class Past {
  readonly #kept: Kept[];

  /** Monotonic, like all times here. */
  constructor(startMs: Milliseconds) {
    this.#kept = [{ atMs: startMs, counts: zeroCounts() }];
  }

  see(counts: Counts, nowMs: Milliseconds): void {
    const last = this.#kept.at(-1);
    if (last !== undefined && nowMs - last.atMs < KEEP_EVERY_MS) return;
    this.#kept.push({ atMs: nowMs, counts });
    if (this.#kept.length > KEPT) this.#kept.shift();
  }

  /** What was counted since the oldest that is kept: 50 minutes to an hour, or since the start. */
  window(counts: Counts, nowMs: Milliseconds): Window {
    const [oldest] = this.#kept;
    if (oldest === undefined) return { counts, spanMs: 0 };
    return { counts: countsSince(counts, oldest.counts), spanMs: nowMs - oldest.atMs };
  }
}
