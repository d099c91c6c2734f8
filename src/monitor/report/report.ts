// What there is to say of a host, of the last hour. Made of facts alone; recommendations come from the same facts and
// know nothing of the report.
import { type HistogramStats, quantileMs } from '../../core/histogram.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Alert } from '../alerts/alerts.ts';
import type { Counts } from '../counts.ts';
import type { History } from '../history.ts';
import { type Column, sum } from '../host-row.ts';
import { recommendations } from '../recommend/recommend.ts';
import { type Facts, percent, type Recommendation, routes, worst } from '../recommend/rule.ts';
import type { HostSnapshot, SlowRender } from '../snapshot.ts';
import { slope } from '../trend.ts';

const HOUR_MS: Milliseconds = 3_600_000;
const TREND_AFTER_MS: Milliseconds = 300_000;
const TOP = 10;
const STATEMENTS = 20;

export interface Standing {
  readonly standing: readonly Alert[];
  readonly resolved: readonly Alert[];
}

export interface MemoryTrend {
  readonly nowBytes: number | null;
  readonly highestBytes: number | null;
  /** null: not enough was seen yet. */
  readonly bytesPerHour: number | null;
}

export type Report = ReturnType<typeof reportOf>;

export function reportOf(facts: Facts, alerts: Standing) {
  const { box, counts, history, spanMs } = facts;
  return {
    takenAt: new Date(box.takenAtMs).toISOString(),
    version: box.primary.version,
    node: box.primary.node,
    phase: box.primary.phase,
    ready: box.primary.ready,
    uptimeMs: Math.max(0, box.takenAtMs - box.primary.startedAtMs),
    /** Counts below are of so long. */
    windowMs: Math.round(spanMs),
    /** A worker did not answer: its counts are older. */
    partial: box.partial,
    renders: rendersOf(counts, spanMs),
    cache: cacheOf(counts),
    tiers: tiersOf(box, counts),
    memory: { rss: trendOf(history, 'rssBytes'), heap: trendOf(history, 'heapBytes') },
    pages: pagesOf(counts),
    fragments: fragmentsOf(counts),
    components: componentsOf(counts),
    statements: statementsOf(counts),
    slowRenders: slowRendersOf(box),
    alerts: { standing: alerts.standing, resolved: alerts.resolved.slice(0, TOP) },
    recommendations: recommendations(facts) satisfies readonly Recommendation[],
  };
}

function rendersOf({ pages }: Counts, spanMs: Milliseconds) {
  const all = pages.map(({ durations }) => durations);
  const count = sum(all.map((each) => each.count));
  const sumMs = sum(all.map((each) => each.sumMs));
  const buckets = all.reduce<number[]>(
    (total, each) => each.buckets.map((here, at) => here + (total[at] ?? 0)),
    [],
  );
  const slow = sum(pages.map((page) => page.slow));
  return {
    count,
    perSecond: round((count * 1000) / Math.max(1, spanMs)),
    meanMs: mean({ count, sumMs, buckets }),
    p99Ms: quantileMs({ count, sumMs, buckets }, 0.99) ?? null,
    slow,
    slowPercent: percent(slow, count),
    failed: sum(pages.map((page) => page.failures)),
  };
}

function cacheOf({ http }: Counts) {
  const used = http.cache.filter(({ result }) => result !== 'error');
  const of = (some: typeof used) => sum(some.map(({ requests }) => requests));
  const requests = of(used);
  const hits = of(used.filter(({ result }) => result !== 'miss'));
  const stale = of(used.filter(({ result }) => result === 'stale'));
  return {
    requests,
    hits,
    hitPercent: percent(hits, requests),
    stale,
    collapsed: sum(used.map(({ collapsed }) => collapsed)),
    /** Of all page requests, those that this tier answered. */
    byTier: ['static', 'l1', 'l2', 'l3', 'none'].map((tier) => {
      const answered = of(used.filter((each) => each.tier === tier));
      return { tier, requests: answered, percent: percent(answered, requests) };
    }),
  };
}

