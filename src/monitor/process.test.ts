import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { ProcessStats } from './process.ts';

let clock: ManualClock;
let stats: ProcessStats;

beforeEach(() => {
  clock = new ManualClock();
  stats = new ProcessStats(clock);
  stats.start();
});
afterEach(() => stats.close());

it('tells of the last whole window, whoever asks in between', () => {
  clock.advance(5000);
  const first = stats.levels();
  clock.advance(4999);
  expect(stats.levels()).toMatchObject({
    loopWindowMs: first.loopWindowMs,
    loopDelayP99Ms: first.loopDelayP99Ms,
    loopUtilization: first.loopUtilization,
    cpuShare: first.cpuShare,
  });
});

it('counts CPU time up from the start, and its levels lie where they can', () => {
  const { cpuUserMs, gc } = stats.counts();
  expect(cpuUserMs).toBeGreaterThan(0);
  expect(Array.isArray(gc)).toBe(true);
  const levels = stats.levels();
  expect(levels.heapUsedBytes).toBeLessThan(levels.heapLimitBytes);
  expect(levels.loopUtilization).toBeGreaterThanOrEqual(0);
  expect(levels.loopUtilization).toBeLessThanOrEqual(1);
  expect(levels.loopDelayP50Ms).toBeGreaterThanOrEqual(0);
});

it('leaves nothing behind', () => {
  stats.close();
  expect(clock.pending).toBe(0);
});
