import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { durations, hostSnapshot, someCounts, workerSnapshot } from '../../../test/support/snapshots.ts';
import { type Counts, sumCounts } from '../counts.ts';
import { History } from '../history.ts';
import { columns, rowOf } from '../host-row.ts';
import type { HostSnapshot, WorkerSnapshot } from '../snapshot.ts';
import type { Reading } from './alerts.ts';
import { type AlertCode, alertCodes, type Limits, readings } from './thresholds.ts';

const limits: Limits = {
  memoryPercent: 90,
  cpuPercent: 90,
  loopDelayMs: 200,
  slowRenderPercent: 50,
  slowQueryPercent: 10,
  errorPercent: 5,
  restarts: 3,
  rejections: 1,
  degradedMs: 10_000,
  hitRateDrop: 30,
  slotRetainedMb: 1024,
};
const GiB = 1024 ** 3;

/** The readings after these snapshots, five seconds apart. */
function judged(boxes: readonly HostSnapshot[], changed: Partial<Limits> = {}): ReadonlyMap<string, Reading> {
  const history = new History(columns, 720);
  for (const [index, box] of boxes.entries()) history.add(index * 5000, rowOf(box));
  const box = boxes.at(-1) ?? hostSnapshot();
  const view = { box, history, limits: { ...limits, ...changed }, memoryBytes: 4 * GiB, intervalMs: 5000 };
  return new Map(readings(view).map((reading) => [reading.code, reading]));
}

function workerWith(parts: Partial<WorkerSnapshot['process']>): WorkerSnapshot {
  return workerSnapshot({ process: { ...workerSnapshot().process, ...parts } });
}

/** A host whose counts are those of a busy one, and these on top. */
function hostWith(counts: Partial<Counts>): HostSnapshot {
  return hostSnapshot({ counts: someCounts(counts) });
}

const answered = (ok: number, failed: number) => [
  { route: '/', method: 'GET', status: '200', durations: durations({ 1: ok }) },
  { route: '/', method: 'GET', status: '503', durations: durations({ 1: failed }) },
];
const cached = (hits: number, misses: number) => [
  { route: '/', tier: 'l1', result: 'hit', requests: hits, collapsed: 0 },
  { route: '/', tier: 'none', result: 'miss', requests: misses, collapsed: 0 },
];
const rendered = (count: number, slow: number) => [
  { route: '/', failures: 0, slow, durations: durations({ 5: count }), htmlBytes: 0, sentBytes: 0 },
];
const dead = (deaths: number) => {
  const box = hostSnapshot();
  return {
    ...box,
    workers: box.workers.map((worker, slot) => (slot === 0 ? { ...worker, deaths } : worker)),
  };
};
const httpWith = (parts: Partial<Counts['http']>) => ({ http: { ...someCounts().http, ...parts } });
const dataWith = (count: number, slow: number): Partial<Counts> => ({
  data: { ...someCounts().data, statements: durations({ 1: count }), slow },
});

const rejecting = (rejected: number) => hostWith({ rejections: [{ where: '/', rejected }] });

it('a sound host is well in everything', () => {
  const sound = [...judged([hostSnapshot(), hostSnapshot()]).values()];
  expect(sound.filter(({ level }) => level !== 'well')).toEqual([]);
  expect(sound.map(({ code }) => code)).toEqual(alertCodes);
});

const over: readonly [AlertCode, readonly HostSnapshot[], Readonly<Record<string, number | string>>][] = [
  ['no_worker', [hostSnapshot({ primary: { ...hostSnapshot().primary, ready: false } })], { workers: 2 }],
  ['worker_silent', [hostSnapshot({ missing: [1], partial: true })], { slots: '1' }],
  ['restarts', [dead(0), dead(3)], { deaths: 3, limit: 3 }],
  ['unheard_rejections', [rejecting(4), rejecting(5)], { rejections: 1, limit: 1 }],
  [
    'high_memory',
    [hostSnapshot({}, [workerSnapshot(), workerWith({ heapUsedBytes: 500, heapLimitBytes: 512 })])],
    { heapPercent: 97.7, limit: 90 },
  ],
  ['high_memory', [hostSnapshot({}, [workerWith({ rssBytes: 3.9 * GiB })])], { limit: 90 }],
  ['high_cpu', [hostSnapshot({}, [workerWith({ cpuShare: 0.98 })])], { cpuPercent: 98 }],
  [
    'slow_loop',
    [hostSnapshot({}, [workerWith({ loopDelayP99Ms: 450.4 })])],
    { loopDelayP99Ms: 450, slot: 0 },
  ],
  [
    'slow_renders',
    [hostWith({ pages: rendered(0, 0) }), hostWith({ pages: rendered(100, 60) })],
    { slowRenders: 60, renders: 100 },
  ],
  ['slow_queries', [hostWith(dataWith(0, 0)), hostWith(dataWith(100, 11))], { slowStatements: 11 }],
  [
    'errors',
    [hostWith(httpWith({ answered: answered(0, 0) })), hostWith(httpWith({ answered: answered(90, 10) }))],
    { errors: 10, requests: 100 },
  ],
  [
    'degraded',
    [
      hostSnapshot({}, [
        workerSnapshot({ slot: 3, coherence: { ...workerSnapshot().coherence, trusted: false } }),
      ]),
    ],
    { slots: '3' },
  ],
  [
    'feed_down',
    [hostSnapshot({ feed: { state: 'down', pid: undefined, deaths: 0, stats: {} } })],
    { state: 'down' },
  ],
  [
    'slot_retained',
    [
      hostSnapshot({
        feed: { state: 'leading', pid: 1, deaths: 0, stats: { slotRetainedBytes: 2048 * 1_048_576 } },
      }),
    ],
    { retainedMb: 2048 },
  ],
  [
    'hit_rate_fell',
    [
      hostWith(httpWith({ cache: cached(0, 0) })),
      hostWith(httpWith({ cache: cached(900, 100) })),
      // Five minutes in between: nobody came.
      ...Array.from({ length: 61 }, () => hostWith(httpWith({ cache: cached(900, 100) }))),
      hostWith(httpWith({ cache: cached(1100, 900) })),
    ],
    { hitPercent: 20, beforePercent: 90 },
  ],
];