function tiersOf({ workers }: HostSnapshot, { tiers }: Counts) {
  const levels = workers.flatMap(({ snapshot }) => snapshot?.tiers ?? []);
  return tiers.map(({ kind, tier, hits, misses, stale, purged, evictions, returned, errors }) => {
    const of = levels.filter((level) => level.kind === kind && level.tier === tier);
    // Workers share Redis and the disk: there the largest figure is that of all.
    const all = (values: readonly (number | null)[]) => {
      const known = values.filter((value) => value !== null);
      if (known.length === 0) return null;
      return tier === 'l2' || tier === 'l3' ? Math.max(...known) : sum(known);
    };
    return {
      kind,
      tier,
      asked: hits + stale + misses,
      hitPercent: percent(hits + stale, hits + stale + misses),
      purged,
      evictions,
      returned,
      errors,
      entries: all(of.map(({ entries }) => entries)),
      bytes: all(of.map(({ bytes }) => bytes)),
      maxBytes: all(of.map(({ maxBytes }) => maxBytes)),
    };
  });
}

function trendOf(history: History<Column>, column: 'rssBytes' | 'heapBytes'): MemoryTrend {
  const points = history.points(column, HOUR_MS);
  // What a host takes while it warms up is no trend.
  const perMs = history.spanMs(HOUR_MS) < TREND_AFTER_MS ? undefined : slope(points);
  return {
    nowBytes: points.at(-1)?.value ?? null,
    highestBytes: points.length === 0 ? null : Math.max(...points.map(({ value }) => value)),
    bytesPerHour: perMs === undefined ? null : Math.round(perMs * HOUR_MS),
  };
}

function pagesOf(counts: Counts) {
  return worst(routes(counts), (use) => use.renderMs, TOP).map((use) => {
    const life = counts.lifetimes.find(({ route }) => route === use.route);
    const page = counts.pages.find(({ route }) => route === use.route);
    return {
      route: use.route,
      requests: use.requests,
      hitPercent: percent(use.hits, use.requests),
      renders: use.renders,
      meanMs: round(use.meanRenderMs),
      p99Ms: (page && quantileMs(page.durations, 0.99)) ?? null,
      totalMs: Math.round(use.renderMs),
      slow: page?.slow ?? 0,
      failed: page?.failures ?? 0,
      purged: life?.purged ?? 0,
      ranOut: life?.ranOut ?? 0,
    };
  });
}

function fragmentsOf({ fragments }: Counts) {
  return worst(fragments, ({ durations }) => durations.sumMs, TOP).map(
    ({ fragment, hits, stale, misses, failures, durations }) => ({
      fragment,
      found: hits + stale,
      renders: misses,
      hitPercent: percent(hits + stale, hits + stale + misses),
      meanMs: mean(durations),
      totalMs: Math.round(durations.sumMs),
      failed: failures,
    }),
  );
}

function componentsOf({ components }: Counts) {
  const all = sum(components.map(({ totalMs }) => totalMs));
  return worst(components, ({ totalMs }) => totalMs, TOP).map(({ component, calls, totalMs }) => ({
    component,
    sampledCalls: calls,
    meanMs: calls === 0 ? null : round(totalMs / calls),
    percent: percent(totalMs, all),
  }));
}

function statementsOf({ data }: Counts) {
  return worst(data.top, ({ totalMs }) => totalMs, STATEMENTS).map(
    ({ text, calls, failures, slow, rows, totalMs }) => ({
      text,
      calls,
      meanMs: calls === 0 ? null : round(totalMs / calls),
      totalMs: Math.round(totalMs),
      percent: percent(totalMs, data.statements.sumMs),
      rowsPerCall: calls === 0 ? null : round(rows / calls),
      slow,
      failed: failures,
    }),
  );
}

function slowRendersOf({ workers }: HostSnapshot): SlowRender[] {
  const all = workers.flatMap(({ snapshot }) => snapshot?.recent.slowRenders ?? []);
  return worst(all, ({ durationMs }) => durationMs, TOP);
}

function mean({ count, sumMs }: HistogramStats): number | null {
  return count === 0 ? null : round(sumMs / count);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
