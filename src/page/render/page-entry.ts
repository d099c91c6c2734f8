// A finished page as an immutable entry: its bytes, a tag of them, headers, times.
import { type EntryHole, type Header, INCOMPLETE_TTL_MS, type PageEntry } from '../../cache/entry.ts';
import type { Eventually } from '../../core/eventually.ts';
import { ownBytes } from '../../core/own-bytes.ts';
import type { DependencyKey, EpochMs, Stamp } from '../../core/units.ts';
import {
  type CompletePolicy,
  cacheControl,
  isStored,
  type Lifetime,
  lifetime,
} from '../application/policy.ts';
import { DRAFT, type Encoded, encode, tagOf, WORTH_COMPRESSING } from '../encode/encode.ts';
import { surrogateHeaders } from './surrogate-keys.ts';

export interface Finished {
  readonly status: number;
  readonly html: Buffer;
  /** Beside the ones every page has: location, content-security-policy, retry-after. */
  readonly headers: readonly Header[];
  /** Media type. Default HTML in UTF-8. */
  readonly type?: string;
  /** False where compression saves nothing worth its time: images. Default true. */
  readonly compress?: boolean;
  /** The files of public/ that it names. */
  readonly assets?: ReadonlySet<string>;
  /** Where its parts for each visitor stand in `html`. */
  readonly holes?: readonly EntryHole[] | undefined;
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
export function makeEntry(finished: Finished, origin: Origin, hurry: boolean): Eventually<PageEntry> {
  const identity = ownBytes(finished.html);
  const isWorthIt = finished.compress !== false && identity.length >= WORTH_COMPRESSING;
  if (!isWorthIt) return entryOf(finished, origin, identity, AS_IT_IS, '');
  if (hurry) return entryOf(finished, origin, identity, AS_IT_IS, DRAFT);
  return encode(identity).then((encoded) => entryOf(finished, origin, identity, encoded, ''));
}

const AS_IT_IS: Encoded = { gzip: undefined, brotli: undefined };

function entryOf(
  { status, headers, assets, type, holes = NO_HOLES }: Finished,
  origin: Origin,
  identity: Buffer,
  { gzip, brotli }: Encoded,
  mark: string,
): PageEntry {
  return Object.freeze({
    status,
    headers: headersOf(origin, status, headers, holes.length > 0, type),
    identity,
    gzip,
    brotli,
    tag: tagOf(identity) + mark,
    ...(holes.length > 0 && { holes }),
    ...(assets !== undefined && assets.size > 0 && { assets: Object.freeze([...assets]) }),
    keys: origin.keys,
    stamp: origin.stamp,
    createdMs: origin.sinceMs,
    ...(origin.incomplete
      ? incompleteLifetime(origin)
      : lifetime(origin.policy, status, origin.nowMs, origin.limitMs)),
  });
}

/** Of each policy and status, the headers of pages that differ in nothing else: one list for all of them. */
const prepared = new WeakMap<CompletePolicy, Map<number, readonly Header[]>>();

const NO_HOLES: readonly EntryHole[] = Object.freeze([]);

function headersOf(
  origin: Origin,
  status: number,
  own: readonly Header[],
  hasHoles: boolean,
  type = 'text/html; charset=utf-8',
): readonly Header[] {
  const { policy, surrogateKeys, incomplete } = origin;
  const isOrdinary = own.length === 1 && !surrogateKeys && !incomplete && !hasHoles;
  const known = isOrdinary ? prepared.get(policy)?.get(status) : undefined;
  const [last] = own;
  if (known !== undefined && isSame(known.at(-1), last) && known[0]?.[1] === type) return known;
  const headers: readonly Header[] = Object.freeze([
    ['content-type', type],
    ...sharing(origin, status, hasHoles),
    ['vary', varyOf(policy, hasHoles)],
    ...own,
  ] satisfies Header[]);
  if (isOrdinary) {
    const byStatus = prepared.get(policy) ?? new Map<number, readonly Header[]>();
    prepared.set(policy, byStatus.set(status, headers));
  }
  return headers;
}

function isSame(a: Header | undefined, b: Header | undefined): boolean {
  return a !== undefined && b !== undefined && a[0] === b[0] && a[1] === b[1];
}

function incompleteLifetime({ policy, nowMs, limitMs }: Origin): Lifetime & { readonly incomplete: true } {
  const untilMs = Math.min(nowMs + Math.min(policy.ttlMs, INCOMPLETE_TTL_MS), limitMs);
  return { freshUntilMs: untilMs, staleUntilMs: untilMs, errorUntilMs: untilMs, incomplete: true };
}

function varyOf({ variesBy }: CompletePolicy, hasHoles: boolean): string {
  const names = ['accept-encoding', ...variesBy];
  return (hasHoles ? [...new Set([...names, 'cookie'])] : names).join(', ');
}

/** A page that depends on more than can be named is kept by no cache in front, since no purge would reach it there. */
function sharing(
  { policy, keys, surrogateKeys, incomplete }: Origin,
  status: number,
  hasHoles: boolean,
): readonly Header[] {
  if (incomplete) return [['cache-control', 'no-store']];
  // As it is it is for visitors without a session. A cache in between that heeds no Vary would give it to all.
  if (hasHoles && isStored(policy, status)) return [['cache-control', 'private, max-age=0, must-revalidate']];
  if (!surrogateKeys) return [...cacheControl(policy, status)];
  const named = surrogateHeaders(keys);
  const shared = named === undefined ? { ...policy, sharedMaxAgeMs: 0 } : policy;
  return [...cacheControl(shared, status), ...(named ?? [])];
}
