// What the dashboard and `coherent-server top` show: the figures of one moment, with rates since the moment before.
// Types only: the dashboard's script, which imports nothing of the server, reads them too. null: nothing is known yet,
// which is not the same as 0.

export interface Frame {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly version: string;
  /** Of the primary: starting, running, reloading, stopping. */
  readonly phase: string;
  readonly ready: boolean;
  readonly uptimeMs: number;
  readonly box: HostStats;
  readonly workers: readonly WorkerStats[];
  readonly tiers: readonly TierStats[];
  readonly coherence: CoherenceMeter;
  readonly pages: readonly PageStats[];
  readonly alerts: readonly AlertLine[];
  readonly advice: readonly AdviceLine[];
  readonly tail: readonly TailLine[];
  /** Requests since the frame before that the tail had no room for. */
  readonly tailSkipped: number;
  /** What of this is drawn. */
  readonly point: ChartPoint;
}

/** What a newcomer is told first. */
export interface Greeting {
  /** Oldest first. */
  readonly points: readonly ChartPoint[];
  /** Whether there is a session that can be ended. */
  readonly hasSession: boolean;
}

export interface ChartPoint {
  readonly atMs: number;
  /** Per second. */
  readonly hits: number | null;
  readonly renders: number | null;
  readonly errors: number | null;
  readonly purges: number | null;
  readonly appliedP99Ms: number | null;
  /** By tier: of what it was asked, 0 to 1. */
  readonly shares: Readonly<Record<string, number | null>>;
  /** By tier: held now. */
  readonly bytes: Readonly<Record<string, number | null>>;
}

export interface HostStats {
  readonly requestsPerSecond: number | null;
  /** Answered from a cache, of all that asked for a page: 0 to 1. */
  readonly hitShare: number | null;
  readonly hitsPerSecond: number | null;
  readonly rendersPerSecond: number | null;
  /** Answers of 500 and above. */
  readonly errorsPerSecond: number | null;
  /** Refused because there was too much to do. */
  readonly shedPerSecond: number | null;
  /** What is done against too much to do, of the worker that does the most: none, stale, shed. */
  readonly overloadLevel: string | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly inFlight: number | null;
  readonly connections: number | null;
}

export interface WorkerStats {
  readonly slot: number;
  readonly pid: number | null;
  /** starting, serving, draining, dead. */
  readonly state: string;
  readonly servingMs: number;
  /** Unplanned deaths. */
  readonly restarts: number;
  /** Whether it answered in time; otherwise its figures are those of before. */
  readonly answers: boolean;
  readonly requestsPerSecond: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly loopP99Ms: number | null;
  /** Of the event loop, 0 to 1. */
  readonly utilization: number | null;
  readonly heapBytes: number | null;
  readonly heapLimitBytes: number | null;
  readonly rssBytes: number | null;
  readonly inFlight: number | null;
}

export interface TierStats {
  /** l1, l2, l3, static. */
  readonly tier: string;
  readonly entries: number | null;
  readonly bytes: number | null;
  readonly maxBytes: number | null;
  /** Of what it was asked since the frame before: 0 to 1. */
  readonly hitShare: number | null;
  readonly hitsPerSecond: number | null;
  readonly missesPerSecond: number | null;
  readonly evictionsPerSecond: number | null;
  /** closed, open, half-open; null where the tier has none. */
  readonly breaker: string | null;
}

export interface CoherenceMeter {
  /** How many of the workers that answered hear of every purge; the others serve as a micro-cache. */
  readonly trusting: number | null;
  readonly purgesPerSecond: number | null;
  /** From a commit to its purge applied, of the last half minute. */
  readonly appliedP50Ms: number | null;
  readonly appliedP99Ms: number | null;
  /** leading, standby, unavailable, off ... */
  readonly feed: string;
}

/** Since the workers started, by route template. */
export interface PageStats {
  readonly route: string;
  readonly requests: number;
  readonly requestsPerSecond: number | null;
  readonly hitShare: number | null;
  readonly renders: number;
  readonly renderMeanMs: number | null;
  readonly renderP99Ms: number | null;
  /** Entries that purges took, of all workers. */
  readonly purged: number;
  /** What took most of them: a table, its rows, a column. */
  readonly purgedBy: string | null;
}

export interface AlertLine {
  readonly severity: string;
  readonly title: string;
  readonly text: string;
  readonly sinceMs: number | null;
}

export interface AdviceLine {
  readonly priority: string;
  /** A route, a component, a statement, or a setting. */
  readonly about: string;
  readonly title: string;
  readonly evidence: string;
  readonly effect: string;
}

export interface TailLine {
  readonly atMs: number;
  readonly slot: number;
  readonly method: string;
  /** As it was asked for, cut to a bounded length: whatever a stranger typed. */
  readonly target: string;
  readonly status: number;
  /** hit l1, stale l2, miss, file, refused. */
  readonly cache: string;
  readonly ms: number | null;
}
