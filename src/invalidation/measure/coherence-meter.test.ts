import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Lease } from '../clock/lease.ts';
import { CoherenceMeter } from './coherence-meter.ts';
import { CoherenceSampler, type Sampled } from './coherence-sampler.ts';
import { DELAY_BOUNDS_MS } from './commit-delays.ts';

const PAGE: Sampled = { kind: 'page', id: '/users/17' };
const none = { applied: 0, gapsFound: 0, gapsMended: 0, clockLoads: 0, epochsSeen: 0, readingsFailed: 0 };

/** A worker that holds one page, made when the purge stream stood at 6, and trusts what it holds. */
function worker({ every = 1, held = [PAGE], leaseMs = 60_000 } = {}) {
  const clock = new ManualClock();
  const lease = new Lease(clock, leaseMs);
  lease.renew(clock.monotonic());
  let stamp: { epoch: string; seq: number } | undefined = { epoch: 'e', seq: 6 };
  const sampler = new CoherenceSampler({
    clock,
    every,
    lease,
    degradedTtlMs: 1000,
    madeFrom: (keys, limit) => (keys.includes('users#17') ? held.slice(0, limit) : []),
    servedStamp: () => stamp,
  });
  const stats = new CoherenceMeter({ clock, lease, sampler, bus: { stats: () => none } });
  stats.reset('e', 6);
  return {
    clock,
    lease,
    sampler,
    stats,
    serve(seq: number | undefined, epoch = 'e') {
      stamp = seq === undefined ? undefined : { epoch, seq };
    },
    purge(seq: number, lateMs = 0, keys = ['users#17']) {
      stats.purge({ epoch: 'e', seq, kind: 'purge', keys, committedMs: clock.now() - lateMs });
    },
    shares: () =>
      sampler.stats().spans.map(({ withinMs, checked, coherent }) => [withinMs, coherent, checked]),
  };
}

describe('commit to applied', () => {
  it('is counted in buckets whose upper ends belong to them', () => {
    const { stats, purge } = worker();
    for (const lateMs of [0, 1, 1.5, 2, 7, 2000, 2001, 90_000]) purge(7, lateMs, ['other']);
    const { counts, count, sumMs, maxMs, negative } = stats.stats().commitToApplied;
    expect(Object.fromEntries(counts.map((n, at) => [DELAY_BOUNDS_MS[at] ?? 'more', n]))).toMatchObject({
      1: 2,
      2: 2,
      5: 0,
      10: 1,
      2000: 1,
      more: 2,
    });
    expect([count, sumMs, maxMs, negative]).toEqual([8, 94_012.5, 90_000, 0]);
  });

  it('counts a commit in the future as one at once, and says so', () => {
    const { stats, purge } = worker();
    purge(7, -500, ['other']);
    purge(8, -0.9, ['other']);
    expect(stats.stats().commitToApplied).toMatchObject({ count: 2, sumMs: 0, maxMs: 0, negative: 1 });
  });

  it('leaves out purges by hand', () => {
    const { stats } = worker();
    stats.purge({ epoch: 'e', seq: 7, kind: 'expire', keys: ['a', 'b'] });
    expect(stats.stats()).toMatchObject({ expires: 1, purges: 0, keys: 2, commitToApplied: { count: 0 } });
  });
});

describe('what a worker says of its coherence', () => {
  it('counts changes of the epoch, but not the first epoch that it hears of', () => {
    const { stats } = worker();
    stats.reset('e', 9);
    expect(stats.stats()).toMatchObject({ epoch: 'e', seq: 9, epochChanges: 0 });
    stats.reset('f', 0);
    expect(stats.stats()).toMatchObject({ epoch: 'f', seq: 0, epochChanges: 1 });
  });

  it('tells how long it had no lease', () => {
    const { stats, clock, lease } = worker({ leaseMs: 500 });
    expect(stats.stats()).toMatchObject({ trusted: true, degradedMs: 0 });
    clock.advance(800);
    expect(stats.stats()).toMatchObject({ trusted: false, degradedMs: 300 });
    lease.renew(clock.monotonic());
    expect(stats.stats()).toMatchObject({ trusted: true, degradedMs: 300 });
  });
});

describe('the sampler', () => {
  it('finds a page coherent that is gone, or was made anew, when it is looked at', () => {
    const { purge, serve, clock, shares } = worker();
    purge(7);
    serve(undefined);
    clock.advance(100);
    serve(7);
    clock.advance(9900);
    expect(shares()).toEqual([
      [100, 1, 1],
      [1000, 1, 1],
      [10_000, 1, 1],
    ]);
    expect(clock.pending).toBe(0);
  });

  it('finds out that what was made before is still served', () => {
    const { purge, serve, clock, shares } = worker();
    purge(7);
    clock.advance(1000);
    serve(8);
    clock.advance(9000);
    expect(shares()).toEqual([
      [100, 0, 1],
      [1000, 0, 1],
      [10_000, 1, 1],
    ]);
  });

  it('counts spans from the commit: what came late was old until then', () => {
    const { purge, serve, clock, shares } = worker();
    purge(7, 1500);
    serve(undefined);
    expect(shares()).toEqual([
      [100, 0, 1],
      [1000, 0, 1],
      [10_000, 0, 0],
    ]);
    clock.advance(8500);
    expect(shares()[2]).toEqual([10_000, 1, 1]);
  });

  it('does not blame a worker for a time in which it had no lease and served nothing old', () => {
    const { purge, serve, clock, shares } = worker({ leaseMs: 500 });
    clock.advance(5000);
    serve(undefined);
    // Committed at 300 ms: the lease ran 200 ms more, and what had just been made then was served for 1000 ms at most.
    purge(7, 4700);
    clock.advance(10_000);
    expect(shares()).toEqual([
      [100, 0, 1],
      [1000, 1, 1],
      [10_000, 1, 1],
    ]);
  });

  it('takes what was made in an epoch that is over for old', () => {
    const { purge, serve, clock, stats, shares } = worker();
    purge(7);
    stats.reset('f', 0);
    serve(3, 'f');
    clock.advance(100);
    serve(9, 'd');
    clock.advance(900);
    expect(shares().slice(0, 2)).toEqual([
      [100, 1, 1],
      [1000, 0, 1],
    ]);
  });

  it('looks at one purge in so many, at a few pages each, and at those only that are held', () => {
    const many = Array.from({ length: 50 }, (_, at): Sampled => ({ kind: 'page', id: `/${at}` }));
    const { purge, sampler, clock, shares } = worker({ every: 10, held: many });
    for (let seq = 7; seq <= 30; seq++) purge(seq, 0, seq === 20 ? ['nothing'] : ['users#17']);
    expect(sampler.stats().purges).toBe(2);
    clock.advance(10_000);
    expect(shares().map(([, , checked]) => checked)).toEqual([8, 8, 8]);
  });

  it('is off with 0, and leaves nothing behind', () => {
    const off = worker({ every: 0 });
    off.purge(100);
    expect(off.clock.pending).toBe(0);
    const on = worker();
    on.purge(7);
    on.sampler.close();
    expect(on.clock.pending).toBe(0);
  });

  it('has only so many looks before it', () => {
    const { purge, sampler, clock } = worker();
    for (let seq = 7; seq < 1007; seq++) purge(seq);
    expect(clock.pending).toBeLessThan(800);
    expect(sampler.stats().passedOver).toBeGreaterThan(700);
  });
});
