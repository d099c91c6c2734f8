import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import { Lease } from '../../invalidation/clock/lease.ts';
import type { Cached } from '../entry.ts';
import { isFresh, useOf } from './cached-entry.ts';

const DEGRADED_TTL_MS = 1000;

function worker() {
  const clock = new ManualClock();
  const lease = new Lease(clock, 500);
  const validity = new PurgeClock({ epoch: 'e', slots: 16, lease, degradedTtlMs: DEGRADED_TTL_MS });
  const createdMs = clock.now();
  const entry: Cached = {
    keys: [],
    stamp: validity.stamp(),
    createdMs,
    freshUntilMs: createdMs + 60_000,
    staleUntilMs: createdMs + 120_000,
    errorUntilMs: createdMs,
  };
  return { clock, lease, validity, entry };
}

describe('an entry while purges may be missing', () => {
  it('is served as long as its TTL says while the lease is held', () => {
    const { clock, lease, validity, entry } = worker();
    clock.advance(30_000);
    lease.renew(clock.monotonic());
    expect(useOf(entry, 'valid', validity, clock)).toBe('fresh');
  });

  it('is served for a moment after its first read, and then no more, not even as stale', () => {
    const { clock, validity, entry } = worker();
    clock.advance(DEGRADED_TTL_MS - 1);
    expect(isFresh(entry, 'valid', validity, clock)).toBe(true);
    clock.advance(1);
    expect(isFresh(entry, 'valid', validity, clock)).toBe(false);
    expect(useOf(entry, 'valid', validity, clock)).toBe('none');
  });

  it('may stand in for a render that failed, where the page chose that', () => {
    const { clock, validity, entry } = worker();
    clock.advance(DEGRADED_TTL_MS);
    const kept = { ...entry, errorUntilMs: entry.freshUntilMs + 1 };
    expect(useOf(kept, 'valid', validity, clock)).toBe('error');
    expect(useOf(kept, 'purged', validity, clock)).toBe('none');
    const notChosen = { ...entry, errorUntilMs: entry.freshUntilMs };
    expect(useOf(notChosen, 'valid', validity, clock)).toBe('none');
  });

  it('is trusted again with the lease', () => {
    const { clock, lease, validity, entry } = worker();
    clock.advance(5000);
    expect(useOf(entry, 'valid', validity, clock)).toBe('none');
    lease.renew(clock.monotonic());
    expect(useOf(entry, 'valid', validity, clock)).toBe('fresh');
  });

  it('is not believed when it seems to come from the future: the clock was set back', () => {
    const { clock, validity, entry } = worker();
    clock.jump(-60_000);
    expect(['fresh', 'stale']).not.toContain(useOf(entry, 'valid', validity, clock));
  });
});
