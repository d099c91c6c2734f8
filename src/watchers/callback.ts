// A watcher of the application: `watch(pattern, callback)` in its app.js.
import type { Clock } from '../core/clock.ts';
import type { DependencyKey, Milliseconds } from '../core/units.ts';
import { WatcherTimeoutError } from './errors.ts';
import type { Batch, Target } from './target.ts';

const CALLBACK_WITHIN_MS: Milliseconds = 30_000;

export interface PurgeNotice {
  /** The same each time this notice comes: a receiver can tell that it has acted on it. */
  readonly id: string;
  /** Those that look like the pattern. Empty where `everything` is true. */
  readonly keys: readonly DependencyKey[];
  /** More was purged than can be named. */
  readonly everything: boolean;
  /** Aborts when the callback has taken too long (30 s), or the server stops. */
  readonly signal: AbortSignal;
}

export type PurgeCallback = (notice: PurgeNotice) => Promise<void> | void;

export class CallbackTarget implements Target {
  readonly name: string;
  readonly pattern: string;
  readonly #callback: PurgeCallback;
  readonly #clock: Clock;

  /** `name` tells watchers of one pattern apart. */
  constructor(name: string, pattern: string, callback: PurgeCallback, clock: Clock) {
    this.name = name;
    this.pattern = pattern;
    this.#callback = callback;
    this.#clock = clock;
  }

  async tell({ id, keys }: Batch, signal: AbortSignal): Promise<void> {
    const late = new AbortController();
    const both = AbortSignal.any([signal, late.signal]);
    const notice = { id, keys: keys ?? [], everything: keys === undefined, signal: both };
    const given = new Promise<never>((_, reject) => {
      both.addEventListener('abort', () => reject(both.reason), { once: true });
    });
    const timer = this.#clock.after(CALLBACK_WITHIN_MS, () =>
      late.abort(new WatcherTimeoutError(this.pattern, CALLBACK_WITHIN_MS)),
    );
    try {
      await Promise.race([(async () => this.#callback(notice))(), given]);
    } finally {
      timer.cancel();
    }
  }
}
