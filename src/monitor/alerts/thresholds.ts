// Where a figure becomes an alert. One entry a code: docs/runbook.md has a section on each, and a test holds it complete.
//
// A limit of 0 turns its alert off. "Well" is nine tenths of the limit, so that what trembles about it does not flap.
import type { Milliseconds } from '../../core/units.ts';
import type { History } from '../history.ts';
import { type Column, heapShare } from '../host-row.ts';
import type { HostSnapshot, HostWorker } from '../snapshot.ts';
import type { Reading, Severity, Stats } from './alerts.ts';
import type { Level } from './gate.ts';

export interface Limits {
  /** Of the heap limit of a worker, and of the memory of the host. */
  readonly memoryPercent: number;
  /** Of one CPU, by one worker. */
  readonly cpuPercent: number;
  readonly loopDelayMs: Milliseconds;
  /** Of the renders of the last minute, those above SLOW_RENDER_MS. */
  readonly slowRenderPercent: number;
  /** Of the statements of the last minute, those above SLOW_QUERY_MS. */
  readonly slowQueryPercent: number;
  /** Of the answers of the last minute, those of 500 and above. */
  readonly errorPercent: number;
  /** Deaths of workers and of the feed within ten minutes. */
  readonly restarts: number;
  /** Promises that were rejected within ten minutes while nothing awaited them. */
  readonly rejections: number;
  /** How long workers may be without word of purges, or without a working feed. */
  readonly degradedMs: Milliseconds;
  /** Of the log of the database, kept for the slot of the feed. */
  readonly slotRetainedMb: number;
  /** By so many points of a hundred below that of the hour before. */
  readonly hitRateDrop: number;
}

export interface View {
  readonly box: HostSnapshot;
  readonly history: History<Column>;
  readonly limits: Limits;
  readonly memoryBytes: number;
  /** Between two looks at the host. */
  readonly intervalMs: Milliseconds;
}

interface Measured {
  readonly level: Level;
  readonly says: string;
  readonly figures: Stats;
  readonly holdMs?: Milliseconds;
}

interface Threshold {
  readonly severity: Severity;
  /** Undefined: nothing to judge by, which is well. */
  readonly measure: (view: View) => Measured | undefined;
}

const MINUTE_MS: Milliseconds = 60_000;
const TEN_MINUTES_MS: Milliseconds = 600_000;
const HOUR_MS: Milliseconds = 3_600_000;
/** Fewer make no share. */
const MIN_EVENTS = 20;
const MIN_REQUESTS = 200;

