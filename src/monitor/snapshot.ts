// What a worker says of itself (`WorkerSnapshot`, checked by the primary) and what is known of the whole host
// (`HostSnapshot`). From these come /metrics, the report, alerts, the dashboard and `coherent-server top`.
import { z } from 'zod';
import { type Counts, counts } from './counts.ts';

const level = z.number().nonnegative();
/** Unix time, ms. */
const moment = z.number().nonnegative();
const name = z.string().max(300);

const processLevels = z.object({
  /** Null where the process could not find it out: no descriptor was left. */
  rssBytes: level.nullable(),
  heapUsedBytes: level,
  heapTotalBytes: level,
  /** What V8 will let the heap grow to. */
  heapLimitBytes: level,
  /** Outside the heap, Buffers included. */
  externalBytes: level,
  /** Of the last whole window (loopWindowMs): how late timers were, and the share of time that the loop was busy, 0 to 1. */
  loopDelayP50Ms: level,
  loopDelayP99Ms: level,
  loopDelayMaxMs: level,
  loopUtilization: level.max(1),
  loopWindowMs: level,
  /** CPU time per elapsed time in that window: 1 is one CPU. */
  cpuShare: level,
});

const httpLevels = z.object({
  connections: level,
  /** Connections with an answer under way, those of the fast path aside. */
  inFlight: level,
  /** Request targets that the fast path knows. */
  fastPathTargets: level,
});

const tierLevels = z.object({
  kind: z.string().max(10),
  tier: z.string().max(10),
  /** Null where a tier does not say (entries in Redis). */
  entries: level.nullable(),
  bytes: level.nullable(),
  maxBytes: level.nullable(),
  /** closed, half-open, open; `none` where there is no breaker. */
  breaker: z.string().max(20),
});

/** Pages of one route in L1. */
const heldLevels = z.object({ route: name, entries: level, bytes: level });

const poolLevels = z.object({ max: level, total: level, idle: level, waiting: level });

const overloadLevels = z.object({
  overloadLevel: z.string().max(10),
  running: level,
  maxRunning: level,
  waiting: level,
  /** The estimated wait of a request that came now. */
  waitMs: level,
});

const coherenceLevels = z.object({
  /** Purges are heard: entries are served by their TTL. False: degraded, as a micro-cache. */
  trusted: z.boolean(),
  epoch: z.string().max(100),
  /** Of the last purge applied. */
  seq: level,
  /** In the index of what was made from what. */
  indexedEntries: level,
  indexedEdges: level,
  commitToAppliedMaxMs: level,
});

/** A render that took longer than SLOW_RENDER_MS. */
const slowRender = z.object({
  /** page or fragment. */
  kind: z.string().max(10),
  /** Route template or fragment name. */
  name,
  atMs: moment,
  durationMs: level,
  /** Why it was rendered: miss, refresh, warm, inside (a fragment in a page). */
  reason: z.string().max(20),
  /** Of the page: until `load` had answered. The rest is view, serialising and compressing. */
  loadMs: level.nullable(),
  htmlBytes: level,
  dependencies: level,
  failed: z.boolean(),
});

const slowQuery = z.object({ text: z.string().max(500), durationMs: level, atMs: moment });

export const workerSnapshot = z.object({
  pid: z.number().int().positive(),
  slot: z.number().int().nonnegative(),
  startedAtMs: moment,
  takenAtMs: moment,
  counts,
  process: processLevels,
  http: httpLevels,
  tiers: z.array(tierLevels).max(20),
  held: z.array(heldLevels).max(2000).default([]),
  /** Renders now: in flight, of these those that people wait for, and queued in the background. */
  renders: z.object({ inFlight: level, waitedFor: level, queued: level }),
  /** cache/render-slots.ts: what is done against too much to do (none, stale, shed), slots, and the line behind them. */
  overload: overloadLevels,
  pool: poolLevels,
  coherence: coherenceLevels,
  /** Newest first. */
  recent: z.object({
    slowRenders: z.array(slowRender).max(100),
    slowQueries: z.array(slowQuery).max(100),
  }),
});

export type WorkerSnapshot = z.output<typeof workerSnapshot>;
export type SlowRender = z.output<typeof slowRender>;

/** Undefined for anything that is none. */
export function readWorkerSnapshot(body: unknown): WorkerSnapshot | undefined {
  return workerSnapshot.safeParse(body).data;
}

/** One place of the host, and what is known of the worker in it. */
export interface HostWorker {
  readonly slot: number;
  /** starting, serving, draining ... of cluster/worker-process.ts; `dead`: the place is empty. */
  readonly state: string;
  readonly pid: number | undefined;
  readonly servingMs: number;
  /** Unplanned deaths, since the start of the host. */
  readonly deaths: number;
  readonly bootFailures: number;
  /** It answered this time. False: `snapshot` is an older one, or there is none. */
  readonly answered: boolean;
  readonly snapshot: WorkerSnapshot | undefined;
}

export interface HostFeed {
  /** connecting, unavailable, standby, leading, closed, down. */
  readonly state: string;
  readonly pid: number | undefined;
  readonly deaths: number;
  /** data/feed/figures.ts, by name. */
  readonly stats: Readonly<Record<string, number>>;
}

export interface HostServices {
  /** running or down. */
  readonly state: string;
  readonly pid: number | undefined;
}

/** The primary itself. */
export interface HostPrimary {
  readonly pid: number;
  readonly phase: string;
  readonly ready: boolean;
  readonly version: string;
  readonly node: string;
  readonly startedAtMs: number;
  readonly rssBytes: number | null;
  readonly heapUsedBytes: number;
  readonly cpuUserMs: number;
  readonly cpuSystemMs: number;
}

export interface HostSnapshot {
  readonly takenAtMs: number;
  /** How long it took to ask. */
  readonly tookMs: number;
  /** A worker that serves has not answered in time: its counts are those of its last answer, its levels are old. */
  readonly partial: boolean;
  /** Their slots. */
  readonly missing: readonly number[];
  readonly primary: HostPrimary;
  readonly workers: readonly HostWorker[];
  /** Of all workers since the start of the host, those that are gone included. Never smaller than before. */
  readonly counts: Counts;
  /** Undefined where there is none. */
  readonly feed: HostFeed | undefined;
  /** Services that run beside the server because none were configured. */
  readonly services: HostServices | undefined;
}
