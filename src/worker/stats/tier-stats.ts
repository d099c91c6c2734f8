// The tiers of one kind of entry as figures: what each has counted, and how full it is. Each tier counts what is its own
// business under names of its own; here they get the same names.

import type { Cached } from '../../cache/entry.ts';
import type { CacheStack } from '../../cache/stack/stack.ts';
import type { Counts } from '../../monitor/counts.ts';
import type { WorkerSnapshot } from '../../monitor/snapshot.ts';

type StackStats = ReturnType<CacheStack<Cached>['stats']>;
type TierCounts = Counts['tiers'][number];
type TierLevels = WorkerSnapshot['tiers'][number];
type Kind = 'page' | 'fragment';

const NOTHING = {
  stale: 0,
  purged: 0,
  writes: 0,
  errors: 0,
  timeouts: 0,
  evictions: 0,
  returned: 0,
  refused: 0,
};

export function tierCounts(kind: Kind, stats: StackStats): TierCounts[] {
  const { hitsStatic, hitsL1, hitsL2, hitsL3, misses: rendered, l1, static: pinned, stale } = stats;
  // What memory could not answer ended in one of these.
  const misses = hitsL2 + hitsL3 + rendered;
  return [
    {
      ...NOTHING,
      kind,
      tier: 'static',
      hits: hitsStatic,
      misses: 0,
      purged: pinned.purged,
      refused: pinned.refused,
    },
    {
      ...NOTHING,
      kind,
      tier: 'l1',
      hits: hitsL1,
      misses,
      stale,
      purged: l1.purged,
      evictions: l1.evictions + l1.groupEvictions,
      returned: l1.returned,
      refused: l1.tooLarge + l1.notAdmitted,
    },
    ...(['l2', 'l3'] as const).flatMap((tier): TierCounts[] => {
      const shared = stats.shared[tier];
      if (shared === undefined) return [];
      const { store, rejectedStores, ...counts } = shared;
      return [
        {
          ...NOTHING,
          ...counts,
          kind,
          tier,
          evictions: numberOf(store.evicted) ?? 0,
          refused: rejectedStores + (numberOf(store.tooLarge) ?? 0),
        },
      ];
    }),
  ];
}

export function tierLevels(kind: Kind, { l1, static: pinned, shared }: StackStats): TierLevels[] {
  const memory = ({ entries, bytes, maxBytes }: { entries: number; bytes: number; maxBytes: number }) => ({
    kind,
    entries,
    bytes,
    maxBytes,
    breaker: 'none',
  });
  return [
    { ...memory(pinned), tier: 'static' },
    { ...memory(l1), tier: 'l1' },
    ...(['l2', 'l3'] as const).flatMap((tier): TierLevels[] => {
      const store = shared[tier]?.store;
      if (store === undefined) return [];
      const { files, bytes, maxBytes } = store;
      return [
        {
          kind,
          tier,
          entries: numberOf(files) ?? null,
          bytes: numberOf(bytes) ?? null,
          maxBytes: numberOf(maxBytes) ?? null,
          breaker: breakerOf(store),
        },
      ];
    }),
  ];
}

type StoreStats = Readonly<Record<string, number | string>>;

/** Redis says it in the words of the breaker, the disk whether it is on. */
function breakerOf({ breaker, disk }: StoreStats): string {
  if (typeof breaker === 'string') return breaker;
  if (disk === undefined) return 'none';
  return disk === 'on' ? 'closed' : 'open';
}

function numberOf(value: number | string | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
