import type { Milliseconds } from '../../core/units.ts';

/** So many renders of a group are looked at before it is called quick. */
const LOOKED_AT = 8;
/** What a new render counts in the average. */
const NEWEST = 0.1;

interface Seen {
  renders: number;
  meanMs: Milliseconds;
}

/**
 * Groups (a page's route, a fragment) whose renders take less than `quickMs` on average. To write one of them to the disk, or to
 * agree with other processes about who renders it, costs more than to render it once more. A group is not quick until it has
 * shown so. `quickMs` 0: none is.
 */
export class QuickGroups {
  readonly #quickMs: Milliseconds;
  /** Routes and fragments of the application: there are only so many. */
  readonly #groups = new Map<string, Seen>();

  constructor(quickMs: Milliseconds) {
    this.#quickMs = quickMs;
  }

  has(group: string): boolean {
    const seen = this.#groups.get(group);
    return seen !== undefined && seen.renders >= LOOKED_AT && seen.meanMs < this.#quickMs;
  }

  took(group: string, ms: Milliseconds): void {
    if (this.#quickMs <= 0) return;
    const seen = this.#groups.get(group);
    if (seen === undefined) this.#groups.set(group, { renders: 1, meanMs: ms });
    else {
      seen.renders++;
      seen.meanMs += (ms - seen.meanMs) * NEWEST;
    }
  }
}
