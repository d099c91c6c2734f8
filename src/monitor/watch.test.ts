import { describe, expect, it } from 'vitest';
import { LogLines } from '../../test/support/log-lines.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { hostSnapshot, someCounts, workerSnapshot } from '../../test/support/snapshots.ts';
import type { Notice } from './alerts/alerts.ts';
import type { Limits } from './alerts/thresholds.ts';
import { reportText } from './report/report-text.ts';
import type { HostSnapshot } from './snapshot.ts';
import { Watch } from './watch.ts';

const MiB = 1024 * 1024;
const off = { memoryPercent: 0, cpuPercent: 0, slowRenderPercent: 0, slowQueryPercent: 0, errorPercent: 0 };
const limits: Limits = {
  ...off,
  loopDelayMs: 200,
  restarts: 0,
  rejections: 0,
  degradedMs: 0,
  hitRateDrop: 0,
  slotRetainedMb: 0,
};

function start() {
  const clock = new ManualClock();
  const notices: Notice[] = [];
  const watch = new Watch({
    clock,
    logger: new LogLines(),
    intervalMs: 5000,
    limits,
    times: { holdMs: 30_000, clearMs: 60_000 },
    memoryBytes: 1024 * MiB,
    notify: (notice) => notices.push(notice),
  });
  const during = (seconds: number, everyMs: number, box: (second: number) => HostSnapshot) => {
    for (let passedMs = 0; passedMs < seconds * 1000; passedMs += everyMs, clock.advance(everyMs)) {
      watch.see(box(passedMs / 1000));
    }
  };
  return { clock, watch, notices, during };
}

function late(loopDelayP99Ms: number): HostSnapshot {
  return hostSnapshot({}, [workerSnapshot({ process: { ...workerSnapshot().process, loopDelayP99Ms } })]);
}

/** That of one worker which holds so much more with every second. */
function growing(bytesPerSecond: number) {
  return (second: number) => {
    const { process } = workerSnapshot();
    const heapUsedBytes = process.heapUsedBytes + bytesPerSecond * second;
    return hostSnapshot({}, [workerSnapshot({ process: { ...process, heapUsedBytes } })]);
  };
}

describe('a watch', () => {
  it('raises and resolves what the thresholds say', () => {
    const { during, notices } = start();
    during(60, 5000, () => late(500));
    during(120, 5000, () => late(5));
    expect(notices.map(({ state, alert }) => `${state} ${alert.code}`)).toEqual([
      'raised slow_loop',
      'resolved slow_loop',
    ]);
  });

  it('does no more when somebody looks once a second', () => {
    const { watch, during } = start();
    during(60, 1000, () => late(5));
    expect(watch.history.length).toBe(12);
  });

  it('keeps an hour', () => {
    const { watch, during } = start();
    during(7200, 5000, () => late(5));
    expect(watch.history.length).toBe(720);
    expect(watch.history.spanMs(Number.POSITIVE_INFINITY)).toBe(719 * 5000);
  });
});

describe('the report', () => {
  it('says what there is to say, once', () => {
    const { watch, during, clock } = start();
    during(600, 5000, growing(1024));
    const report = watch.report(hostSnapshot({}, [workerSnapshot()]));
    clock.advance(1);
    expect(report).toMatchObject({
      version: '1.2.3',
      phase: 'running',
      ready: true,
      partial: false,
      renders: { count: 206, slow: 190, slowPercent: 92.2, failed: 3 },
      cache: { requests: 10_020, hits: 9800, hitPercent: 97.8 },
    });
    expect(report.cache.byTier).toContainEqual({ tier: 'l1', requests: 9700, percent: 96.8 });
    expect(report.pages[0]).toMatchObject({ route: '/users/[id]', renders: 190, meanMs: 30, slow: 190 });
    expect(report.statements.map(({ calls, meanMs }) => [calls, meanMs])).toEqual([
      [5, 150],
      [300, 2],
    ]);
    expect(report.memory.heap.bytesPerHour).toBeCloseTo(1024 * 3600, -2);
    expect(report.memory.rss.bytesPerHour).toBe(0);
    expect(report.slowRenders).toMatchObject([{ name: '/users/[id]', durationMs: 30 }]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('is of a host that has just begun, too, and of one without a worker', () => {
    const { watch } = start();
    const empty = { ...hostSnapshot({ counts: someCounts() }), workers: [] };
    const report = watch.report(empty);
    expect(report.memory.rss).toEqual({ nowBytes: null, highestBytes: null, bytesPerHour: null });
    expect(reportText(report)).toContain('Memory    - resident; - heap');
  });

  it('calls nothing a trend that is only a start', () => {
    const { watch, during } = start();
    during(120, 5000, growing(100 * MiB));
    const { memory } = watch.report(hostSnapshot());
    expect(memory.heap.bytesPerHour).toBeNull();
    expect(memory.heap.highestBytes).toBeGreaterThan(1000 * MiB);
  });

  it('can be read on a terminal', () => {
    const { watch, during } = start();
    during(60, 5000, () => late(500));
    const text = reportText(watch.report(hostSnapshot({}, [workerSnapshot()])));
    expect(text).toContain(
      'Requests  10020 of pages, 97.8 % hits (static 0 %, l1 96.8 %, l2 1 %, l3 0 %, rendered 2.2 %)',
    );
    expect(text).toContain('[warning] slow_loop since 2023-11-14T22:13:50.000Z: the event loop');
    expect(text).toMatch(/^ {2}route +requests +hits % +renders +mean +p99 +slow +purged$/m);
    expect(text).toMatch(/^ {2}\/users\/\[id\] +1000 +80 +190 +30 ms /m);
    expect(text).not.toMatch(/NaN|undefined|null|Infinity/);
  });
});
