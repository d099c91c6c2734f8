// A worker under twice the load that it can do, on a clock of our own: what comes out of it, and after how long. Renders
// are worked off one at a time, as one thread does, whoever has a slot.
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { RenderSlots } from './render-slots.ts';

const WORK_MS = 10;
/** So much comes as can be done, times this. */
const LOADS = [0.5, 0.9, 2, 5];
const SECONDS = 20;
/** An answer after that is no use to anybody. */
const USEFUL_MS = 2000;

interface Run {
  /** Useful answers, as a share of what can be done. */
  readonly goodput: number;
  readonly p99Ms: number;
  readonly refused: number;
  /** How long the slowest refusal took. */
  readonly refusedAfterMs: number;
}

async function run(load: number, slotsOf: (clock: ManualClock) => RenderSlots): Promise<Run> {
  const clock = new ManualClock();
  const slots = slotsOf(clock);
  const latencies: number[] = [];
  const refusals: number[] = [];
  let loopFreeAtMs = 0;
  const visitor = async () => {
    const cameAtMs = clock.monotonic();
    try {
      const slot = await slots.enter(cameAtMs + 10_000, new AbortController().signal);
      loopFreeAtMs = Math.max(loopFreeAtMs, clock.monotonic()) + WORK_MS;
      clock.after(loopFreeAtMs - clock.monotonic(), () => {
        slot.leave();
        latencies.push(clock.monotonic() - cameAtMs);
      });
    } catch {
      refusals.push(clock.monotonic() - cameAtMs);
    }
  };
  const perSecond = (1000 / WORK_MS) * load;
  for (let n = 0; n < perSecond * SECONDS; n++) clock.after((n / perSecond) * 1000, () => void visitor());
  while (clock.monotonic() < SECONDS * 1000 && clock.pending > 0) {
    clock.advanceToNext();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const sorted = latencies.sort((a, b) => a - b);
  const useful = sorted.filter((ms) => ms <= USEFUL_MS).length;
  return {
    goodput: (useful * WORK_MS) / (SECONDS * 1000),
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    refused: refusals.length,
    refusedAfterMs: Math.max(0, ...refusals),
  };
}

const guarded = (clock: ManualClock) =>
  new RenderSlots({
    clock,
    maxRunning: 40,
    lineMs: 1000,
    nextTurn: (next) => void clock.after(WORK_MS, next),
  });

/** As many at once as come. */
const open = (clock: ManualClock) =>
  new RenderSlots({
    clock,
    maxRunning: 1e6,
    lineMs: 1e6,
    nextTurn: (next) => void clock.after(0, next),
  });

describe('a worker at constant arrival rates', () => {
  it.each(LOADS)('of %f times what it can do', async (load) => {
    const { goodput, p99Ms, refused, refusedAfterMs } = await run(load, guarded);
    expect(goodput).toBeGreaterThan(0.9 * Math.min(1, load));
    expect(p99Ms).toBeLessThan(1000 + 40 * WORK_MS);
    if (load < 1) expect(refused).toBe(0);
    else expect(refusedAfterMs).toBeLessThanOrEqual(1000);
  });

  it('does nearly nothing of use any more where everybody is let in', async () => {
    const { goodput, p99Ms } = await run(2, open);
    expect(goodput).toBeLessThan(0.5);
    expect(p99Ms).toBeGreaterThan(5000);
  });
});
