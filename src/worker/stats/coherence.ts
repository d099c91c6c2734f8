// What this worker can say of its own coherence, put together from the river, the caches and what they were made from.
import type { Config } from '../../../config/config.ts';
import type { Caches } from '../../cache/stack/caches.ts';
import type { Clock } from '../../core/clock.ts';
import type { Dependencies } from '../../invalidation/graph/dependencies.ts';
import { CoherenceSampler } from '../../invalidation/measure/coherence-sampler.ts';
import { CoherenceFigures, type CoherenceStats } from '../../invalidation/measure/coherence-stats.ts';
import type { River } from '../purge-stream.ts';

export interface Coherence {
  stats(): CoherenceStats;
  close(): void;
}

export interface CoherenceOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly river: River;
  readonly dependencies: Dependencies;
  readonly caches: Pick<Caches, 'pages' | 'fragments'>;
}

/** Before the river is started, so that it misses nothing. */
export function watchCoherence({ config, clock, river, dependencies, caches }: CoherenceOptions): Coherence {
  const { bus, lease } = river;
  const sampler = new CoherenceSampler({
    clock,
    lease,
    every: config.coherenceSampleEvery,
    degradedTtlMs: config.degradedTtlMs,
    madeFrom: (keys, limit) => dependencies.madeFrom(keys, limit),
    servedStamp: ({ kind, id }) => (kind === 'page' ? caches.pages : caches.fragments).served(id)?.stamp,
  });
  const figures = new CoherenceFigures({ clock, lease, bus, sampler });
  bus.subscribe(figures);
  return { stats: () => figures.stats(), close: () => sampler.close() };
}
