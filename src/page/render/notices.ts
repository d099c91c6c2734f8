// What is wrong with data in a page that lives all the same: told once for each place in the views, not once a render.
import type { Logger } from '../../core/log.ts';
import type { Notice } from '../../render/notice.ts';

/** Places come from code, so there are few; more is code that makes them up. */
const MAX_PLACES = 1000;

export class RenderNotices {
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** `view`: a route template, or `fragment` and its name. `personal`: its values are one visitor's, and not told. */
  of(view: string, personal = false): (notice: Notice) => void {
    return (notice) =>
      this.#tell(view, personal ? { ...notice, value: '(withheld: a personal page)' } : notice);
  }

  #tell(view: string, { place, problem, value }: Notice): void {
    const known = `${view} ${place} ${problem}`;
    if (this.#told.has(known) || this.#told.size >= MAX_PLACES) return;
    this.#told.add(known);
    this.#log.warn({ view, place, value }, problem);
  }
}
