// Figures of a host as they might be, for tests of what reads them. Every part can be replaced.
import { DURATION_BOUNDS_MS, type HistogramStats } from '../../src/core/histogram.ts';
import { type Counts, sumCounts, zeroCounts } from '../../src/monitor/counts.ts';
import type { HostSnapshot, HostWorker, WorkerSnapshot } from '../../src/monitor/snapshot.ts';

const NOW_MS = 1_700_000_000_000;
const MiB = 1024 * 1024;

/** So many durations of these lengths: `{ 3: 100, 40: 2 }`. */
export function durations(lengths: Readonly<Record<number, number>>): HistogramStats {
  const buckets = [...DURATION_BOUNDS_MS, 0].map(() => 0);
  let count = 0;
  let sumMs = 0;
  for (const [ms, times] of Object.entries(lengths).map(([key, value]) => [Number(key), value] as const)) {
    const found = DURATION_BOUNDS_MS.findIndex((bound) => ms <= bound);
    const at = found === -1 ? DURATION_BOUNDS_MS.length : found;
    buckets[at] = (buckets[at] ?? 0) + times;
    count += times;
    sumMs += ms * times;
  }
  return { count, sumMs, buckets };
}

/** A busy worker: two routes, a fragment, all tiers. */
export function someCounts(parts: Partial<Counts> = {}): Counts {
  const tier = { hits: 0, misses: 0, stale: 0, purged: 0, writes: 0, errors: 0, timeouts: 0 };
  const evicted = { evictions: 0, returned: 0, refused: 0 };
  return {
    ...zeroCounts(),
    process: { cpuUserMs: 8000, cpuSystemMs: 900, gc: [{ kind: 'minor', runs: 40, totalMs: 60 }] },
    http: {
      answered: [
        { route: '/', method: 'GET', status: '200', durations: durations({ 0: 9000, 4: 20 }) },
        { route: '/users/[id]', method: 'GET', status: '200', durations: durations({ 0: 800, 30: 200 }) },
        { route: '/users/[id]', method: 'GET', status: '503', durations: durations({ 1: 3 }) },
      ],
      cache: [
        { route: '/', tier: 'l1', result: 'hit', requests: 9000, collapsed: 0 },
        { route: '/', tier: 'none', result: 'miss', requests: 20, collapsed: 4 },
        { route: '/users/[id]', tier: 'l1', result: 'hit', requests: 700, collapsed: 0 },
        { route: '/users/[id]', tier: 'l2', result: 'hit', requests: 100, collapsed: 0 },
        { route: '/users/[id]', tier: 'none', result: 'miss', requests: 200, collapsed: 10 },
      ],
      slowReaders: 0,
      connectionsRefused: 0,
      fastPath: 9700,
    },
    pages: [
      {
        route: '/',
        failures: 0,
        slow: 0,
        durations: durations({ 4: 16 }),
        htmlBytes: 16 * 8000,
        sentBytes: 9020 * 2500,
      },
      {
        route: '/users/[id]',
        failures: 3,
        slow: 190,
        durations: durations({ 30: 190 }),
        htmlBytes: 190 * 4000,
        sentBytes: 1000 * 1500,
      },
    ],
    fragments: [
      {
        fragment: 'user-card',
        hits: 400,
        stale: 2,
        misses: 50,
        failures: 0,
        durations: durations({ 2: 50 }),
        htmlBytes: 50 * 600,
      },
    ],
    components: [{ component: 'Badge', calls: 120, totalMs: 2 }],
    tiers: [
      { kind: 'page', tier: 'l1', ...tier, ...evicted, hits: 9700, misses: 320, writes: 320 },
      { kind: 'page', tier: 'l2', ...tier, ...evicted, hits: 100, misses: 220, writes: 220 },
    ],
    data: {
      statements: durations({ 2: 300, 150: 5 }),
      connects: durations({ 0: 305 }),
      failures: 0,
      slow: 5,
      top: [
        {
          text: 'SELECT * FROM users WHERE id = $1',
          calls: 300,
          failures: 0,
          slow: 0,
          rows: 300,
          totalMs: 600,
        },
        {
          text: 'SELECT * FROM posts WHERE title LIKE $1',
          calls: 5,
          failures: 0,
          slow: 5,
          rows: 20,
          totalMs: 750,
        },
      ],
    },
    coherence: { ...zeroCounts().coherence, purgesApplied: 12, keys: 20 },
    ...parts,
  };
}

