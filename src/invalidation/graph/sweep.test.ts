import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Sweep } from './sweep.ts';

/** `costMs`: what letting go of the entry takes. */
function sweepOf(costMs: (id: string) => number) {
  const clock = new ManualClock();
  const dropped: string[] = [];
  const sweep = new Sweep({
    clock,
    sliceMs: 4,
    minReads: 1,
    maxRefreshes: 0,
    drop: (id) => {
      // Time passes while an entry is dropped, and no timer fires: the worker has one thread.
      elapsed += costMs(id);
      dropped.push(id);
      return { reads: 0 };
    },
    refresh: () => {},
  });
  let elapsed = 0;
  const monotonic = clock.monotonic.bind(clock);
  clock.monotonic = () => monotonic() + elapsed;
  return { clock, sweep, dropped };
}

const ids = (count: number) => Array.from({ length: count }, (_, at) => `/${at}`);

describe('a sweep', () => {
  it('stops after its time, however many entries there are', () => {
    const { clock, sweep, dropped } = sweepOf(() => 0.5);
    sweep.add(ids(1000));
    clock.advanceToNext();
    expect(dropped).toHaveLength(8);
    while (clock.pending > 0) clock.advanceToNext();
    expect(dropped).toHaveLength(1000);
    expect(sweep.stats()).toMatchObject({ dropped: 1000, longestMs: 4, waiting: 0 });
    // 125 full ones, and the look that finds nothing left.
    expect(sweep.stats().slices).toBe(126);
  });

  it('takes large slices where entries cost little', () => {
    const { clock, sweep } = sweepOf(() => 0.001);
    sweep.add(ids(10_000));
    while (clock.pending > 0) clock.advanceToNext();
    expect(sweep.stats().slices).toBe(3);
  });

  it('ends a slice at once after an entry that took long', () => {
    const { clock, sweep, dropped } = sweepOf((id) => (id === '/2' ? 30 : 0));
    sweep.add(ids(10));
    clock.advanceToNext();
    expect(dropped).toEqual(['/0', '/1', '/2']);
  });

  it('leaves others as much time as it took', () => {
    const { clock, sweep } = sweepOf(() => 0.5);
    sweep.add(ids(1000));
    clock.advanceToNext();
    let others = 0;
    clock.after(0, () => others++);
    clock.after(3.9, () => others++);
    const { slices } = sweep.stats();
    clock.advance(3.9);
    expect([others, sweep.stats().slices]).toEqual([2, slices]);
    clock.advance(0.1);
    expect(sweep.stats().slices).toBe(slices + 1);
  });
});
