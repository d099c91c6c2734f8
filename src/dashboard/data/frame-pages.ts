import { quantileMs } from '../../core/histogram.ts';
import type { HostSnapshot } from '../../monitor/snapshot.ts';
import type { PageStats } from './frame.ts';
import { perSecond, share } from './rates.ts';
import { requestsByRoute, type Sample } from './sums.ts';

/** Of each order: the hottest, the slowest, the most purged. */
const MOST = 10;

/** Those that lead in one of the orders; who shows them sorts them. `_404` and the like are no pages. */
export function pageStats({ counts }: HostSnapshot, now: Sample, before: Sample | undefined): PageStats[] {
  const requests = requestsByRoute(counts);
  const uses = new Map<string, { asked: number; hits: number }>();
  for (const { route, result, requests: times } of counts.http.cache) {
    const use = uses.get(route) ?? { asked: 0, hits: 0 };
    use.asked += times;
    if (result === 'hit' || result === 'stale') use.hits += times;
    uses.set(route, use);
  }
  const purged = new Map(counts.lifetimes.map((lifetimes) => [lifetimes.route, lifetimes.purged]));
  const causes = new Map<string, { cause: string; entries: number }>();
  for (const each of counts.purgeCauses) {
    if (each.entries > (causes.get(each.route)?.entries ?? 0)) causes.set(each.route, each);
  }
  const all = counts.pages.map(({ route, durations }): PageStats => {
    const use = uses.get(route);
    return {
      route,
      requests: requests.get(route) ?? 0,
      requestsPerSecond: perSecond(now, before, now.routes.get(route), before?.routes.get(route) ?? 0),
      hitShare: use === undefined ? null : share(use.hits, use.asked),
      renders: durations.count,
      renderMeanMs: durations.count === 0 ? null : durations.sumMs / durations.count,
      renderP99Ms: quantileMs(durations, 0.99) ?? null,
      purged: purged.get(route) ?? 0,
      purgedBy: causes.get(route)?.cause ?? null,
    };
  });
  const leading = (by: (page: PageStats) => number) => [...all].sort((a, b) => by(b) - by(a)).slice(0, MOST);
  return [
    ...new Set([
      ...leading(({ requests: times }) => times),
      ...leading(({ renderMeanMs }) => renderMeanMs ?? -1),
      ...leading(({ purged: times }) => times),
    ]),
  ];
}
