// A finished page as an immutable entry: bytes in every encoding, a tag of the bytes, headers, times.
import type { Header, PageEntry } from '../cache/entry.ts';
import type { DependencyKey, EpochMs, Stamp } from '../core/units.ts';
import { encode, tagOf } from './encode.ts';
import { type CompletePolicy, cacheControl, lifetime } from './policy.ts';

export interface Finished {
  readonly status: number;
  readonly html: Buffer;
  /** Beside the ones every page has: location, content-security-policy, retry-after. */
  readonly headers: readonly Header[];
}

export interface Origin {
  readonly keys: readonly DependencyKey[];
  readonly stamp: Stamp;
  /** Before the first read of anything in it. */
  readonly sinceMs: EpochMs;
  readonly nowMs: EpochMs;
  /** Until when the shortest-lived fragment inside is fresh. */
  readonly limitMs: EpochMs;
  readonly policy: CompletePolicy;
}

/** Compresses in the thread pool, both encodings at once. */
export async function makeEntry(
  { status, html: identity, headers }: Finished,
  origin: Origin,
): Promise<PageEntry> {
  const { gzip, brotli } = await encode(identity);
  return Object.freeze({
    status,
    headers: Object.freeze([
      ['content-type', 'text/html; charset=utf-8'],
      ...cacheControl(origin.policy, status),
      ['vary', ['accept-encoding', ...origin.policy.vary].join(', ')],
      ...headers,
    ] satisfies Header[]),
    identity,
    gzip,
    brotli,
    tag: tagOf(identity),
    keys: origin.keys,
    stamp: origin.stamp,
    createdMs: origin.sinceMs,
    ...lifetime(origin.policy, status, origin.nowMs, origin.limitMs),
  });
}