export function workerSnapshot(parts: Partial<WorkerSnapshot> = {}): WorkerSnapshot {
  return {
    pid: 1001,
    slot: 0,
    startedAtMs: NOW_MS - 3_600_000,
    takenAtMs: NOW_MS,
    counts: someCounts(),
    process: {
      rssBytes: 180 * MiB,
      heapUsedBytes: 60 * MiB,
      heapTotalBytes: 90 * MiB,
      heapLimitBytes: 512 * MiB,
      externalBytes: 20 * MiB,
      loopDelayP50Ms: 0.3,
      loopDelayP99Ms: 4,
      loopDelayMaxMs: 9,
      loopUtilization: 0.2,
      loopWindowMs: 5000,
      cpuShare: 0.22,
    },
    http: { connections: 40, inFlight: 2, fastPathTargets: 200 },
    tiers: [
      {
        kind: 'page',
        tier: 'l1',
        entries: 250,
        bytes: 3 * MiB,
        maxBytes: 30 * MiB,
        breaker: 'none',
      },
      { kind: 'page', tier: 'l2', entries: null, bytes: null, maxBytes: null, breaker: 'closed' },
    ],
    held: [],
    overload: { overloadLevel: 'none', running: 1, maxRunning: 40, waiting: 0, waitMs: 0 },
    renders: { inFlight: 1, waitedFor: 1, queued: 0 },
    pool: { max: 20, total: 4, idle: 3, waiting: 0 },
    coherence: {
      trusted: true,
      epoch: 'e1',
      seq: 12,
      indexedEntries: 250,
      indexedEdges: 600,
      commitToAppliedMaxMs: 40,
    },
    recent: {
      slowRenders: [
        {
          kind: 'page',
          name: '/users/[id]',
          atMs: NOW_MS - 1000,
          durationMs: 30,
          reason: 'miss',
          loadMs: 25,
          htmlBytes: 4000,
          dependencies: 5,
          failed: false,
        },
      ],
      slowQueries: [
        { text: 'SELECT * FROM posts WHERE title LIKE $1', durationMs: 150, atMs: NOW_MS - 2000 },
      ],
    },
    ...parts,
  };
}

/** A host of these workers, all of which have answered. */
export function hostSnapshot(
  parts: Partial<HostSnapshot> = {},
  snapshots: readonly WorkerSnapshot[] = [workerSnapshot(), workerSnapshot({ slot: 1, pid: 1002 })],
): HostSnapshot {
  const workers = snapshots.map(
    (snapshot): HostWorker => ({
      slot: snapshot.slot,
      state: 'serving',
      pid: snapshot.pid,
      servingMs: 3_600_000,
      deaths: 0,
      bootFailures: 0,
      answered: true,
      snapshot,
    }),
  );
  return {
    takenAtMs: NOW_MS,
    tookMs: 3,
    partial: false,
    missing: [],
    primary: {
      pid: 1000,
      phase: 'running',
      ready: true,
      version: '1.2.3',
      node: '22.0.0',
      startedAtMs: NOW_MS - 3_600_000,
      rssBytes: 70 * MiB,
      heapUsedBytes: 20 * MiB,
      cpuUserMs: 500,
      cpuSystemMs: 100,
    },
    workers,
    counts: sumCounts(snapshots.map((each) => each.counts)),
    feed: {
      state: 'leading',
      pid: 1010,
      deaths: 0,
      stats: { transactions: 40, commitToPublishedP99Ms: 12 },
    },
    services: undefined,
    ...parts,
  };
}
