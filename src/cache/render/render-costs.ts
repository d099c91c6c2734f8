// What a render costs decides what is asked before it. A cheap one costs less than to look it up elsewhere:
//
//   cheap   from L1 straight to the render: no look-up in L2 and L3, no agreement with other processes, kept in memory
//           only (on disk, too, where the warm list asks for it). One render a worker
//   dear    one render a fleet, kept in every tier. So is what is not known yet
//
// The cost is the time from the beginning of the render to its end: its synchronous stretches and what it waited for.
// The time in which this worker's own loop was late is taken off, or a busy worker would take every page for a dear one.
// A page of 0.3 ms of CPU that waits 300 ms for a statement is dear.
//
// Judged is a key by its own last render, else by nearly all of the last renders of its group (a page's route, a
// fragment's name). Renders that are not of the page itself (it was not found, it redirects, a read failed) count for
// nothing: a scan of addresses that lead nowhere makes no route cheap.
import { RecentMap } from '../../core/recent-map.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';

/** A group is not known before it was rendered so often. */
const LOOKED_AT = 8;
/** So many renders of a group are remembered ... */
const REMEMBERED = 64;
/** ... and so many of them may have been dear. */
const MAX_DEAR = 3;
/** Keys that cost something else than their group. */
const MAX_KEYS = 16_384;

/** The last renders of a group, dear or not, the oldest overwritten. */
class Group {
  readonly #wasDear = new Uint8Array(REMEMBERED);
  #renders = 0;
  #dear = 0;

  get isCheap(): boolean {
    // Of few one dear one tells as much as several of many.
    return this.#renders >= LOOKED_AT && this.#dear <= (this.#renders < REMEMBERED ? 0 : MAX_DEAR);
  }

  add(isDear: boolean): void {
    const at = this.#renders++ % REMEMBERED;
    this.#dear += Number(isDear) - (this.#wasDear[at] ?? 0);
    this.#wasDear[at] = Number(isDear);
  }
}

export class RenderCosts {
  readonly #cheapMs: Milliseconds;
  /** Routes and fragments of the application: there are only so many. */
  readonly #groups = new Map<string, Group>();
  /** Whether a key is cheap that is not as its group. */
  readonly #others = new RecentMap<boolean>(MAX_KEYS);

  /** What takes less is cheap; 0: nothing is. */
  constructor(cheapMs: Milliseconds) {
    this.#cheapMs = cheapMs;
  }

  isCheap(key: CacheKey, group: string): boolean {
    if (this.#cheapMs <= 0) return false;
    return this.#others.get(key) ?? this.#groups.get(group)?.isCheap === true;
  }

  rendered(key: CacheKey, group: string, costMs: Milliseconds): void {
    if (this.#cheapMs <= 0) return;
    const isDear = costMs >= this.#cheapMs;
    let known = this.#groups.get(group);
    if (known === undefined) {
      known = new Group();
      this.#groups.set(group, known);
    }
    known.add(isDear);
    if (known.isCheap === isDear || this.#others.get(key) !== undefined) this.#others.set(key, !isDear);
  }
}
