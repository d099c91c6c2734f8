// One row of history: the figures of a whole host at a moment that are worth following over an hour.
import type { Counts } from './counts.ts';
import type { HostSnapshot, WorkerSnapshot } from './snapshot.ts';

/** These only grow. */
const counters = [
  'requests',
  'errors',
  'pageRequests',
  'pageHits',
  'renders',
  'renderMs',
  'slowRenders',
  'failedRenders',
  'rejections',
  'statements',
  'statementMs',
  'slowStatements',
  'purges',
  'evictions',
  'returned',
  'degradedMs',
  'deaths',
] as const;

/** These have a level. NaN: unknown. */
const levels = [
  'rssBytes',
  'heapBytes',
  'heapShare',
  'cpuShare',
  'loopP99Ms',
  'loopUtilization',
  'inFlight',
  'poolWaiting',
  'serving',
  'untrusting',
] as const;

export const columns = [...counters, ...levels];
export type Column = (typeof columns)[number];

/** Levels of several workers: the worst one's where it says `Share`, `Ms` or `Utilization`, else the sum. */
export function rowOf(box: HostSnapshot): Record<Column, number> {
  const serving = box.workers.filter(({ state }) => state === 'serving');
  const known = serving.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot]));
  const worst = (of: (worker: WorkerSnapshot) => number) =>
    known.length === 0 ? Number.NaN : Math.max(...known.map(of));
  const total = (of: (worker: WorkerSnapshot) => number) =>
    known.length === 0 ? Number.NaN : sum(known.map(of));
  return {
    ...counted(box.counts),
    deaths: sum(box.workers.map(({ deaths }) => deaths)) + (box.feed?.deaths ?? 0),
    rssBytes: (box.primary.rssBytes ?? Number.NaN) + total(({ process }) => process.rssBytes ?? Number.NaN),
    heapBytes: total(({ process }) => process.heapUsedBytes),
    heapShare: worst(heapShare),
    cpuShare: worst(({ process }) => process.cpuShare),
    loopP99Ms: worst(({ process }) => process.loopDelayP99Ms),
    loopUtilization: worst(({ process }) => process.loopUtilization),
    inFlight: total(({ http }) => http.inFlight),
    poolWaiting: total(({ pool }) => pool.waiting),
    serving: serving.length,
    untrusting: total(({ coherence }) => (coherence.trusted ? 0 : 1)),
  };
}

export function heapShare({ process }: WorkerSnapshot): number {
  return process.heapLimitBytes === 0 ? 0 : process.heapUsedBytes / process.heapLimitBytes;
}

function counted(counts: Counts) {
  const { answered, cache } = counts.http;
  const used = cache.filter(({ result }) => result !== 'error');
  return {
    requests: sum(answered.map(({ durations }) => durations.count)),
    errors: sum(answered.filter(({ status }) => status >= '500').map(({ durations }) => durations.count)),
    pageRequests: sum(used.map(({ requests }) => requests)),
    pageHits: sum(used.filter(({ result }) => result !== 'miss').map(({ requests }) => requests)),
    renders: sum(counts.pages.map(({ durations }) => durations.count)),
    renderMs: sum(counts.pages.map(({ durations }) => durations.sumMs)),
    slowRenders: sum(counts.pages.map(({ slow }) => slow)),
    failedRenders: sum(counts.pages.map(({ failures }) => failures)),
    rejections: sum(counts.rejections.map(({ rejected }) => rejected)),
    statements: counts.data.statements.count,
    statementMs: counts.data.statements.sumMs,
    slowStatements: counts.data.slow,
    purges: counts.coherence.purgesApplied,
    evictions: sum(counts.tiers.filter(({ tier }) => tier === 'l1').map(({ evictions }) => evictions)),
    returned: sum(counts.tiers.filter(({ tier }) => tier === 'l1').map(({ returned }) => returned)),
    degradedMs: counts.coherence.degradedMs,
  };
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
