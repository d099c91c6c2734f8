// What only grows, of one worker from its start or of the whole host from its own. Everything in here adds up: two
// workers' counts are one host's, and those of a worker that died stay in the sum (`sumCounts`). What has a level (memory,
// entries held) stands in snapshot.ts instead.
//
// Lists are keyed: two items are the same if all of their texts are. Names are route templates, fragment names and the
// texts of statements, never addresses or values.
import { z } from 'zod';
import { DURATION_BOUNDS_MS } from '../core/histogram.ts';

const count = z.number().nonnegative();
/** Of things that applications name. */
const name = z.string().max(300);
const MAX_ITEMS = 2000;

const histogram = z.object({
  count,
  sumMs: count,
  /** Not cumulative; see core/histogram.ts. */
  buckets: z
    .array(count)
    .length(DURATION_BOUNDS_MS.length + 1)
    .readonly(),
});

/** Requests of one route that got the same kind of answer. */
const answered = z.object({
  /** A route template; `_404` no route, `_file` public files, `_action` forms, `_none` refused before there was a route. */
  route: name,
  /** GET, HEAD, OPTIONS or _OTHER. */
  method: z.string().max(10),
  /** The status code, as text. */
  status: z.string().max(3),
  /** Until the answer was handed to the connection. Those of the fast path are counted as at most 1 ms, with a sum of 0. */
  durations: histogram,
});

/** Requests of one route by what the cache did. */
const cacheUse = z.object({
  route: name,
  /** static, l1, l2, l3; `none`: rendered for the request. */
  tier: z.string().max(10),
  /** hit, stale, miss; `error`: no page came of it. */
  result: z.string().max(10),
  requests: count,
  /** Of these, those that waited for a render which another had begun. */
  collapsed: count,
});

/** Renders of one page, whatever waited for them: visitors, refreshes, warm-up. */
const pageRenders = z.object({
  route: name,
  failures: count,
  /** Above SLOW_RENDER_MS. */
  slow: count,
  durations: histogram,
  /** HTML, before compression. */
  htmlBytes: count,
  /** Bodies sent, as compressed as they were sent; heads are counted in only where the fast path answered. */
  sentBytes: count,
});

const fragmentUse = z.object({
  fragment: name,
  /** Out of a tier, fresh. */
  hits: count,
  stale: count,
  /** Rendered for the page around it. */
  misses: count,
  failures: count,
  durations: histogram,
  htmlBytes: count,
});

/** Functions in the tree, by their names; counted in one render of COMPONENT_SAMPLE. */
const componentUse = z.object({
  component: name,
  calls: count,
  /** Of the calls themselves, without what they returned. */
  totalMs: count,
});

const tierCounts = z.object({
  /** page or fragment. */
  kind: z.string().max(10),
  /** static, l1, l2, l3. */
  tier: z.string().max(10),
  hits: count,
  /** Of l1 and static: look-ups that ended in no tier of memory. */
  misses: count,
  stale: count,
  /** Found, and purged since: of no use. */
  purged: count,
  writes: count,
  errors: count,
  timeouts: count,
  /** Displaced by others. */
  evictions: count,
  /** Of these, wanted again soon after: a larger tier would have kept them. */
  returned: count,
  /** Too large, not wanted often enough, or no room. */
  refused: count,
});

/** Per kind of entry: cache/stack-counts.ts, as it is. */
const stackCounts = z.object({
  kind: z.string().max(10),
  hitsStatic: count,
  hitsL1: count,
  hitsL2: count,
  hitsL3: count,
  misses: count,
  stale: count,
  staleOnError: count,
  staleOnSlow: count,
  collapsed: count,
  fills: count,
  refreshes: count,
  fillErrors: count,
  fillTimeouts: count,
  abandoned: count,
  negativeHits: count,
  overtaken: count,
  rejectedStores: count,
  followed: count,
  droppedWrites: count,
});

/** One text of SQL, parameters never in it. `(other)`: all beyond those that are kept apart. */
const statementUse = z.object({
  text: z.string().max(500),
  calls: count,
  failures: count,
  /** Above SLOW_QUERY_MS. */
  slow: count,
  rows: count,
  totalMs: count,
});

/** What became of the entries of one page in L1: cache/memory/lifetimes.ts. */
const pageLifetimes = z.object({
  route: name,
  /** Entries taken; in all of them, dependency keys, and how long they might have lived. */
  stored: count,
  keys: count,
  lifetimeMs: count,
  /** Replaced after their time was over though nothing had purged them; of these, by the same bytes. */
  ranOut: count,
  unchanged: count,
  /** Purged; how old they were in all, and how many of them had not been read. */
  purged: count,
  purgedAgeMs: count,
  purgedUnread: count,
});

/** What purged them: a table, its rows, a column, the name of an application's own keys; never a value. */
const purgeCauses = z.object({ route: name, cause: name, entries: count });

/** What became of renders for which there was no slot at once. */
const overloadCounts = z.object({
  queued: count,
  /** An older page was served in their place. */
  staleIfOverloaded: count,
  /** full, slow, deadline, waited. */
  refused: z.array(z.object({ reason: z.string().max(20), requests: count })).max(10),
});

function noOverload(): z.output<typeof overloadCounts> {
  return { queued: 0, staleIfOverloaded: 0, refused: [] };
}

