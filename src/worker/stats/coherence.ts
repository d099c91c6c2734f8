// What this worker can say of its own coherence, put together from the purge stream, the caches and what they were made from.
import type { Config } from '../../../config/config.ts';
import type { Caches } from '../../cache/stack/caches.ts';
import type { Clock } from '../../core/clock.ts';
import type { Dependencies } from '../../invalidation/graph/dependencies.ts';
import { CoherenceMeter, type CoherenceStats } from '../../invalidation/measure/coherence-meter.ts';
import { CoherenceSampler } from '../../invalidation/measure/coherence-sampler.ts';
import type { PurgeStream } from '../purge-stream.ts';

export interface Coherence {
  stats(): CoherenceStats;
  close(): void;
}

export interface CoherenceOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly purgeStream: PurgeStream;
  readonly dependencies: Dependencies;
  readonly caches: Pick<Caches, 'pages' | 'fragments'>;
}

/** Before the purge stream is started, so that it misses nothing. */
export function watchCoherence({
  config,
  clock,
  purgeStream,
  dependencies,
  caches,
}: CoherenceOptions): Coherence {
  const { bus, lease } = purgeStream;
  const sampler = new CoherenceSampler({
    clock,
    lease,
    every: config.coherenceSampleEvery,
    degradedTtlMs: config.degradedTtlMs,
    madeFrom: (keys, limit) => dependencies.madeFrom(keys, limit),
    servedStamp: ({ kind, id }) => (kind === 'page' ? caches.pages : caches.fragments).served(id)?.stamp,
  });
  const stats = new CoherenceMeter({ clock, lease, bus, sampler });
  bus.subscribe(stats);
  return { stats: () => stats.stats(), close: () => sampler.close() };
}
