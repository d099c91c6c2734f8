import type { HostSnapshot } from '../../monitor/snapshot.ts';
import type { CoherenceMeter, HostStats } from './frame.ts';
import { boundedQuantile, perSecond, quantile, share } from './rates.ts';
import { histogramBetween, type Sample } from './sums.ts';

export interface WholeHost {
  readonly box: HostStats;
  readonly coherence: CoherenceMeter;
}

/** `longBefore` is for percentiles, which need more answers than rates do. */
export function hostStats(
  { workers, feed }: HostSnapshot,
  now: Sample,
  before: Sample | undefined,
  longBefore: Sample | undefined,
): WholeHost {
  const rate = (key: 'requests' | 'hits' | 'renders' | 'errors') =>
    perSecond(now, before, now.box[key], before?.box[key]);
  const window = histogramBetween(longBefore?.box.durations, now.box.durations);
  const heard = workers.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot]));
  const sum = (of: (http: { inFlight: number; connections: number }) => number) =>
    heard.length === 0 ? null : heard.reduce((total, { http }) => total + of(http), 0);
  return {
    box: {
      requestsPerSecond: rate('requests'),
      hitsPerSecond: rate('hits'),
      rendersPerSecond: rate('renders'),
      errorsPerSecond: rate('errors'),
      hitShare:
        before === undefined ? null : share(now.box.hits - before.box.hits, now.box.asked - before.box.asked),
      shedPerSecond: perSecond(now, before, now.shed, before?.shed),
      overloadLevel: heard.length === 0 ? null : worst(heard.map(({ overload }) => overload.overloadLevel)),
      p50Ms: quantile(window, 0.5),
      p99Ms: quantile(window, 0.99),
      inFlight: sum((http) => http.inFlight),
      connections: sum((http) => http.connections),
    },
    coherence: {
      trusting: heard.length === 0 ? null : heard.filter(({ coherence }) => coherence.trusted).length,
      purgesPerSecond: perSecond(now, before, now.purgesApplied, before?.purgesApplied),
      appliedP50Ms: boundedQuantile(longBefore?.applied, now.applied, 0.5),
      appliedP99Ms: boundedQuantile(longBefore?.applied, now.applied, 0.99),
      feed: feed?.state ?? 'off',
    },
  };
}

function worst(overloadLevels: readonly string[]): string {
  return ['shed', 'stale'].find((overloadLevel) => overloadLevels.includes(overloadLevel)) ?? 'none';
}
