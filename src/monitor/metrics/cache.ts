import type { Counts } from '../counts.ts';
import type { HostSnapshot } from '../snapshot.ts';
import { answeredWorkers, counter, gauge, type Metric, type PlainMetric } from './metric.ts';

type TierCounts = Counts['tiers'][number];

const tierLevel = (
  name: string,
  help: string,
  read: (tier: ReturnType<typeof answeredWorkers>[number]['tiers'][number]) => number | null,
): PlainMetric =>
  gauge(name, help, ['kind', 'tier', 'slot'], (box) =>
    answeredWorkers(box).flatMap(({ slot, tiers }) =>
      tiers.flatMap((each) => {
        const value = read(each);
        const { kind, tier } = each;
        return value === null ? [] : [{ labels: { kind, tier, slot: String(slot) }, value }];
      }),
    ),
  );

const tierCounter = (name: string, help: string, read: (tier: TierCounts) => number): PlainMetric =>
  counter(name, help, ['kind', 'tier'], ({ counts }) =>
    counts.tiers.map((each) => ({ labels: { kind: each.kind, tier: each.tier }, value: read(each) })),
  );

/** Of stack-counts.ts, what no other metric says. */
const EVENTS = {
  stale: 'stale',
  staleOnError: 'stale_on_error',
  staleOnSlow: 'stale_on_slow',
  collapsed: 'collapsed',
  fills: 'fill',
  refreshes: 'refresh',
  fillErrors: 'fill_error',
  fillTimeouts: 'fill_timeout',
  abandoned: 'abandoned',
  negativeHits: 'negative_hit',
  overtaken: 'overtaken',
  rejectedStores: 'store_rejected',
  followed: 'followed',
  droppedWrites: 'write_dropped',
} as const satisfies Partial<Record<keyof Counts['stacks'][number], string>>;

export const cacheMetrics: readonly Metric[] = [
  counter(
    'coherent_cache_requests_total',
    'Requests for pages by what the cache did: result hit, stale, miss, error; tier static, l1, l2, l3, none.',
    ['http_route', 'tier', 'result'],
    ({ counts }) =>
      counts.http.cache.map(({ route, tier, result, requests }) => ({
        labels: { http_route: route, tier, result },
        value: requests,
      })),
  ),
  counter(
    'coherent_cache_tier_lookups_total',
    'Look-ups of a tier by what they found; kind page or fragment.',
    ['kind', 'tier', 'result'],
    lookups,
  ),
  counter('coherent_cache_tier_writes_total', 'Entries written to a shared tier.', ['kind', 'tier'], (box) =>
    sharedTiers(box).map(({ kind, tier, writes }) => ({ labels: { kind, tier }, value: writes })),
  ),
  counter(
    'coherent_cache_tier_failures_total',
    'Operations of a shared tier that failed or took too long.',
    ['kind', 'tier', 'reason'],
    (box) =>
      sharedTiers(box).flatMap(({ kind, tier, errors, timeouts }) => [
        { labels: { kind, tier, reason: 'error' }, value: errors },
        { labels: { kind, tier, reason: 'timeout' }, value: timeouts },
      ]),
  ),
  tierCounter(
    'coherent_cache_tier_evictions_total',
    'Entries displaced by others.',
    ({ evictions }) => evictions,
  ),
  tierCounter(
    'coherent_cache_tier_evictions_returned_total',
    'Displaced entries that were wanted again within a minute: a larger tier would have kept them.',
    ({ returned }) => returned,
  ),
  tierCounter(
    'coherent_cache_tier_refused_total',
    'Entries that were not taken: too large, not wanted often enough, no room, or purged meanwhile.',
    ({ refused }) => refused,
  ),
  counter(
    'coherent_cache_events_total',
    'What happens in the cache beside hits and misses.',
    ['kind', 'event'],
    ({ counts }) =>
      counts.stacks.flatMap((stack) =>
        eventNames().map(([key, event]) => ({ labels: { kind: stack.kind, event }, value: stack[key] })),
      ),
  ),
  counter(
    'coherent_page_entries_stored_total',
    'Pages taken into memory (l1), in every worker.',
    ['http_route'],
    ({ counts }) =>
      counts.lifetimes.map(({ route, stored }) => ({ labels: { http_route: route }, value: stored })),
  ),
  counter(
    'coherent_page_entries_purged_total',
    'Of these, those that a purge made invalid.',
    ['http_route'],
    ({ counts }) =>
      counts.lifetimes.map(({ route, purged }) => ({ labels: { http_route: route }, value: purged })),
  ),
  tierLevel('coherent_cache_entries', 'Entries held.', ({ entries }) => entries),
  tierLevel(
    'coherent_cache_bytes',
    'Bytes held. The disk (l3) is one for all workers; each says what it found when it last looked.',
    ({ bytes }) => bytes,
  ),
  tierLevel('coherent_cache_max_bytes', 'Bytes that the tier may hold.', ({ maxBytes }) => maxBytes),
  tierLevel('coherent_cache_breaker_open', '1 while a shared tier is left out because it failed.', (tier) =>
    tier.breaker === 'none' ? null : Number(tier.breaker !== 'closed'),
  ),
];

/** Memory cannot fail. */
function sharedTiers({ counts }: HostSnapshot): TierCounts[] {
  return counts.tiers.filter(({ tier }) => tier === 'l2' || tier === 'l3');
}

function lookups({ counts }: HostSnapshot) {
  return counts.tiers.flatMap(({ kind, tier, hits, misses, stale, purged }) =>
    Object.entries({ hit: hits, miss: misses, stale, purged }).map(([result, value]) => ({
      labels: { kind, tier, result },
      value,
    })),
  );
}

function eventNames() {
  return Object.entries(EVENTS) as [keyof typeof EVENTS, string][];
}
