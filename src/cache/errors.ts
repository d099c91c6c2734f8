import { CoherentError } from '../core/errors.ts';
import type { Milliseconds } from '../core/units.ts';

/** A render took longer than its page may take. Its queries were cancelled. */
export class RenderTimeoutError extends CoherentError {
  readonly code = 'E_RENDER_TIMEOUT';

  constructor(group: string, hardTimeoutMs: Milliseconds) {
    super(
      `${group} was not rendered within ${hardTimeoutMs} ms. Make its load quicker or raise its hard timeout.`,
    );
  }
}

/** Why a render was refused. */
export type Refusal = 'full' | 'slow' | 'deadline' | 'waited' | 'staleIfOverloaded';

const REFUSALS: Readonly<Record<Refusal, string>> = {
  full: 'there is no place left in the line',
  slow: 'its turn would come too late',
  deadline: 'it could not be ready before its deadline',
  waited: 'it stood in the line for too long',
  staleIfOverloaded: 'an older page is served instead',
};

/** A render was refused: all slots of the worker are taken, and it would have waited too long for one. */
export class OverloadedError extends CoherentError {
  readonly code = 'E_OVERLOADED';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(
      `This worker has no room for another render: ${REFUSALS[refusal]}. Add workers or hosts, make the slow pages ` +
        'quicker (the report names them), or raise RENDER_CONCURRENCY if CPU and database have room.',
    );
    this.refusal = refusal;
  }
}

/** A read of a render failed, and an older complete page stands in. Only the log is told. */
export class IncompleteRenderError extends CoherentError {
  readonly code = 'E_INCOMPLETE_RENDER';

  constructor(group: string) {
    super(
      `A read of ${group} failed or was not waited for, so what was rendered is not kept. The log names the read.`,
    );
  }
}

/** All requests that waited for a render have gone, so it was stopped. No request is left to read this. */
export class AbandonedError extends CoherentError {
  readonly code = 'E_RENDER_ABANDONED';

  constructor() {
    super('Everybody who waited for this render has gone; it was stopped.');
  }
}

/** A fill answered with a stamp that is newer than the one it was given: what it read before would count as fresh. */
export class ForgedStampError extends CoherentError {
  readonly code = 'E_FORGED_STAMP';

  constructor(group: string) {
    super(`The fill of ${group} must put the stamp it was given into its entry, not a newer one.`);
  }
}

/** A value that cannot be part of a cache key, because two different ones could look the same. */
export class KeyValueError extends CoherentError {
  readonly code = 'E_KEY_VALUE';

  constructor(path: string, what: string) {
    super(
      `${path} is ${what}, which cannot be part of a cache key. Parse it to strings, numbers, bigints, booleans, ` +
        'null, dates, bytes, arrays or plain objects of these.',
    );
  }
}

/** The cache was closed while something was asked of it. */
export class CacheClosedError extends CoherentError {
  readonly code = 'E_CACHE_CLOSED';

  constructor() {
    super('The cache is closed: the server is shutting down.');
  }
}

/** Redis did not answer a moment ago and is left out until it does. The cache goes on without it. */
export class RedisUnavailableError extends CoherentError {
  readonly code = 'E_REDIS_UNAVAILABLE';

  constructor() {
    super(
      'Redis does not answer; the cache goes on without it and asks again by itself. Check REDIS_URL and the server.',
    );
  }
}

/** The disk refused a moment ago (full, read-only, gone) and is left out until it takes data again. */
export class DiskUnavailableError extends CoherentError {
  readonly code = 'E_DISK_UNAVAILABLE';

  constructor(folder: string, why: string) {
    super(
      `The disk refuses cached pages in ${folder} (${why}); the cache goes on without it. Free space or check DATA_DIR.`,
    );
  }
}

/** It is not known yet which database pages are made from, so none may be shared. */
export class NotOwnedError extends CoherentError {
  readonly code = 'E_CACHE_NOT_OWNED';

  constructor() {
    super(
      'Which database pages are made from is not known yet: nothing is shared until it has been reached.',
    );
  }
}
