// What a purge leaves to do once it is applied: the entries it made invalid give back their memory, and those that
// people liked are made again. Nothing depends on this for being right, so it takes its time: a slice of entries, then
// waiting requests have a turn for as long as the slice took, then the next slice. A purge that hits a million entries
// stops no request.
//
// A slice ends by the clock. What it costs to let go of an entry depends on what it lies in (a table that shrinks is
// built anew), so no number of entries is a time.
import type { Clock, Timer } from '../../core/clock.ts';
import { Fifo } from '../../core/fifo.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { EntryId } from './entry-index.ts';

/** What the sweep found where an entry was looked for. */
export interface Swept {
  /** Times it was read since it was made. */
  readonly reads: number;
}

export interface SweepOptions {
  readonly clock: Clock;
  /** Drops the entry if a purge has made it invalid; undefined where it is valid, or gone. */
  readonly drop: (id: EntryId) => Swept | undefined;
  /** Called with those that had been read at least `minReads` times, most read first. */
  readonly refresh: (hot: readonly EntryId[]) => void;
  readonly minReads: number;
  /** So many at most for one sweep: what is left is made when a request asks. */
  readonly maxRefreshes: number;
  /** A slice ends with the entry after which this much time has gone by. */
  readonly sliceMs?: Milliseconds;
}

const SLICE_MS: Milliseconds = 4;
/** Candidates are kept up to this times `maxRefreshes` before the least read are let go. */
const SLACK = 4;

export interface SweepStats {
  readonly dropped: number;
  readonly refreshed: number;
  /** Purges that are not swept to their end. */
  readonly waiting: number;
  readonly slices: number;
  /** The slice that stopped everybody else for the longest time. */
  readonly longestMs: Milliseconds;
}

export class Sweep {
  readonly #options: SweepOptions;
  readonly #queue = new Fifo<Iterator<EntryId>>();
  #hot: { id: EntryId; reads: number }[] = [];
  #timer: Timer | undefined;
  #dropped = 0;
  #refreshed = 0;
  #slices = 0;
  #longestMs: Milliseconds = 0;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Looks at these entries, soon. */
  add(entries: Iterable<EntryId>): void {
    this.#queue.push(entries[Symbol.iterator]());
    this.#timer ??= this.#options.clock.after(0, () => this.#slice());
  }

  stats(): SweepStats {
    return {
      dropped: this.#dropped,
      refreshed: this.#refreshed,
      waiting: this.#queue.size,
      slices: this.#slices,
      longestMs: this.#longestMs,
    };
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#queue.clear();
    this.#hot = [];
  }

  #slice(): void {
    const { clock, sliceMs = SLICE_MS } = this.#options;
    this.#timer = undefined;
    this.#slices++;
    const startedAt = clock.monotonic();
    let spentMs = 0;
    for (
      let current = this.#queue.first;
      current !== undefined && spentMs < sliceMs;
      current = this.#queue.first
    ) {
      const { done, value } = current.next();
      if (done === true) this.#queue.shift();
      else this.#look(value);
      spentMs = clock.monotonic() - startedAt;
    }
    if (spentMs > this.#longestMs) this.#longestMs = spentMs;
    if (this.#queue.size > 0) this.#timer = clock.after(spentMs, () => this.#slice());
    else this.#refreshHot();
  }

  #look(id: EntryId): void {
    const { drop, minReads, maxRefreshes } = this.#options;
    const swept = drop(id);
    if (swept === undefined) return;
    this.#dropped++;
    if (swept.reads < minReads || maxRefreshes === 0) return;
    this.#hot.push({ id, reads: swept.reads });
    if (this.#hot.length > SLACK * maxRefreshes) this.#hot = this.#mostRead();
  }

  #refreshHot(): void {
    const hot = this.#mostRead();
    this.#hot = [];
    if (hot.length === 0) return;
    this.#refreshed += hot.length;
    this.#options.refresh(hot.map(({ id }) => id));
  }

  #mostRead() {
    return this.#hot.sort((a, b) => b.reads - a.reads).slice(0, this.#options.maxRefreshes);
  }
}
