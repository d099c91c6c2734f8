import type { FetchOptions, FillContext, Filled } from '../../src/cache/contract.ts';
import type { FragmentEntry } from '../../src/cache/entry.ts';
import { MemoryTier } from '../../src/cache/memory/memory.ts';
import { weighFragment } from '../../src/cache/memory/weight.ts';
import { Background } from '../../src/cache/render/background.ts';
import { CacheStack, type StackOptions } from '../../src/cache/stack/stack.ts';
import type { Clock } from '../../src/core/clock.ts';
import { PurgeClock } from '../../src/invalidation/clock/clock.ts';
import { LogLines } from './log-lines.ts';
import { ManualClock } from './manual-clock.ts';

export const options: FetchOptions = { group: '/page', hardTimeoutMs: 10_000, softTimeoutMs: 10_000 };

export interface EntryParts {
  readonly keys?: readonly string[];
  readonly freshMs?: number;
  readonly staleMs?: number;
  readonly errorMs?: number;
}

/** A fragment made now; fresh for a minute unless told. */
export function entryOf(
  html: string,
  { stamp }: Pick<FillContext, 'stamp'>,
  clock: Clock,
  { keys = ['a'], freshMs = 60_000, staleMs = 0, errorMs = 0 }: EntryParts = {},
): FragmentEntry {
  const createdMs = clock.now();
  const freshUntilMs = createdMs + freshMs;
  return {
    html,
    keys,
    stamp,
    createdMs,
    freshUntilMs,
    staleUntilMs: freshUntilMs + staleMs,
    errorUntilMs: freshUntilMs + errorMs,
  };
}

/** A worker's cache of fragments on a manual clock, with everything around it at hand. */
export function testStack(
  overrides: Partial<StackOptions<FragmentEntry>> & {
    readonly time?: ManualClock;
    readonly purges?: PurgeClock;
    readonly maxBytes?: number;
  } = {},
) {
  const {
    time = new ManualClock(),
    purges = new PurgeClock({ epoch: 'e1', slots: 1024 }),
    maxBytes = 1e6,
  } = overrides;
  const log = new LogLines();
  const memory = new MemoryTier({
    clock: time,
    validity: purges,
    weigh: weighFragment,
    maxBytes,
    maxPinnedBytes: maxBytes,
    ...(overrides.rollout && { rollout: overrides.rollout }),
  });
  const background = new Background({ maxRunning: 2, maxQueued: 10 });
  const stack = new CacheStack<FragmentEntry>({
    clock: time,
    log,
    validity: purges,
    memory,
    background,
    ...overrides,
  });
  const purge = (...keys: string[]) => purges.apply(purges.seq + 1, keys, 'purge');
  const expire = (...keys: string[]) => purges.apply(purges.seq + 1, keys, 'expire');
  const filled = (html: string, context: FillContext, parts?: EntryParts): Filled<FragmentEntry> => ({
    value: entryOf(html, context, time, parts),
    store: true,
  });
  return { time, purges, log, memory, background, stack, purge, expire, filled };
}

/** A promise that the test settles. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Lets everything run that can run without time, I/O or the test doing something. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
