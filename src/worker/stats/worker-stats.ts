// What this worker says of itself (monitor/snapshot.ts), put together from what each room counts, whenever the primary
// asks; and once more, unasked, when it has drained.
import type { Caches } from '../../cache/stack/caches.ts';
import type { Clock } from '../../core/clock.ts';
import { Histogram } from '../../core/histogram.ts';
import type { Database } from '../../data/read/database.ts';
import { isStatsQuestion, STATS_CHANNEL } from '../../host-link/stats-messages.ts';
import type { HitPath } from '../../http/fast-path/fast-path.ts';
import type { HttpUsage } from '../../http/observability/usage.ts';
import type { PageServer } from '../../http/server.ts';
import type { Dependencies } from '../../invalidation/graph/dependencies.ts';
import type { Counts } from '../../monitor/counts.ts';
import { ProcessStats } from '../../monitor/process.ts';
import type { WorkerSnapshot } from '../../monitor/snapshot.ts';
import type { RenderUsage } from '../../page/render/usage.ts';
import type { OverloadGuard } from '../overload.ts';
import type { WorkerLink } from '../worker-link.ts';
import type { Coherence } from './coherence.ts';
import { tierCounts, tierLevels } from './tier-stats.ts';

/** The texts of SQL that took longest in all are told one by one, so many. */
const STATEMENTS_SHOWN = 50;

export interface WorkerStatsOptions {
  readonly link: Pick<WorkerLink, 'send' | 'onMessage' | 'slot' | 'rejections'>;
  readonly clock: Clock;
  readonly usage: { readonly http: HttpUsage; readonly renders: RenderUsage };
  readonly hits: Pick<HitPath, 'stats'>;
  readonly server: Pick<PageServer, 'stats'>;
  readonly caches: Pick<Caches, 'pages' | 'fragments' | 'pageLifetimes'>;
  readonly database: Pick<Database, 'usage' | 'counts' | 'slow'>;
  readonly dependencies: Pick<Dependencies, 'stats'>;
  readonly coherence: Pick<Coherence, 'stats'>;
  readonly overload: Pick<OverloadGuard, 'stats'>;
}

export interface WorkerStats {
  /** The last word: what was counted until the end stays in the sums of the host. */
  close(): void;
}

/** From now on this worker is asked. */
export function answerStats(options: WorkerStatsOptions): WorkerStats {
  const { link, clock } = options;
  const own = new ProcessStats(clock);
  own.start();
  const tell = () => link.send(STATS_CHANNEL, { say: 'stats', snapshot: snapshotOf(options, own) });
  link.onMessage(STATS_CHANNEL, (body) => {
    if (isStatsQuestion(body)) tell();
  });
  link.send(STATS_CHANNEL, { say: 'here' });
  return {
    close: () => {
      tell();
      own.close();
    },
  };
}

function snapshotOf(options: WorkerStatsOptions, own: ProcessStats): WorkerSnapshot {
  const { link, clock, usage, hits, server, caches, database, dependencies, coherence } = options;
  const { trusted, epoch, seq, commitToApplied } = coherence.stats();
  const index = dependencies.stats();
  const pages = caches.pages.stats();
  const connections = server.stats();
  return {
    pid: process.pid,
    slot: link.slot,
    startedAtMs: own.startedAtMs,
    takenAtMs: clock.now(),
    counts: countsOf(options, own),
    process: own.levels(),
    http: {
      connections: connections.open,
      inFlight: connections.inFlight,
      fastPathTargets: hits.stats().targets,
    },
    tiers: [...tierLevels('page', pages), ...tierLevels('fragment', caches.fragments.stats())],
    held: caches.pages.cachedByGroup().map(({ group: route, ...held }) => ({ route, ...held })),
    renders: {
      inFlight: pages.inFlight,
      waitedFor: caches.pages.rendering,
      // One queue for pages and fragments.
      queued: pages.background.queued,
    },
    overload: overloadLevels(options.overload.stats()),
    pool: database.counts,
    coherence: {
      trusted,
      epoch,
      seq,
      indexedEntries: index.entries,
      indexedEdges: index.edges,
      commitToAppliedMaxMs: commitToApplied.maxMs,
    },
    recent: {
      slowRenders: usage.renders.stats().slowRenders,
      slowQueries: [...database.slow.list()],
    },
  };
}

