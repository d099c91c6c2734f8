// A finished page as an immutable entry: its bytes, a tag of them, headers, times.
import { type Header, INCOMPLETE_TTL_MS, type PageEntry } from '../../cache/entry.ts';
import { ownBytes } from '../../core/own-bytes.ts';
import type { DependencyKey, EpochMs, Stamp } from '../../core/units.ts';
import { type CompletePolicy, cacheControl, type Lifetime, lifetime } from '../application/policy.ts';
import { encode, tagOf, WORTH_COMPRESSING } from '../encode/encode.ts';
import { draftTag } from '../encode/encodings.ts';
import { surrogateHeaders } from './surrogate-keys.ts';

export interface Finished {
  readonly status: number;
  readonly html: Buffer;
  /** Beside the ones every page has: location, content-security-policy, retry-after. */
  readonly headers: readonly Header[];
  /** The files of public/ that it names. */
  readonly assets?: ReadonlySet<string>;
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
  /** Tell the caches in front what it was made from. */
  readonly surrogateKeys: boolean;
  /** A read of it failed or was not waited for. */
  readonly incomplete: boolean;
}

/**
 * `hurry`: a visitor waits. The entry is then a draft without compressed bodies, which encodings.ts adds as they
 * are asked for; otherwise both are made here, as small as they will be.
 */
export async function makeEntry(
  { status, html, headers, assets }: Finished,
  origin: Origin,
  hurry: boolean,
): Promise<PageEntry> {
  const identity = ownBytes(html);
  const isDraft = hurry && identity.length >= WORTH_COMPRESSING;
  const { gzip, brotli } = isDraft ? { gzip: undefined, brotli: undefined } : await encode(identity);
  const tag = tagOf(identity);
  return Object.freeze({
    status,
    headers: Object.freeze([
      ['content-type', 'text/html; charset=utf-8'],
      ...sharing(origin, status),
      ['vary', ['accept-encoding', ...origin.policy.variesBy].join(', ')],
      ...headers,
    ] satisfies Header[]),
    identity,
    gzip,
    brotli,
    tag: isDraft ? draftTag(tag) : tag,
    ...(assets !== undefined && assets.size > 0 && { assets: Object.freeze([...assets]) }),
    keys: origin.keys,
    stamp: origin.stamp,
    createdMs: origin.sinceMs,
    ...(origin.incomplete
      ? incompleteLifetime(origin)
      : lifetime(origin.policy, status, origin.nowMs, origin.limitMs)),
  });
}

function incompleteLifetime({ policy, nowMs, limitMs }: Origin): Lifetime & { readonly incomplete: true } {
  const untilMs = Math.min(nowMs + Math.min(policy.ttlMs, INCOMPLETE_TTL_MS), limitMs);
  return { freshUntilMs: untilMs, staleUntilMs: untilMs, errorUntilMs: untilMs, incomplete: true };
}

/** A page that depends on more than can be named is kept by no cache in front, since no purge would reach it there. */
function sharing({ policy, keys, surrogateKeys, incomplete }: Origin, status: number): readonly Header[] {
  if (incomplete) return [['cache-control', 'no-store']];
  if (!surrogateKeys) return [...cacheControl(policy, status)];
  const named = surrogateHeaders(keys);
  const shared = named === undefined ? { ...policy, sharedMaxAgeMs: 0 } : policy;
  return [...cacheControl(shared, status), ...(named ?? [])];
}
