import { describe, expect, test } from 'vitest';
import { durations, hostSnapshot, someCounts, workerSnapshot } from '../../../test/support/snapshots.ts';
import type { HostSnapshot } from '../../monitor/snapshot.ts';
import { Frames } from './frames.ts';

const SECOND = 1000;
const first = hostSnapshot({}, [workerSnapshot()]);

/** The same host `seconds` later, with these counts. */
function later(seconds: number, counts: ReturnType<typeof someCounts>, parts = {}): HostSnapshot {
  const worker = workerSnapshot({ counts, ...parts });
  return hostSnapshot({ takenAtMs: first.takenAtMs + seconds * SECOND }, [worker]);
}

function withAnswers(fast: number, slow: number) {
  const before = someCounts();
  const [home, ...rest] = before.http.answered;
  if (home === undefined) throw new Error('no answers');
  const more = durations({ 0: 9000 + fast, 4: 20, 100: slow });
  return { ...before, http: { ...before.http, answered: [{ ...home, durations: more }, ...rest] } };
}

function seen(...snapshots: readonly HostSnapshot[]) {
  const frames = new Frames();
  for (const snapshot of snapshots) frames.see(snapshot);
  const last = snapshots.at(-1) ?? first;
  return frames.frame(last);
}

describe('a frame', () => {
  test('knows no rates before there are two moments', () => {
    const { box, workers, tiers } = seen(first);
    expect(box).toMatchObject({ requestsPerSecond: null, hitShare: null, p99Ms: null });
    expect(workers[0]).toMatchObject({ requestsPerSecond: null, p50Ms: null, heapBytes: 60 * 1024 * 1024 });
    expect(tiers[0]).toMatchObject({ tier: 'l1', hitShare: null, entries: 250 });
  });

  test('says what happened in between, not since the start', () => {
    const { box, workers, point } = seen(first, later(5, withAnswers(90, 10)));
    expect(box.requestsPerSecond).toBeCloseTo(20);
    expect(box.p50Ms).toBeLessThanOrEqual(1);
    expect(box.p99Ms).toBeGreaterThan(75);
    expect(workers[0]?.requestsPerSecond).toBeCloseTo(20);
    expect(point.hits).toBe(0);
  });

  test('a worker that counts anew has no rate until it has two moments of its own', () => {
    const born = later(5, someCounts({ http: { ...someCounts().http, answered: [] } }), { pid: 2002 });
    const { workers } = seen(first, born);
    expect(workers[0]).toMatchObject({ pid: 2002, requestsPerSecond: null, p99Ms: null });
  });

  test('counts that fell are no rate', () => {
    const { box } = seen(later(0, withAnswers(100, 0)), later(5, someCounts()));
    expect(box.requestsPerSecond).toBeNull();
  });

  test('memory is the sum of the workers; what they share is counted once', () => {
    const tiers = [
      { kind: 'page', tier: 'l1', entries: 10, bytes: 100, maxBytes: 1000, breaker: 'none' },
      { kind: 'page', tier: 'l3', entries: 7, bytes: 70, maxBytes: 700, breaker: 'closed' },
    ];
    const other = tiers.map((tier) => (tier.tier === 'l3' ? { ...tier, breaker: 'open' } : tier));
    const box = hostSnapshot({}, [
      workerSnapshot({ tiers }),
      workerSnapshot({ slot: 1, pid: 1002, tiers: other }),
    ]);
    expect(seen(box).tiers).toMatchObject([
      { tier: 'l1', entries: 20, bytes: 200, maxBytes: 2000, breaker: null },
      { tier: 'l3', entries: 7, bytes: 70, maxBytes: 700, breaker: 'open' },
    ]);
  });

  test('commit to applied is of the last half minute', () => {
    const applied = (fast: number, slow: number) =>
      someCounts({
        coherence: {
          ...someCounts().coherence,
          commitToApplied: {
            count: fast + slow,
            sumMs: 0,
            negative: 0,
            buckets: [
              { upToMs: '+Inf', count: 0 },
              { upToMs: '5', count: fast },
              { upToMs: '50', count: slow },
            ],
          },
        },
      });
    const { coherence } = seen(later(0, applied(1000, 0)), later(5, applied(1000, 10)));
    expect(coherence.appliedP50Ms).toBeGreaterThan(5);
    expect(coherence.appliedP99Ms).toBeLessThanOrEqual(50);
    expect(seen(later(0, applied(10, 0)), later(5, applied(10, 0))).coherence.appliedP99Ms).toBeNull();
  });

  test('the past is a point every five seconds, and bounded', () => {
    const frames = new Frames();
    for (let second = 0; second < 1900; second += 2.5) frames.see(later(second, someCounts()));
    expect(frames.points.length).toBe(360);
    const [a, b] = frames.points;
    expect((b?.atMs ?? 0) - (a?.atMs ?? 0)).toBe(5 * SECOND);
  });
});
