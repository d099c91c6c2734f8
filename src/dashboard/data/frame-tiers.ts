import type { HostSnapshot } from '../../monitor/snapshot.ts';
import type { TierStats } from './frame.ts';
import { perSecond, share } from './rates.ts';
import type { Sample } from './sums.ts';

type Levels = Pick<TierStats, 'entries' | 'bytes' | 'maxBytes' | 'breaker'>;

const ORDER = ['static', 'l1', 'l2', 'l3'];
/** Memory is each worker's own. The others are one for all: each worker says the same of them. */
const OWN = new Set(['static', 'l1']);
const WORST_FIRST = ['open', 'half-open', 'closed'];

/** Pages and fragments together, in the order in which they are asked. */
export function tierStats(snapshot: HostSnapshot, now: Sample, before: Sample | undefined): TierStats[] {
  const levels = levelsByTier(snapshot);
  const names = [...levels.keys()].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  return names.map((tier) => {
    const after = now.tiers.get(tier);
    const earlier = before?.tiers.get(tier);
    const hits = (after?.hits ?? 0) - (earlier?.hits ?? 0);
    const misses = (after?.misses ?? 0) - (earlier?.misses ?? 0);
    return {
      tier,
      entries: null,
      bytes: null,
      maxBytes: null,
      breaker: null,
      ...levels.get(tier),
      hitShare: earlier === undefined ? null : share(hits, hits + misses),
      hitsPerSecond: perSecond(now, before, after?.hits, earlier?.hits),
      missesPerSecond: perSecond(now, before, after?.misses, earlier?.misses),
      evictionsPerSecond: perSecond(now, before, after?.evictions, earlier?.evictions),
    };
  });
}

function levelsByTier({ workers }: HostSnapshot): Map<string, Levels> {
  const byTier = new Map<string, Levels>();
  for (const [index, { snapshot }] of workers.entries()) {
    for (const { tier, breaker, ...levels } of snapshot?.tiers ?? []) {
      const known = byTier.get(tier);
      const first = workers.findIndex((worker) => worker.snapshot !== undefined);
      const adds = OWN.has(tier) || index === first;
      byTier.set(tier, {
        entries: adds ? added(known?.entries, levels.entries) : (known?.entries ?? null),
        bytes: adds ? added(known?.bytes, levels.bytes) : (known?.bytes ?? null),
        maxBytes: adds ? added(known?.maxBytes, levels.maxBytes) : (known?.maxBytes ?? null),
        breaker: worse(known?.breaker ?? null, breaker),
      });
    }
  }
  return byTier;
}

function added(known: number | null | undefined, more: number | null): number | null {
  return more === null ? (known ?? null) : (known ?? 0) + more;
}

function worse(known: string | null, said: string): string | null {
  if (said === 'none') return known;
  if (known === null) return said;
  return WORST_FIRST.find((state) => state === known || state === said) ?? said;
}
