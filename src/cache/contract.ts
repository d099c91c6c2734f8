// The contract between the cache and those who fill it (page/pipeline, page/fragment).
import type { Eventually } from '../core/eventually.ts';
import type { StopSignal } from '../core/stop.ts';
import type { Milliseconds, Stamp } from '../core/units.ts';
import type { Cached } from './entry.ts';

/** An injective name of what is cached; made by cache/key.ts. */
export type CacheKey = string;

export type TierName = 'static' | 'l1' | 'l2' | 'l3';

/** Why a fill runs. `refresh` and `warm` run in the background: no request waits for them. */
export type FillReason = 'miss' | 'refresh' | 'warm';

export interface FillContext {
  /** Taken before the first read; goes into the entry unchanged. */
  readonly stamp: Stamp;
  /** Aborted at the hard timeout, or when everybody who waited has gone. Cancels the queries. */
  readonly signal: StopSignal;
  readonly reason: FillReason;
}

/** A fill's result. `store: false`: for those who wait now, for no tier (Set-Cookie, no-store, status). */
export interface Filled<V extends Cached> {
  readonly value: V;
  readonly store: boolean;
  /**
   * What the time it took says of the key's next render. Left out: what it took. `dear`: it asked another service, and is
   * dear however quick that was. `unlike`: nothing, as for what was not found, redirects, or may have been cut short.
   */
  readonly cost?: 'dear' | 'unlike';
}

/** A promise only where something is waited for. */
export type Fill<V extends Cached> = (context: FillContext) => Eventually<Filled<V>>;

/** What one fetch did; feeds Cache-Status, the log line, the metrics and the trace alike. */
export interface Outcome<V extends Cached> {
  readonly value: V;
  /** `stale`: served beyond its TTL or after an expire, while or because a new one is (not) made. */
  readonly result: 'hit' | 'stale' | 'miss';
  /** The tier it came from; undefined when it was rendered for this request. */
  readonly tier: TierName | undefined;
  /** This request waited for a render that another request, or another process, had begun. */
  readonly collapsed: boolean;
  readonly stored: boolean;
  /** Set when a stale entry stands in for a render that failed. */
  readonly error: unknown;
}

export interface FetchOptions {
  /** Groups keys for caps and figures: the page's route template or the fragment's name. */
  readonly group: string;
  /** After this the fill is aborted. */
  readonly hardTimeoutMs: Milliseconds;
  /** After this a stale entry, where there is one, is served and the fill goes on in the background. */
  readonly softTimeoutMs: Milliseconds;
  /** The client's own: gone means this waiter has left. */
  readonly signal?: StopSignal;
  /** Another process renders it, and this one waits for that until `over` aborts. */
  readonly onFollow?: (over: StopSignal) => void;
  /** Skip reading (an authenticated debug request); the result is stored as usual. */
  readonly bypass?: boolean;
  /** No request waits for this one: a stale entry is no answer, and what is rendered is finished at once. */
  readonly reason?: 'warm';
  /** Nothing is ever stored under the key: no tier is asked for it, and no other process is waited for. */
  readonly neverKept?: boolean;
  /** Keep the result in the static tier: outside the LRU, dropped only by a purge or its own end. */
  readonly pin?: boolean;
}

export interface Cache<V extends Cached> {
  /** Memory only, synchronous, no side effect but recency: fresh and valid, or undefined. The hot path. */
  peek(key: CacheKey): V | undefined;
  /** What `fetch` would answer from memory while it is fresh and valid, at once. Undefined: ask `fetch`. */
  hit(key: CacheKey): Outcome<V> | undefined;
  /**
   * L1, L2, L3, then `fill`, once for all who ask meanwhile; at once where nothing has to be waited for. Rejects with what
   * the fill threw, and throws nothing.
   */
  fetch(key: CacheKey, options: FetchOptions, fill: Fill<V>): Eventually<Outcome<V>>;
  /** Renders `key` in the background unless it is fresh. False: already on its way, or no room. */
  warm(key: CacheKey, options: FetchOptions, fill: Fill<V>): boolean;
  /**
   * Puts `after` in the place of `before`: the same answer in other bytes, with the same keys, stamp and times
   * (better compressed). `share`: in L2 and L3, too. False: `before` is not what memory holds any more.
   */
  replace(key: CacheKey, before: V, after: V, options: ReplaceOptions): boolean;
}

export interface ReplaceOptions extends Pick<FetchOptions, 'group'> {
  readonly share: boolean;
}
