// Which answers get a line in the log.
//
//   off       none
//   errors    those that failed (500 and above), and those that were cut off before their end
//   sampled   these, and a share of all others
//   all       every one
//
// A line holds what is named in `Answered`, and nothing else of the request: the path without its query, no header, no
// cookie. However much fails at once, failures and cuts are written at most MAX_LINES_PER_SECOND times a second; the next line
// says how many were left out.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';

export type AccessLogMode = 'off' | 'errors' | 'sampled' | 'all';

/** Names are those of OpenTelemetry where it has one. */
export interface Answered {
  readonly 'http.request.method': string;
  /** As it was asked for, whatever is in it, without the query. */
  readonly 'url.path': string;
  /** The template. Undefined where no page was asked for. */
  readonly 'http.route'?: string | undefined;
  readonly 'http.response.status_code': number;
  /** On the wire, head included. */
  readonly 'http.response.size'?: number | undefined;
  readonly 'client.address'?: string | undefined;
  readonly durationMs?: Milliseconds | undefined;
  /** `hit l1`, `stale l2`, `miss`, `miss collapsed`, `error`. */
  readonly cache?: string | undefined;
  /** The visitor went, or was cut off, before they had all of it. */
  readonly cut?: true | undefined;
  readonly requestId?: string | undefined;
  /** What a visitor was shown, where it is another request's: one failure that many waited for. */
  readonly errorId?: string | undefined;
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
}

const MAX_LINES_PER_SECOND = 100;
const MAX_PATH = 500;

export interface AccessLogOptions {
  readonly mode: AccessLogMode;
  /** In `sampled`, the share of answers that get a line: 0 to 1. */
  readonly share: number;
  readonly log: Logger;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

export class AccessLog {
  readonly #options: AccessLogOptions;
  #second = 0;
  #lines = 0;
  #leftOut = 0;

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  get isOff(): boolean {
    return this.#options.mode === 'off';
  }

  /**
   * How many answers of the fast path until the next with a line, 1 or more; -1: none ever. Distances are drawn, so that
   * the fast path compares one number instead of drawing for each answer.
   */
  gap(): number {
    const { mode, share, random } = this.#options;
    if (mode === 'all' || (mode === 'sampled' && share >= 1)) return 1;
    if (mode !== 'sampled' || share <= 0) return -1;
    return 1 + Math.min(2 ** 30, Math.floor(Math.log(1 - random()) / Math.log(1 - share)));
  }

  /** For an answer of the ordinary path. */
  wants(status: number, wasCut: boolean): boolean {
    const { mode, share, random } = this.#options;
    if (mode === 'off') return false;
    if (mode === 'all' || status >= 500) return true;
    if (mode === 'sampled') return random() < share;
    // A client that leaves is no failure of ours, unless an answer was begun.
    return wasCut;
  }

  write(answered: Answered): void {
    const { mode, log, clock } = this.#options;
    const isError = answered['http.response.status_code'] >= 500;
    const isFailure = isError || answered.cut === true;
    if (mode !== 'all' && isFailure && !this.#hasRoom(clock.monotonic())) return;
    const leftOut = this.#leftOut === 0 ? {} : { leftOut: this.#leftOut };
    this.#leftOut = 0;
    log[isError ? 'warn' : 'info']({ ...answered, ...leftOut }, 'request');
  }

  #hasRoom(nowMs: Milliseconds): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    this.#lines++;
    if (this.#lines <= MAX_LINES_PER_SECOND) return true;
    this.#leftOut++;
    return false;
  }
}

/** Of a request target, for a line: up to the query. What is in it is the visitor's; JSON escapes it. */
export function pathForLog(target: string): string {
  const query = target.search(/[?#]/);
  return (query === -1 ? target : target.slice(0, query)).slice(0, MAX_PATH);
}
