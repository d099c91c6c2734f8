// The caches of one render worker: pages and fragments in memory, and the purge clock that both ask.
import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { Background } from '../src/cache/background.ts';
import type { Cached, FragmentEntry, PageEntry } from '../src/cache/entry.ts';
import { MemoryTier } from '../src/cache/memory.ts';
import { CacheStack } from '../src/cache/stack.ts';
import { StaticTier } from '../src/cache/static.ts';
import { type Weigh, weighFragment, weighPage } from '../src/cache/weight.ts';
import type { Clock } from '../src/core/clock.ts';
import type { Logger } from '../src/core/log.ts';
import type { Bytes } from '../src/core/units.ts';
import { PurgeClock } from '../src/invalidation/clock.ts';
import { follow } from '../src/invalidation/follow.ts';
import { LocalBus } from '../src/invalidation/local-bus.ts';

/** How a worker's share of L1_MAX_BYTES is divided. Prepared answers are heads and small bodies once more. */
const SHARES = { pages: 0.6, pinned: 0.1, fragments: 0.2, prepared: 0.1 } as const;

/** Renders in the background at once, and how many may wait for their turn. */
const BACKGROUND = { maxRunning: 2, maxQueued: 1000 } as const;
/** With so many visitors waiting for renders, the background waits too. */
const BUSY_RENDERS = 4;

export interface RenderCaches {
  readonly pages: CacheStack<PageEntry>;
  readonly fragments: CacheStack<FragmentEntry>;
  /** For the shortcut's prepared answers. */
  readonly preparedBytes: Bytes;
  close(): Promise<void>;
}

export interface RenderCachesOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createCaches({ config, clock, log }: RenderCachesOptions): RenderCaches {
  const share = (part: keyof typeof SHARES) =>
    Math.floor((config.l1MaxBytes / config.workers) * SHARES[part]);
  const bus = new LocalBus({ newEpoch: randomUUID });
  const validity = new PurgeClock({ epoch: randomUUID() });
  const unfollow = follow(bus, validity, randomUUID);

  const stack = <V extends Cached>(name: string, weigh: Weigh<V>, memory: Bytes, pinned: Bytes) => {
    const common = { clock, validity, weigh };
    const background = new Background({ ...BACKGROUND, busy: () => made.rendering >= BUSY_RENDERS });
    const made = new CacheStack<V>({
      clock,
      log: log.child({ cache: name }),
      validity,
      // A tier of no bytes takes no entry; lru-cache wants a bound above 0.
      memory: new MemoryTier({ ...common, maxBytes: Math.max(1, memory) }),
      pinned: new StaticTier({ ...common, maxBytes: pinned }),
      background,
    });
    return { made, background };
  };
  const pages = stack('pages', weighPage, share('pages'), share('pinned'));
  const fragments = stack('fragments', weighFragment, share('fragments'), 0);

  return {
    pages: pages.made,
    fragments: fragments.made,
    preparedBytes: share('prepared'),
    close: async () => {
      for (const { background, made } of [pages, fragments]) {
        background.close();
        await made.close();
      }
      unfollow();
      await bus.close();
    },
  };
}
