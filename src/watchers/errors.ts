import { CoherentError } from '../core/errors.ts';
import type { Milliseconds } from '../core/units.ts';
import type { Delayed } from './target.ts';

/** A webhook or a CDN did not confirm a purge. It is tried again. */
export class NotConfirmedError extends CoherentError implements Delayed {
  readonly code = 'E_NOT_CONFIRMED';
  readonly retryAfterMs: Milliseconds;

  constructor(target: string, why: string, retryAfterMs: Milliseconds) {
    super(
      `${target} did not confirm a purge with 2xx (${why}): check its address, its secret or token, and its own log. ` +
        'Nothing is lost meanwhile.',
    );
    this.retryAfterMs = retryAfterMs;
  }
}

/** A watcher of the application has not answered. It is called again. */
export class WatcherTimeoutError extends CoherentError {
  readonly code = 'E_WATCHER_TIMEOUT';

  constructor(target: string, limitMs: Milliseconds) {
    super(
      `The watcher of ${target} did not end within ${limitMs} ms. It is called again; let it heed its signal.`,
    );
  }
}
