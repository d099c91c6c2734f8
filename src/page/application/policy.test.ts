import { describe, expect, test } from 'vitest';
import { cacheControl, completePolicy, isStored, lifetime } from './policy.ts';

const policy = (given = {}) => completePolicy('pages/x', given);
const says = (given: Parameters<typeof completePolicy>[1], status = 200) =>
  Object.fromEntries(cacheControl(policy(given), status));

describe('a cache policy', () => {
  test('keeps a page for a minute, and another while a new one is made, unless told', () => {
    expect(lifetime(policy(), 200, 1000, Number.POSITIVE_INFINITY)).toEqual({
      freshUntilMs: 61_000,
      staleUntilMs: 121_000,
      errorUntilMs: 61_000,
    });
  });

  test('keeps what is not there for ten seconds, and never longer than the page', () => {
    for (const status of [404, 410]) {
      expect(lifetime(policy({ staleIfErrorMs: 1e6 }), status, 0, 1e9)).toEqual({
        freshUntilMs: 10_000,
        staleUntilMs: 10_000,
        errorUntilMs: 10_000,
      });
      expect(lifetime(policy({ ttlMs: 500 }), status, 0, 1e9).freshUntilMs).toBe(500);
    }
  });

  test('keeps a page no longer fresh than the pieces in it', () => {
    expect(lifetime(policy(), 200, 0, 5000).freshUntilMs).toBe(5000);
  });

  test('stores only what is complete and says the same tomorrow', () => {
    const stored = [200, 301, 302, 303, 307, 308, 400, 404, 410, 500, 503].filter((status) =>
      isStored(policy(), status),
    );
    expect(stored).toEqual([200, 301, 302, 303, 307, 308, 404, 410]);
    expect(isStored(policy({ ttlMs: 0 }), 200)).toBe(false);
  });

  test('asks browsers to ask again, and lets caches in between keep only what the page allows', () => {
    expect(says({})).toEqual({ 'cache-control': 'public, max-age=0, must-revalidate' });
    expect(says({ ttlMs: 0 })).toEqual({ 'cache-control': 'no-store' });
    expect(says({}, 500)).toEqual({ 'cache-control': 'no-store' });
    expect(says({ sharedMaxAgeMs: 30_000, staleIfErrorMs: 86_400_000 })).toEqual({
      'cache-control': 'public, max-age=0, s-maxage=30, stale-while-revalidate=60, stale-if-error=86400',
      'cdn-cache-control': 'max-age=30, stale-while-revalidate=60, stale-if-error=86400',
    });
    expect(says({ sharedMaxAgeMs: 30_000 }, 404)).toEqual({
      'cache-control': 'public, max-age=0, must-revalidate',
    });
  });

  test.each([
    [{ ttlMs: -1 }, 'cache.ttlMs is -1'],
    [{ staleIfErrorMs: Number.NaN }, 'cache.staleIfErrorMs is NaN'],
    [{ vary: ['Cookie'] }, "must not hold 'cookie'"],
    [{ vary: ['X-Forwarded-For'] }, "must not hold 'x-forwarded-for'"],
    [{ vary: ['Forwarded'] }, "must not hold 'forwarded'"],
    [{ vary: ['x y'] }, 'not the name of a header'],
  ])('%j is refused: %s', (given, why) => {
    expect(() => policy(given)).toThrow(why);
  });
});