export const counts = z.object({
  process: z.object({
    cpuUserMs: count,
    cpuSystemMs: count,
    gc: z.array(z.object({ kind: z.string().max(20), runs: count, totalMs: count })).max(10),
  }),
  http: z.object({
    answered: z.array(answered).max(MAX_ITEMS),
    cache: z.array(cacheUse).max(MAX_ITEMS),
    /** Cut because their visitors took nothing (SEND_TIMEOUT_MS). */
    slowReaders: count,
    /** Closed to make room (MAX_CONNECTIONS). */
    connectionsRefused: count,
    /** Answers of the fast path (http/hit/hit.ts). */
    fastPath: count,
  }),
  pages: z.array(pageRenders).max(MAX_ITEMS),
  lifetimes: z.array(pageLifetimes).max(MAX_ITEMS).default([]),
  purgeCauses: z.array(purgeCauses).max(MAX_ITEMS).default([]),
  fragments: z.array(fragmentUse).max(MAX_ITEMS),
  components: z.array(componentUse).max(MAX_ITEMS),
  /** Promises of pages, fragments and actions that were rejected while nothing awaited them. */
  rejections: z
    .array(z.object({ where: name, rejected: count }))
    .max(MAX_ITEMS)
    .default([]),
  stacks: z.array(stackCounts).max(10),
  tiers: z.array(tierCounts).max(20),
  data: z.object({
    statements: histogram,
    /** How long statements have waited for their connections. */
    connects: histogram,
    failures: count,
    slow: count,
    top: z.array(statementUse).max(MAX_ITEMS),
  }),
  /** cache/render-slots.ts */
  overload: overloadCounts.default(noOverload),
  /** invalidation/coherence-figures.ts */
  coherence: z.object({
    /** By name. Every worker applies every purge: of a host this is the sum of what each has applied. */
    purgesApplied: count,
    expires: count,
    keys: count,
    gapsFound: count,
    gapsMended: count,
    clockLoads: count,
    epochChanges: count,
    readingsFailed: count,
    messagesRefused: count,
    leaseLosses: count,
    /** How long in all workers could not trust what they held. */
    degradedMs: count,
    /** From COMMIT to applied by a worker. */
    commitToApplied: z.object({
      count,
      sumMs: count,
      /** Commits that seem to lie in the future: the clocks of database and server are apart. */
      negative: count,
      /** Not cumulative. `upToMs`: the bound as text, `+Inf` for what lay beyond all. */
      buckets: z.array(z.object({ upToMs: z.string().max(20), count })).max(50),
    }),
    /** Entries that were looked at some time after their purge, and how many of them were gone by then. */
    sampler: z.object({
      purges: count,
      passedOver: count,
      spans: z.array(z.object({ withinMs: z.string().max(20), checked: count, coherent: count })).max(20),
    }),
  }),
});

export type Counts = z.output<typeof counts>;

/** The sum. Pure; the parts stay as they are. */
export function sumCounts(parts: readonly Counts[]): Counts {
  return counts.parse(parts.reduce<unknown>(add, zeroCounts()));
}

/** What was counted between two moments. What began anew in between counts from there. */
export function countsSince(later: Counts, earlier: Counts): Counts {
  const negative = mapNumbers(earlier, (value) => -value);
  return counts.parse(mapNumbers(add(later, negative), (value) => Math.max(0, value)));
}

export function zeroCounts(): Counts {
  return {
    process: { cpuUserMs: 0, cpuSystemMs: 0, gc: [] },
    http: { answered: [], cache: [], slowReaders: 0, connectionsRefused: 0, fastPath: 0 },
    pages: [],
    lifetimes: [],
    purgeCauses: [],
    fragments: [],
    components: [],
    rejections: [],
    stacks: [],
    tiers: [],
    data: {
      statements: noDurations(),
      connects: noDurations(),
      failures: 0,
      slow: 0,
      top: [],
    },
    overload: noOverload(),
    coherence: {
      purgesApplied: 0,
      expires: 0,
      keys: 0,
      gapsFound: 0,
      gapsMended: 0,
      clockLoads: 0,
      epochChanges: 0,
      readingsFailed: 0,
      messagesRefused: 0,
      leaseLosses: 0,
      degradedMs: 0,
      commitToApplied: { count: 0, sumMs: 0, negative: 0, buckets: [] },
      sampler: { purges: 0, passedOver: 0, spans: [] },
    },
  };
}

function noDurations() {
  return { count: 0, sumMs: 0, buckets: [...DURATION_BOUNDS_MS, 0].map(() => 0) };
}

/** Numbers add up, texts are the same on both sides, lists of numbers add up one by one, other lists by their texts. */
function add(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  if (b === undefined) return a;
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (Array.isArray(a) && Array.isArray(b)) return addLists(a, b);
  if (isRecord(a) && isRecord(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return Object.fromEntries([...keys].map((key) => [key, add(a[key], b[key])]));
  }
  return a;
}

function mapNumbers(value: unknown, change: (value: number) => number): unknown {
  if (typeof value === 'number') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapNumbers(each, change));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapNumbers(each, change)]));
}

function addLists(a: readonly unknown[], b: readonly unknown[]): unknown[] {
  if (typeof (a[0] ?? b[0]) === 'number') {
    const length = Math.max(a.length, b.length);
    return Array.from({ length }, (_, at) => add(a[at], b[at]));
  }
  const byName = new Map<string, unknown>();
  for (const item of [...a, ...b]) {
    const identity = identityOf(item);
    byName.set(identity, add(byName.get(identity), item));
  }
  return [...byName.values()];
}

function identityOf(item: unknown): string {
  if (!isRecord(item)) return String(item);
  const texts = Object.entries(item).filter(([, value]) => typeof value === 'string');
  return JSON.stringify(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
