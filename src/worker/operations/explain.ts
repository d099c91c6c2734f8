// GET /explain?url=: the page of an address, what it was made from, and where it lies.

import type { PageEntry } from '../../cache/entry.ts';
import type { CacheStack } from '../../cache/stack/stack.ts';
import type { DependencyKey } from '../../core/units.ts';
import { parseTarget } from '../../http/request/target.ts';
import type { PagePipeline } from '../../page/request/pipeline.ts';

export interface ExplainedUrl {
  readonly url: string;
  /** The route template. */
  readonly route: string;
  readonly entry: string;
  readonly keys: readonly { readonly key: DependencyKey }[];
  /** Where this worker finds it, in the order in which it looks; empty: the next visitor has it rendered. */
  readonly tiers: readonly ExplainedTier[];
}

export interface ExplainedTier {
  readonly tier: string;
  /** valid; expired: served while a new one is made; purged: not served. */
  readonly verdict: string;
  /** ISO 8601, before its first read. */
  readonly madeAt: string;
  readonly freshUntil: string;
  /** What this worker had applied before the render's first read. */
  readonly epoch: string;
  readonly seq: number;
}

/** Undefined where no page answers the address. Headers of a visitor count as absent. */
export async function explainUrl(
  url: string,
  pipeline: Pick<PagePipeline, 'locate'>,
  cache: Pick<CacheStack<PageEntry>, 'holders'>,
): Promise<ExplainedUrl | undefined> {
  const target = parseTarget(url, undefined);
  if (target.kind !== 'target') return undefined;
  const place = await pipeline.locate({ ...target, header: () => undefined });
  if (place === undefined) return undefined;
  const holders = await cache.holders(place.key);
  const [first] = holders;
  return {
    url,
    route: place.route,
    entry: place.key,
    keys: (first?.value.keys ?? []).map((key) => ({ key })),
    tiers: holders.map(({ tier, verdict, value }) => ({
      tier,
      verdict,
      madeAt: new Date(value.createdMs).toISOString(),
      freshUntil: new Date(value.freshUntilMs).toISOString(),
      ...value.stamp,
    })),
  };
}
