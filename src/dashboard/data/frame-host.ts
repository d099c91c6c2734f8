import type { BoxSnapshot } from '../../monitor/snapshot.ts';
import type { BoxFigures, CoherenceFigures } from './frame.ts';
import { boundedQuantile, perSecond, quantile, share } from './rates.ts';
import { histogramBetween, type Mark } from './sums.ts';

export interface WholeBox {
  readonly box: BoxFigures;
  readonly coherence: CoherenceFigures;
}

/** `longBefore` is for percentiles, which need more answers than rates do. */
export function boxFigures(
  { workers, feed }: BoxSnapshot,
  now: Mark,
  before: Mark | undefined,
  longBefore: Mark | undefined,
): WholeBox {
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
      strain: heard.length === 0 ? null : worst(heard.map(({ overload }) => overload.strain)),
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

function worst(strains: readonly string[]): string {
  return ['shed', 'stale'].find((strain) => strains.includes(strain)) ?? 'none';
}
