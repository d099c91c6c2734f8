// The cache of a server that keeps nothing: each request is a render of its own, so that what an author sees is what their
// files and their rows say now.

import type { Cache, CacheKey, FetchOptions, Fill, Filled, Outcome } from '../../cache/contract.ts';
import type { Cached } from '../../cache/entry.ts';
import { RenderTimeoutError } from '../../cache/errors.ts';
import { abortSignalOf } from '../../core/stop.ts';
import type { Stamp } from '../../core/units.ts';

const NO_STAMP: Stamp = Object.freeze({ epoch: '', seq: 0 });

/** What one render came to. */
export interface Rendered<V extends Cached> extends Filled<V> {
  readonly group: string;
  readonly neverKept: boolean;
}

export class NoCache<V extends Cached> implements Cache<V> {
  readonly #onRendered: (rendered: Rendered<V>) => void;

  constructor(onRendered: (rendered: Rendered<V>) => void = () => {}) {
    this.#onRendered = onRendered;
  }

  peek(): undefined {}

  hit(): undefined {}

  async fetch(_key: CacheKey, options: FetchOptions, fill: Fill<V>): Promise<Outcome<V>> {
    const { group, hardTimeoutMs, signal: visitor, neverKept = false } = options;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new RenderTimeoutError(group, hardTimeoutMs)), hardTimeoutMs);
    const signal =
      visitor === undefined ? limit.signal : AbortSignal.any([abortSignalOf(visitor), limit.signal]);
    try {
      const filled = await Promise.race([
        fill({ stamp: NO_STAMP, signal, reason: 'miss' }),
        // Code that does not heed the signal is not waited for.
        aborted(signal),
      ]);
      this.#onRendered({ ...filled, group, neverKept });
      const { value } = filled;
      return { value, result: 'miss', tier: undefined, collapsed: false, stored: false, error: undefined };
    } finally {
      clearTimeout(timer);
    }
  }

  warm(): boolean {
    return false;
  }

  replace(): boolean {
    return false;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
