import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Lease } from './lease.ts';

describe('Lease', () => {
  it('is not held before the purge stream was read once', () => {
    expect(new Lease(new ManualClock(), 500).trusted).toBe(false);
  });

  it('lasts one term, counted from before the reading was sent', () => {
    const clock = new ManualClock();
    const lease = new Lease(clock, 500);
    const sentAt = clock.monotonic();
    clock.advance(200);
    lease.renew(sentAt);
    clock.advance(299);
    expect(lease.trusted).toBe(true);
    clock.advance(1);
    expect(lease.trusted).toBe(false);
  });

  it('is not shortened by an answer that was overtaken by a later one', () => {
    const clock = new ManualClock();
    const lease = new Lease(clock, 500);
    clock.advance(100);
    lease.renew(100);
    lease.renew(0);
    expect(lease.trustedUntil).toBe(600);
  });

  it('does not follow the wall clock', () => {
    const clock = new ManualClock();
    const lease = new Lease(clock, 500);
    lease.renew(0);
    clock.jump(-3_600_000);
    clock.advance(500);
    expect(lease.trusted).toBe(false);
  });

  it('counts how long it was not held', () => {
    const clock = new ManualClock();
    const lease = new Lease(clock, 500);
    clock.advance(40);
    lease.renew(40);
    clock.advance(700);
    expect(lease.stats()).toEqual({ losses: 0, degradedMs: 240 });
    lease.renew(740);
    clock.advance(100);
    lease.revoke();
    clock.advance(10);
    expect(lease.stats()).toEqual({ losses: 1, degradedMs: 250 });
  });

  it('is not given back by an answer to what was asked before it was taken away', () => {
    const clock = new ManualClock();
    const lease = new Lease(clock, 500);
    const askedAt = clock.monotonic();
    clock.advance(10);
    lease.revoke();
    lease.renew(askedAt);
    expect(lease.trusted).toBe(false);
    lease.renew(clock.monotonic());
    expect(lease.trusted).toBe(true);
  });
});