export const thresholds = {
  no_worker: {
    severity: 'critical',
    measure: ({ box, intervalMs }) => ({
      level: box.primary.ready || !isUp(box) ? 'well' : 'over',
      says: 'no worker serves: every request is refused',
      figures: { workers: box.workers.length },
      // A slot whose only worker died is filled again within this.
      holdMs: intervalMs,
    }),
  },
  worker_silent: {
    severity: 'warning',
    measure: ({ box }) => ({
      level: box.missing.length > 0 ? 'over' : 'well',
      says: `${box.missing.length} of ${box.workers.length} workers keep silent: blocked or stopped`,
      figures: { slots: box.missing.join(',') },
    }),
  },
  restarts: {
    severity: 'critical',
    measure: ({ history, limits }) => {
      const deaths = history.increase('deaths', TEN_MINUTES_MS);
      return counted(deaths, limits.restarts, {
        says: `workers or the change feed died in the last ten minutes, so often: ${deaths}`,
        figures: { deaths },
      });
    },
  },
  unheard_rejections: {
    severity: 'warning',
    measure: ({ history, limits }) => {
      const rejections = history.increase('rejections', TEN_MINUTES_MS);
      return counted(rejections, limits.rejections, {
        says: `promises of the application that nothing awaited were rejected in the last ten minutes, so many: ${rejections}`,
        figures: { rejections },
      });
    },
  },
  high_memory: {
    severity: 'warning',
    measure: ({ box, history, limits, memoryBytes }) => {
      const { worker, value: heap } = worstWorker(box, ({ snapshot }) => snapshot && heapShare(snapshot));
      const hostPercent = percent((history.latest('rssBytes') ?? Number.NaN) / memoryBytes);
      const heapPercent = percent(heap);
      const worst = Math.max(heapPercent, Number.isNaN(hostPercent) ? 0 : hostPercent);
      return ofWorkers(box, worst, limits.memoryPercent, {
        says: `memory: a worker holds ${heapPercent} % of its heap limit, the host ${hostPercent} % of its memory`,
        figures: { slot: worker?.slot ?? -1, heapPercent, hostPercent },
      });
    },
  },
  high_cpu: {
    severity: 'warning',
    measure: ({ box, limits }) => {
      const { worker, value } = worstWorker(box, ({ snapshot }) => snapshot?.process.cpuShare);
      return ofWorkers(box, percent(value), limits.cpuPercent, {
        says: `a worker uses ${percent(value)} % of a CPU`,
        figures: { slot: worker?.slot ?? -1, cpuPercent: percent(value) },
      });
    },
  },
  slow_loop: {
    severity: 'warning',
    measure: ({ box, limits }) => {
      const { worker, value } = worstWorker(box, ({ snapshot }) => snapshot?.process.loopDelayP99Ms);
      const loopDelayP99Ms = Math.round(value);
      return ofWorkers(box, loopDelayP99Ms, limits.loopDelayMs, {
        says: `the event loop of a worker is late by ${loopDelayP99Ms} ms (p99)`,
        figures: { slot: worker?.slot ?? -1, loopDelayP99Ms },
      });
    },
  },
  slow_renders: {
    severity: 'warning',
    measure: ({ history, limits }) =>
      share(
        history,
        'slowRenders',
        'renders',
        limits.slowRenderPercent,
        'renders of the last minute were slow',
      ),
  },
  slow_queries: {
    severity: 'warning',
    measure: ({ history, limits }) =>
      share(
        history,
        'slowStatements',
        'statements',
        limits.slowQueryPercent,
        'statements of the last minute were slow',
      ),
  },
  errors: {
    severity: 'critical',
    measure: ({ history, limits }) =>
      share(
        history,
        'errors',
        'requests',
        limits.errorPercent,
        'answers of the last minute were errors of the server',
      ),
  },
  degraded: {
    severity: 'critical',
    measure: ({ box, limits }) => {
      if (limits.degradedMs === 0 || !isUp(box)) return undefined;
      const slots = box.workers.filter(
        ({ state, snapshot }) => state === 'serving' && snapshot?.coherence.trusted === false,
      );
      return {
        level: slots.length > 0 ? 'over' : 'well',
        says: `workers hear of no purges and keep pages for DEGRADED_TTL_MS only: ${slots.length} of ${box.workers.length}`,
        figures: { slots: slots.map(({ slot }) => slot).join(',') },
        holdMs: limits.degradedMs,
      };
    },
  },
  feed_down: {
    severity: 'critical',
    measure: ({ box, limits }) => {
      if (limits.degradedMs === 0 || box.feed === undefined || !isUp(box)) return undefined;
      const { state } = box.feed;
      return {
        level: state === 'leading' || state === 'standby' ? 'well' : 'over',
        says: `the change feed is ${state}: what is committed in the database purges nothing`,
        figures: { state },
        holdMs: limits.degradedMs,
      };
    },
  },
  slot_retained: {
    severity: 'warning',
    measure: ({ box, limits }) => {
      const bytes = box.feed?.stats.slotRetainedBytes;
      if (limits.slotRetainedMb === 0 || bytes === undefined || !isUp(box)) return undefined;
      const retainedMb = Math.round(bytes / 1_048_576);
      return above(retainedMb, limits.slotRetainedMb, {
        says: `the database keeps ${retainedMb} MB of its log for the change feed, and more by the hour if no feed reads it`,
        figures: { retainedMb },
      });
    },
  },
  hit_rate_fell: {
    severity: 'warning',
    measure: ({ history, limits }) => {
      if (limits.hitRateDrop === 0) return undefined;
      const now = hits(history, TEN_MINUTES_MS / 2);
      const hour = hits(history, HOUR_MS);
      const before = { hits: hour.hits - now.hits, requests: hour.requests - now.requests };
      if (now.requests < MIN_REQUESTS || before.requests < MIN_REQUESTS) return undefined;
      const hitPercent = percent(now.hits / now.requests);
      const beforePercent = percent(before.hits / before.requests);
      return above(beforePercent - hitPercent, limits.hitRateDrop, {
        says: `${hitPercent} % of the requests of the last five minutes were hits, ${beforePercent} % in the hour before`,
        figures: { hitPercent, beforePercent },
      });
    },
  },
} as const satisfies Record<string, Threshold>;