describe('a threshold is passed', () => {
  it.each(over)('%s', (code, boxes, figures) => {
    const reading = judged(boxes).get(code);
    expect(reading).toMatchObject({ level: 'over', figures });
    expect(reading?.says).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('by every alert there is', () => {
    expect(new Set(over.map(([code]) => code))).toEqual(new Set(alertCodes));
  });
});

describe('a threshold is not passed', () => {
  it.each([
    [
      'no_worker',
      [hostSnapshot({ primary: { ...hostSnapshot().primary, ready: false, phase: 'stopping' } })],
    ],
    ['restarts', [dead(5), dead(7)]],
    ['unheard_rejections', [rejecting(5), rejecting(5)]],
    ['slow_renders', [hostWith({ pages: rendered(0, 0) }), hostWith({ pages: rendered(19, 19) })]],
    [
      'errors',
      [hostWith(httpWith({ answered: answered(0, 0) })), hostWith(httpWith({ answered: answered(10, 9) }))],
    ],
    ['feed_down', [hostSnapshot({ feed: undefined })]],
    ['feed_down', [hostSnapshot({ feed: { state: 'standby', pid: 1, deaths: 0, stats: {} } })]],
    [
      'hit_rate_fell',
      [hostWith(httpWith({ cache: cached(0, 0) })), hostWith(httpWith({ cache: cached(0, 5000) }))],
    ],
  ] as const)('%s', (code, boxes) => {
    expect(judged(boxes).get(code)?.level).toBe('well');
  });

  it('between nine tenths of the limit and the limit, where nothing changes', () => {
    expect(judged([hostSnapshot({}, [workerWith({ loopDelayP99Ms: 195 })])]).get('slow_loop')?.level).toBe(
      'between',
    );
    expect(judged([hostSnapshot({}, [workerWith({ loopDelayP99Ms: 180 })])]).get('slow_loop')?.level).toBe(
      'well',
    );
  });

  it('and may not be called well either while a worker keeps silent', () => {
    const one = hostSnapshot({ missing: [1], partial: true }, [workerWith({ loopDelayP99Ms: 3 })]);
    const readingsOf = judged([one]);
    for (const code of ['slow_loop', 'high_cpu', 'high_memory'])
      expect(readingsOf.get(code)?.level, code).toBe('between');
    const blocked = hostSnapshot({ missing: [0], partial: true });
    const unheard = {
      ...blocked,
      workers: blocked.workers.map((worker) => ({ ...worker, answered: false })),
    };
    expect(judged([unheard]).get('slow_loop')?.level).toBe('between');
  });

  it('whose limit is 0', () => {
    const off = {
      memoryPercent: 0,
      cpuPercent: 0,
      loopDelayMs: 0,
      slowRenderPercent: 0,
      slowQueryPercent: 0,
    };
    const all = {
      ...off,
      errorPercent: 0,
      restarts: 0,
      rejections: 0,
      degradedMs: 0,
      hitRateDrop: 0,
      slotRetainedMb: 0,
    };
    const always = new Set(['no_worker', 'worker_silent']);
    for (const [code, boxes] of over.filter(([code]) => !always.has(code))) {
      expect(judged(boxes, all).get(code)?.level, code).toBe('well');
    }
  });

  it('by a host of which nothing is known yet', () => {
    const counts = sumCounts([]);
    const boot = { ...hostSnapshot({ counts, feed: undefined }), workers: [] };
    for (const { code, level } of judged([boot]).values()) expect(level, code).toBe('well');
  });
});

it('every alert has its section in docs/runbook.md, and no other has', () => {
  const runbook = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');
  const alerts = runbook.split(/^## /m).find((part) => part.startsWith('Alerts\n')) ?? '';
  const sections = [...alerts.matchAll(/^### `([a-z_]+)`$/gm)].map((match) => match[1]);
  expect(sections.sort()).toEqual([...alertCodes].sort());
});