function countsOf(options: WorkerStatsOptions, own: ProcessStats): Counts {
  const { link, usage, server, caches, database, coherence } = options;
  const { answered, cache, fastPath, sent } = usage.http.stats();
  const { pages, fragments, components } = usage.renders.stats();
  const { refused, slowReaders } = server.stats();
  const stacks = { page: caches.pages.stats(), fragment: caches.fragments.stats() };
  return {
    process: own.counts(),
    http: { answered, cache, fastPath, slowReaders, connectionsRefused: refused },
    pages: withSentBytes(pages, sent),
    ...lifetimesOf(caches),
    fragments,
    components,
    rejections: link.rejections.stats(),
    stacks: Object.entries(stacks).map(([kind, stats]) => ({
      ...stats,
      kind,
      droppedWrites: stats.shared.droppedWrites,
    })),
    tiers: [...tierCounts('page', stacks.page), ...tierCounts('fragment', stacks.fragment)],
    data: database.usage.stats(STATEMENTS_SHOWN),
    overload: overloadCounts(options.overload.stats()),
    coherence: coherenceCounts(coherence),
  };
}

function lifetimesOf({
  pageLifetimes,
}: Pick<Caches, 'pageLifetimes'>): Pick<Counts, 'lifetimes' | 'purgeCauses'> {
  const { groups, causes } = pageLifetimes.stats();
  return {
    lifetimes: groups.map(({ group: route, ...counted }) => ({ route, ...counted })),
    purgeCauses: causes.map(({ group: route, ...cause }) => ({ route, ...cause })),
  };
}

type OverloadStats = ReturnType<OverloadGuard['stats']>;

function overloadLevels(stats: OverloadStats): WorkerSnapshot['overload'] {
  const { overloadLevel, running, maxRunning, waiting, waitMs } = stats;
  return { overloadLevel, running, maxRunning, waiting, waitMs };
}

function overloadCounts({ queued, staleIfOverloaded, shed }: OverloadStats): Counts['overload'] {
  const refused = Object.entries(shed).map(([reason, requests]) => ({ reason, requests }));
  return { queued, staleIfOverloaded, refused };
}

type RenderedPage = ReturnType<RenderUsage['stats']>['pages'][number];

/** A page may be sent without ever having been rendered here. */
function withSentBytes(
  rendered: readonly RenderedPage[],
  sent: ReadonlyMap<string, number>,
): Counts['pages'] {
  const rest = new Map(sent);
  const pages = rendered.map((page) => {
    const sentBytes = rest.get(page.route) ?? 0;
    rest.delete(page.route);
    return { ...page, sentBytes };
  });
  const never = { failures: 0, slow: 0, htmlBytes: 0, durations: new Histogram().stats() };
  return [...pages, ...[...rest].map(([route, sentBytes]) => ({ route, ...never, sentBytes }))];
}

function coherenceCounts(coherence: Pick<Coherence, 'stats'>): Counts['coherence'] {
  const { purges, commitToApplied, sampler, ...rest } = coherence.stats();
  const { boundsMs, counts, count, sumMs, negative } = commitToApplied;
  return {
    ...rest,
    purgesApplied: purges,
    commitToApplied: {
      count,
      sumMs,
      negative,
      buckets: counts.map((inside, at) => ({ upToMs: String(boundsMs[at] ?? '+Inf'), count: inside })),
    },
    sampler: {
      ...sampler,
      spans: sampler.spans.map(({ withinMs, ...span }) => ({ ...span, withinMs: String(withinMs) })),
    },
  };
}
