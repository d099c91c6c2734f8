// Tells the log, once for each place, which reads failed or were not waited for while the page was made all the same.
import type { Logger } from '../../core/log.ts';
import type { FailedRead } from './dependency-recorder.ts';

/** Places that are remembered; an application that makes up more texts is told of the first. */
const MAX_PLACES = 1000;

export class FailedReads {
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** `where`: the template of the page, or the fragment. */
  tell(where: string, reads: readonly FailedRead[]): void {
    for (const { what, error } of reads) {
      const place = `${where} ${what}`;
      if (this.#told.has(place) || this.#told.size >= MAX_PLACES) continue;
      this.#told.add(place);
      this.#log.warn(
        { where, read: what, ...(error !== undefined && { err: error }) },
        error === undefined
          ? 'load returned before this read had ended: await it. What was rendered is kept for 2 s at most'
          : 'a read failed and the page was rendered without it: what was rendered is kept for 2 s at most',
      );
    }
  }
}
