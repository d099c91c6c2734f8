// What is kept of a snapshot so that the next ones can be compared with it: sums, and no lists that grow with traffic.
import type { HistogramStats } from '../../core/histogram.ts';
import type { Counts } from '../../monitor/counts.ts';
import type { HostSnapshot } from '../../monitor/snapshot.ts';

/** Everything in it only grows. */
export interface Sums {
  readonly requests: number;
  /** Requests that asked for a page, and those of them that a tier answered. */
  readonly asked: number;
  readonly hits: number;
  readonly errors: number;
  readonly unavailable: number;
  readonly renders: number;
  readonly durations: HistogramStats;
}

export interface TierSums {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
}

export interface Sample {
  readonly atMs: number;
  readonly box: Sums;
  /** By process: what replaces a worker counts from 0. */
  readonly workers: ReadonlyMap<number, Sums>;
  readonly tiers: ReadonlyMap<string, TierSums>;
  readonly routes: ReadonlyMap<string, number>;
  readonly purgesApplied: number;
  readonly applied: BoundedCounts;
  readonly shed: number;
}

/** Counts with upper bounds of their own, ascending; the last bound is infinite. */
export interface BoundedCounts {
  readonly boundsMs: readonly number[];
  readonly counts: readonly number[];
}

export function sampleOf(snapshot: HostSnapshot): Sample {
  const workers = new Map<number, Sums>();
  for (const { snapshot: worker } of snapshot.workers) {
    if (worker !== undefined) workers.set(worker.pid, sumsOf(worker.counts));
  }
  return {
    atMs: snapshot.takenAtMs,
    box: sumsOf(snapshot.counts),
    workers,
    tiers: tierSums(snapshot.counts),
    routes: requestsByRoute(snapshot.counts),
    // Every worker applies every purge: what the one that applied most has applied is how many there were.
    purgesApplied: Math.max(
      0,
      ...snapshot.workers.map(({ snapshot: worker }) => worker?.counts.coherence.purgesApplied ?? 0),
    ),
    applied: appliedCounts(snapshot.counts),
    shed: snapshot.counts.overload.refused.reduce((sum, { requests }) => sum + requests, 0),
  };
}

function sumsOf({ http, pages }: Counts): Sums {
  let requests = 0;
  let errors = 0;
  let unavailable = 0;
  for (const { status, durations } of http.answered) {
    requests += durations.count;
    if (status.startsWith('5')) errors += durations.count;
    if (status === '503') unavailable += durations.count;
  }
  let asked = 0;
  let hits = 0;
  for (const use of http.cache) {
    asked += use.requests;
    if (use.result === 'hit' || use.result === 'stale') hits += use.requests;
  }
  const renders = pages.reduce((sum, { durations }) => sum + durations.count, 0);
  const durations = addedHistograms(http.answered.map((each) => each.durations));
  return { requests, asked, hits, errors, unavailable, renders, durations };
}

function appliedCounts({ coherence }: Counts): BoundedCounts {
  const bounded = coherence.commitToApplied.buckets
    .map(({ upToMs, count }) => ({
      boundMs: upToMs === '+Inf' ? Number.POSITIVE_INFINITY : Number(upToMs),
      count,
    }))
    .sort((a, b) => a.boundMs - b.boundMs);
  return { boundsMs: bounded.map(({ boundMs }) => boundMs), counts: bounded.map(({ count }) => count) };
}

/** Pages and fragments together. */
function tierSums({ tiers }: Counts): Map<string, TierSums> {
  const sums = new Map<string, TierSums>();
  for (const { tier, hits, stale, misses, purged, evictions } of tiers) {
    const before = sums.get(tier) ?? { hits: 0, misses: 0, evictions: 0 };
    sums.set(tier, {
      hits: before.hits + hits + stale,
      misses: before.misses + misses + purged,
      evictions: before.evictions + evictions,
    });
  }
  return sums;
}

export function requestsByRoute({ http }: Counts): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { route, durations } of http.answered) sums.set(route, (sums.get(route) ?? 0) + durations.count);
  return sums;
}

function addedHistograms(all: readonly HistogramStats[]): HistogramStats {
  const buckets: number[] = [];
  let count = 0;
  let sumMs = 0;
  for (const each of all) {
    count += each.count;
    sumMs += each.sumMs;
    for (const [at, value] of each.buckets.entries()) buckets[at] = (buckets[at] ?? 0) + value;
  }
  return { count, sumMs, buckets };
}

/** What was counted between two moments. Undefined where the later one has less: it counts anew. */
export function histogramBetween(
  before: HistogramStats | undefined,
  after: HistogramStats,
): HistogramStats | undefined {
  if (before === undefined) return undefined;
  const count = after.count - before.count;
  if (count < 0) return undefined;
  return {
    count,
    sumMs: Math.max(0, after.sumMs - before.sumMs),
    buckets: after.buckets.map((value, at) => Math.max(0, value - (before.buckets[at] ?? 0))),
  };
}
