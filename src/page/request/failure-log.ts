// The lines about pages and actions that failed. Anybody can ask for a page that fails, as often as they like: so a line
// costs little, and there are so many a second. A mistake of the client has no stack, and nothing of what was sent.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { withoutWords } from '../../core/withheld-error.ts';

export interface Failure {
  readonly error: unknown;
  readonly id: string;
  readonly status: number;
  /** The template. */
  readonly route: string;
  /** In which part of the page, where it was one. */
  readonly hole?: string;
  /** Of code that sees a visitor: what it says may quote them. */
  readonly personal?: boolean;
  /** By which the visitor's session can be followed (Arrival.logId). */
  readonly session?: string | undefined;
}

export interface FailureLogOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Write what personal failures say. Default false. */
  readonly personalErrors?: boolean;
}

const MAX_LINES_PER_SECOND = 20;

export class FailureLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #personalErrors: boolean;
  /** One for the mistakes of clients, one for ours: the first must not hide the second. */
  readonly #client = { second: -1, lines: 0, leftOut: 0 };
  readonly #server = { second: -1, lines: 0, leftOut: 0 };

  constructor({ log, clock, personalErrors = false }: FailureLogOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#personalErrors = personalErrors;
  }

  write({ error, id, status, personal = false, session, ...place }: Failure, message: string): void {
    const isOurs = status >= 500;
    const left = this.#room(isOurs ? this.#server : this.#client);
    if (left === undefined) return;
    const more = { ...(session !== undefined && { session }), ...(left > 0 && { leftOut: left }) };
    const err = personal && !this.#personalErrors ? withoutWords(error) : error;
    if (isOurs) this.#log.error({ err, id, status, ...place, ...more }, message);
    else this.#log.warn({ code: codeOf(error), id, status, ...place, ...more }, message);
  }

  /** How many lines were left out before this one; undefined: this one is, too. */
  #room(counted: { second: number; lines: number; leftOut: number }): number | undefined {
    const second = Math.floor(this.#clock.monotonic() / 1000);
    if (second !== counted.second) Object.assign(counted, { second, lines: 0 });
    counted.lines += 1;
    if (counted.lines > MAX_LINES_PER_SECOND) {
      counted.leftOut += 1;
      return undefined;
    }
    const { leftOut } = counted;
    counted.leftOut = 0;
    return leftOut;
  }
}

/** Of the error or of what caused it. */
function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth += 1)
    if ('code' in at && typeof at.code === 'string') return at.code;
  return undefined;
}
