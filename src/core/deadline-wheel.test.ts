import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { Deadline, DeadlineWheel } from './deadline-wheel.ts';

/** Time passes in small steps, and the process is not busy. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 20) {
    clock.advance(Math.min(20, left));
    await turn();
  }
}

function setUp() {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const passed: string[] = [];
  return { clock, wheel, passed, named: (name: string) => new Deadline(wheel, () => passed.push(name)) };
}

it('passes after its time and less than a tick later, also beyond a round of the wheel', async () => {
  for (const afterMs of [0, 1, 19, 20, 21, 500, 5119, 5120, 5121, 20_000]) {
    const { clock, named, passed } = setUp();
    clock.advance(afterMs === 0 ? 20 : 7);
    named('it').start(afterMs);
    await pass(clock, Math.max(0, afterMs - 1));
    expect(passed).toEqual([]);
    await pass(clock, 21);
    expect(passed).toEqual(['it']);
  }
});

it('does not pass once it was stopped, and runs anew when it is started again', async () => {
  const { clock, wheel, named, passed } = setUp();
  const stopped = named('stopped');
  const again = named('again');
  stopped.start(100);
  again.start(100);
  await pass(clock, 90);
  stopped.stop();
  again.start(100);
  await pass(clock, 90);
  expect(passed).toEqual([]);
  expect(wheel.running).toBe(1);
  await pass(clock, 40);
  expect(passed).toEqual(['again']);
});

it('sets one timer for all of them, and none while none runs', async () => {
  const { clock, wheel, named } = setUp();
  expect(clock.pending).toBe(0);
  const all = Array.from({ length: 100 }, (_, n) => named(String(n)));
  for (const [n, one] of all.entries()) one.start(n * 10);
  expect(clock.pending).toBe(1);
  await pass(clock, 500);
  expect(clock.pending).toBe(1);
  for (const one of all) one.stop();
  await pass(clock, 40);
  expect([wheel.running, clock.pending]).toEqual([0, 0]);
});

it('lets what has arrived while the process was busy be in time', async () => {
  const { clock, named, passed } = setUp();
  const answered = named('answered');
  answered.start(100);
  named('silent').start(100);
  // As when the loop was blocked: the timer is late, and the answer is read before anything passes.
  clock.advance(60_000);
  answered.stop();
  await turn();
  expect(passed).toEqual(['silent']);
});

it('is not passed by one that another has stopped or started anew in that very turn', async () => {
  const { clock, wheel, passed, named } = setUp();
  const [stopped, again] = [named('stopped'), named('again')];
  new Deadline(wheel, () => {
    passed.push('first');
    stopped.stop();
    again.start(1000);
  }).start(100);
  stopped.start(100);
  again.start(100);
  await pass(clock, 200);
  expect(passed).toEqual(['first']);
  expect(wheel.running).toBe(1);
});

it('passes whatever runs, each in its time, whatever is started and stopped between', async () => {
  const step = fc.record({
    which: fc.nat(4),
    afterMs: fc.oneof(fc.nat(200), fc.nat(12_000)),
    stops: fc.boolean(),
    waitMs: fc.nat(300),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const clock = new ManualClock();
      const wheel = new DeadlineWheel(clock);
      const dueMs = new Map<number, number>();
      const all = Array.from({ length: 5 }, (_, which) => {
        return new Deadline(wheel, () => {
          const lateMs = clock.monotonic() - (dueMs.get(which) ?? Number.NaN);
          expect(lateMs).toBeGreaterThanOrEqual(0);
          // Time moves by 20 ms here, so that much may come on top of the tick.
          expect(lateMs).toBeLessThan(40);
          dueMs.delete(which);
        });
      });
      for (const { which, afterMs, stops, waitMs } of steps) {
        if (stops) all[which]?.stop();
        else all[which]?.start(afterMs);
        if (stops) dueMs.delete(which);
        else dueMs.set(which, clock.monotonic() + afterMs);
        await pass(clock, waitMs);
      }
      await pass(clock, 12_100);
      expect(dueMs.size).toBe(0);
      expect([wheel.running, clock.pending]).toEqual([0, 0]);
    }),
    { numRuns: 30 },
  );
});
