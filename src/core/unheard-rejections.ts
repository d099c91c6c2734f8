// Promises of the application that were rejected while nothing awaited them: a `load` that starts a read and returns without
// it, a timer's callback. By default Node ends the process, and with it the answers to everybody else; what such a promise
// left behind is a read that failed, and not a broken process. So the process lives: whose promise it was is logged and
// counted, and an alert tells of it. An uncaught exception is another matter: it may have stopped in
// the middle of anything.
//
// Whose it was stands in the stack of what it was rejected with: the first file of the application. Where there is no such stack it is
// that of the one page, fragment or action under way. Node's AsyncLocalStorage would know it always, but on Node 20 and 22 it
// makes each promise of the process three times as dear, and a render makes dozens.
import { pathToFileURL } from 'node:url';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';
import type { Milliseconds } from './units.ts';
import { withoutWords } from './withheld-error.ts';

/** One line a place within this; those that follow are counted, and named in the next. */
const SAY_EVERY_MS: Milliseconds = 10_000;
/** Places have names from code. */
const MAX_PLACES = 1000;
const ELSEWHERE = '(outside of pages)';
const ONE_OF_SEVERAL = '(one of several)';
/** Of those under way, so many are named in the log. */
const MAX_NAMED = 10;

interface Place {
  rejected: number;
  saidAtMs: Milliseconds;
  sinceSaid: number;
}

export class UnheardRejections {
  readonly #log: Logger;
  readonly #clock: Clock;
  /** Pages, fragments and actions that run now, and how many times each. */
  readonly #underWay = new Map<string, number>();
  #folder: string | undefined;
  readonly #places = new Map<string, Place>();

  /** Code that sees visitors has run: what a promise says may quote one. */
  #hasSeenVisitors = false;
  /** Write it all the same (LOG_PERSONAL_ERRORS). */
  personalErrors = false;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Where the application's files are. */
  ofApplication(folder: string): void {
    this.#folder = `${pathToFileURL(folder).href}/`;
  }

  /** `place`: a route template, `action /notes`, `fragment card`. Until `ended` is called with the same. `personal`: it sees a visitor. */
  began(place: string, personal = false): void {
    if (personal) this.#hasSeenVisitors = true;
    this.#underWay.set(place, (this.#underWay.get(place) ?? 0) + 1);
  }

  ended(place: string): void {
    const left = (this.#underWay.get(place) ?? 0) - 1;
    if (left > 0) this.#underWay.set(place, left);
    else this.#underWay.delete(place);
  }

  /** For Node's `unhandledRejection`. */
  rejected(reason: unknown): void {
    const name = this.#fileOf(reason) ?? this.#onlyOneUnderWay();
    const place = this.#place(name);
    place.rejected++;
    place.sinceSaid++;
    const nowMs = this.#clock.monotonic();
    if (nowMs - place.saidAtMs < SAY_EVERY_MS) return;
    const underWay = [...this.#underWay.keys()].slice(0, MAX_NAMED);
    const err = this.#hasSeenVisitors && !this.personalErrors ? withoutWords(reason) : reason;
    this.#log.error(
      { err, where: name, underWay, times: place.sinceSaid },
      'a promise was rejected and nothing awaited it: await it, or catch what it may be rejected with',
    );
    place.saidAtMs = nowMs;
    place.sinceSaid = 0;
  }

  stats(): { readonly where: string; readonly rejected: number }[] {
    return [...this.#places].map(([where, { rejected }]) => ({ where: where.slice(0, 300), rejected }));
  }

  /** The first file of the application in its stack, such as `pages/users/[id].js`. */
  #fileOf(reason: unknown): string | undefined {
    const stack = reason instanceof Error ? reason.stack : undefined;
    if (this.#folder === undefined || stack === undefined) return undefined;
    for (const line of stack.split('\n')) {
      const at = line.indexOf(this.#folder);
      if (at === -1 || line.includes('/node_modules/', at)) continue;
      const file = /^[^:?)]+/.exec(line.slice(at + this.#folder.length))?.[0];
      if (file !== undefined) return decodeURI(file);
    }
    return undefined;
  }

  #onlyOneUnderWay(): string {
    const [first] = this.#underWay.keys();
    if (first === undefined) return ELSEWHERE;
    return this.#underWay.size === 1 ? first : ONE_OF_SEVERAL;
  }

  #place(name: string): Place {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    if (this.#places.size >= MAX_PLACES && name !== ELSEWHERE) return this.#place(ELSEWHERE);
    const place = { rejected: 0, saidAtMs: Number.NEGATIVE_INFINITY, sinceSaid: 0 };
    this.#places.set(name, place);
    return place;
  }
}
