// A page's cache policy with every value decided, and what it says to the caches between us and the visitor.
import type { EpochMs, Milliseconds } from '../../core/units.ts';
import type { CachePolicy } from '../definitions/page.ts';
import { ApplicationError } from '../errors.ts';

export interface CompletePolicy {
  readonly ttlMs: Milliseconds;
  readonly staleWhileRevalidateMs: Milliseconds;
  readonly staleIfErrorMs: Milliseconds;
  readonly sharedMaxAgeMs: Milliseconds;
  /** Request headers that the page sees: lower case, sorted, without repeats. */
  readonly vary: readonly string[];
  /** All request headers that its key rests on, those that variants read included. */
  readonly variesBy: readonly string[];
  readonly static: boolean;
  readonly refresh: boolean;
  /** Guards stand before it: no cache between this server and a visitor may answer in its place. */
  readonly guarded: boolean;
}

/** How long a 404 or 410 is kept: long enough to blunt a flood, short enough that a new page appears soon. */
const GONE_TTL_MS: Milliseconds = 10_000;

/**
 * The defaults assume the purge works and bound the damage where it is off: without the change feed a page
 * is at most ttl + staleWhileRevalidate = two minutes old. Serving on after errors is for the page to choose.
 */
const DEFAULTS = {
  ttlMs: 60_000,
  staleWhileRevalidateMs: 60_000,
  staleIfErrorMs: 0,
  sharedMaxAgeMs: 0,
} as const;

/** Headers that name a person would make one entry a visitor, and put private pages into a public cache. */
const NEVER_IN_VARY = new Set([
  ...['cookie', 'authorization', 'proxy-authorization', 'accept-encoding', 'host'],
  ...['x-forwarded-for', 'x-real-ip', 'forwarded'],
]);

/** Throws E_APPLICATION naming `file` and the option that is wrong. */
export function completePolicy(file: string, policy: CachePolicy = {}, guarded = false): CompletePolicy {
  const duration = (name: keyof typeof DEFAULTS): Milliseconds => {
    const value = policy[name] ?? DEFAULTS[name];
    if (!Number.isFinite(value) || value < 0) {
      throw new ApplicationError(`${file}: cache.${name} is ${value}; give milliseconds, 0 or more.`);
    }
    return value;
  };
  const vary = [...new Set((policy.vary ?? []).map((name) => name.toLowerCase()))].sort();
  for (const name of vary) {
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
      throw new ApplicationError(`${file}: cache.vary holds '${name}', which is not the name of a header.`);
    }
    if (NEVER_IN_VARY.has(name)) {
      throw new ApplicationError(
        `${file}: cache.vary must not hold '${name}': pages here are the same for everybody.`,
      );
    }
  }
  return Object.freeze({
    ttlMs: duration('ttlMs'),
    staleWhileRevalidateMs: duration('staleWhileRevalidateMs'),
    staleIfErrorMs: duration('staleIfErrorMs'),
    sharedMaxAgeMs: guarded ? 0 : duration('sharedMaxAgeMs'),
    vary: Object.freeze(vary),
    variesBy: Object.freeze(vary),
    static: policy.static ?? false,
    refresh: policy.refresh ?? true,
    guarded,
  });
}

/** The policy of a page that comes in variants, which read these headers: `cookie` where one reads a cookie. */
export function withVariants(policy: CompletePolicy, headers: readonly string[]): CompletePolicy {
  const variesBy = Object.freeze([...new Set([...policy.vary, ...headers])].sort());
  // Few caches in between read one cookie of many: none of them is to answer for us.
  const sharedMaxAgeMs = headers.includes('cookie') ? 0 : policy.sharedMaxAgeMs;
  return Object.freeze({ ...policy, variesBy, sharedMaxAgeMs });
}

export interface Lifetime {
  readonly freshUntilMs: EpochMs;
  readonly staleUntilMs: EpochMs;
  readonly errorUntilMs: EpochMs;
}

/**
 * When an answer made at `nowMs` stops being fresh, and stops being served at all. `limitMs` is until when the
 * shortest-lived piece inside it is fresh.
 */
export function lifetime(policy: CompletePolicy, status: number, nowMs: EpochMs, limitMs: EpochMs): Lifetime {
  const gone = status === 404 || status === 410;
  const ttlMs = gone ? Math.min(GONE_TTL_MS, policy.ttlMs) : policy.ttlMs;
  const freshUntilMs = Math.min(nowMs + ttlMs, limitMs);
  if (gone) return { freshUntilMs, staleUntilMs: freshUntilMs, errorUntilMs: freshUntilMs };
  return {
    freshUntilMs,
    staleUntilMs: freshUntilMs + policy.staleWhileRevalidateMs,
    errorUntilMs: freshUntilMs + policy.staleIfErrorMs,
  };
}

const STORED = new Set([200, 301, 302, 303, 307, 308, 404, 410]);

export function isStored(policy: CompletePolicy, status: number): boolean {
  return policy.ttlMs > 0 && STORED.has(status);
}

/**
 * Browsers always ask again (a 304 is cheap, a page older than its data is not). Caches in between may keep
 * a success as long as the page allows them to; both headers say so, the second (RFC 9213) to CDNs that know it.
 */
export function cacheControl(policy: CompletePolicy, status: number): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  if (!isStored(policy, status)) return headers.set('cache-control', 'no-store');
  if (policy.guarded) return headers.set('cache-control', 'private, no-cache');
  const shared = Math.floor(policy.sharedMaxAgeMs / 1000);
  if (shared === 0 || status >= 400)
    return headers.set('cache-control', 'public, max-age=0, must-revalidate');
  const swr = Math.floor(policy.staleWhileRevalidateMs / 1000);
  const sie = Math.floor(policy.staleIfErrorMs / 1000);
  const stale = `${swr > 0 ? `, stale-while-revalidate=${swr}` : ''}${sie > 0 ? `, stale-if-error=${sie}` : ''}`;
  headers.set('cache-control', `public, max-age=0, s-maxage=${shared}${stale}`);
  return headers.set('cdn-cache-control', `max-age=${shared}${stale}`);
}