export type AlertCode = keyof typeof thresholds;
export const alertCodes = Object.keys(thresholds);

export function readings(view: View): Reading[] {
  return Object.entries<Threshold>(thresholds).map(([code, { severity, measure }]) => {
    const measured = measure(view) ?? { level: 'well' as const, says: '', figures: {} };
    return { code, severity, ...measured };
  });
}

/** Starting and stopping are no failures. */
function isUp({ primary }: HostSnapshot): boolean {
  return primary.phase === 'running' || primary.phase === 'reloading';
}

type Words = Pick<Measured, 'says' | 'figures'>;

function above(value: number, limit: number, words: Words): Measured | undefined {
  if (limit === 0 || Number.isNaN(value)) return undefined;
  const level = value > limit ? 'over' : value <= limit * 0.9 ? 'well' : 'between';
  return { level, says: `${words.says}; the limit is ${limit}`, figures: { ...words.figures, limit } };
}

/** A worker that keeps silent may be the one that is worst: then it is unknown whether all is well. */
function ofWorkers(box: HostSnapshot, value: number, limit: number, words: Words): Measured | undefined {
  const measured = above(value, limit, words);
  if (limit === 0 || !box.partial || measured?.level === 'over') return measured;
  return { ...words, level: 'between' };
}

/** What has happened needs no waiting whether it lasts. */
function counted(value: number, limit: number, words: Words): Measured | undefined {
  if (limit === 0) return undefined;
  const level = value >= limit ? 'over' : 'well';
  return { level, says: words.says, figures: { ...words.figures, limit }, holdMs: 0 };
}

function share(
  history: History<Column>,
  part: Column,
  whole: Column,
  limit: number,
  says: string,
): Measured | undefined {
  const all = history.increase(whole, MINUTE_MS);
  if (all < MIN_EVENTS) return undefined;
  const some = history.increase(part, MINUTE_MS);
  const value = percent(some / all);
  return above(value, limit, {
    says: `${value} % of ${all} ${says}`,
    figures: { [part]: some, [whole]: all },
  });
}

function hits(history: History<Column>, windowMs: Milliseconds) {
  return {
    hits: history.increase('pageHits', windowMs),
    requests: history.increase('pageRequests', windowMs),
  };
}

function worstWorker(
  { workers }: HostSnapshot,
  of: (worker: HostWorker) => number | undefined,
): { readonly worker: HostWorker | undefined; readonly value: number } {
  let worst: { worker: HostWorker | undefined; value: number } = { worker: undefined, value: Number.NaN };
  for (const worker of workers) {
    if (worker.state !== 'serving' || !worker.answered) continue;
    const value = of(worker);
    if (value !== undefined && !(value <= worst.value)) worst = { worker, value };
  }
  return worst;
}

/** To a tenth. */
function percent(part: number): number {
  return Math.round(part * 1000) / 10;
}
