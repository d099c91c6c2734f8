// Promises of the application that were rejected while nothing awaited them: a `load` that starts a read and returns without
// it, a timer's callback. By default Node ends the process, and with it the answers to everybody else; what such a promise
// left behind is a read that failed, and not a broken process. So the process lives: whose promise it was is logged and
// counted, and an alert tells of it. An exception that nobody caught is another matter: it may have stopped in
// the middle of anything.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';
import type { Milliseconds } from './units.ts';

/** One line a place within this; those that follow are counted, and named in the next. */
const SAY_EVERY_MS: Milliseconds = 10_000;
/** Places have names from code. */
const MAX_PLACES = 1000;
const ELSEWHERE = '(outside of pages)';

interface Place {
  rejected: number;
  saidAtMs: Milliseconds;
  sinceSaid: number;
}

export class UnheardRejections {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #current = new AsyncLocalStorage<string>();
  readonly #places = new Map<string, Place>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** What `work` does, and what goes on after it, is done for `place`: a route template, `action /notes`, `fragment card`. */
  within<T>(place: string, work: () => T): T {
    return this.#current.run(place, work);
  }

  /** Node's `unhandledRejection`, which it emits in the context of the promise. */
  rejected(reason: unknown): void {
    const name = this.#current.getStore() ?? ELSEWHERE;
    const place = this.#place(name);
    place.rejected++;
    place.sinceSaid++;
    const nowMs = this.#clock.monotonic();
    if (nowMs - place.saidAtMs < SAY_EVERY_MS) return;
    this.#log.error(
      { err: reason, where: name, times: place.sinceSaid },
      'a promise was rejected and nothing awaited it: await it, or catch what it may be rejected with',
    );
    place.saidAtMs = nowMs;
    place.sinceSaid = 0;
  }

  figures(): { readonly where: string; readonly rejected: number }[] {
    return [...this.#places].map(([where, { rejected }]) => ({ where: where.slice(0, 300), rejected }));
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
