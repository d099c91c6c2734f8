// The caches of one worker, wired: pages and fragments, each a stack of its own over the same Redis and disk.
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { RedisTarget } from '../../core/redis-url.ts';
import type { Tracing } from '../../core/trace.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { Validity } from '../../core/validity.ts';
import { DiskStore } from '../disk/disk.ts';
import type { Cached, FragmentEntry, PageEntry } from '../entry.ts';
import { Doorkeeper } from '../memory/admission.ts';
import { Lifetimes } from '../memory/lifetimes.ts';
import { MemoryTier } from '../memory/memory.ts';
import type { TierObserver } from '../memory/tier-observer.ts';
import { type Weigh, weighFragment, weighPage } from '../memory/weight.ts';
import { RedisStore } from '../redis/redis.ts';
import { RedisCapacity } from '../redis/redis-capacity.ts';
import { RedisCommands } from '../redis/redis-commands.ts';
import { connectForCommands, connectForMessages, type RedisClient } from '../redis/redis-connect.ts';
import { Background } from '../render/background.ts';
import { ChainedFlights, type FlightCoordinator } from '../render/flights.ts';
import { RedisFlights } from '../render/redis-flights.ts';
import type { RenderSlots } from '../render/render-slots.ts';
import { Rollout, type RolloutShares } from '../rollout/rollout.ts';
import { type Codec, fragmentCodec, pageCodec } from '../shared/codec.ts';
import { EnvelopeTier } from '../shared/envelope-tier.ts';
import type { Tier } from '../shared/tier.ts';
import { CacheStack } from './stack.ts';

export interface CachesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 to 1. */
  readonly random: () => number;
  /** Makes a unique id. */
  readonly newId: () => string;
  readonly validity: Validity;
  readonly pid: number;
  /** L1 of this worker, fragments included. */
  readonly memoryBytes: Bytes;
  /** The static tier of this worker, beside L1. */
  readonly staticBytes: Bytes;
  /** L2 and one render per fleet. */
  readonly redis?: {
    /** Off: Redis is used for the fleet's agreement only. */
    readonly holdsPages?: boolean;
    readonly target: RedisTarget;
    readonly prefix: string;
    /** Whether this process tells people how their Redis is set: one of a host. */
    readonly tells?: boolean;
    readonly commandTimeoutMs?: Milliseconds;
  };
  /** L3. `writers`: the workers of this host. */
  readonly disk?: { readonly folder: string; readonly maxBytes: Bytes; readonly writers: number };
  /** Agreement among the workers of this host; asked before the fleet. */
  readonly box?: FlightCoordinator;
  readonly rollout?: RolloutShares;
  /** Where the tiers in memory tell what they hold. */
  readonly tierObserver?: (kind: 'page' | 'fragment') => TierObserver;
  /** How many pages are rendered at once, and what becomes of the rest. */
  readonly slots?: RenderSlots;
  /** How long after its time a page may stand in for a render that there is no room for. */
  readonly standInMs?: Milliseconds;
  /** As of the stack. */
  readonly cheapMs?: Milliseconds;
  readonly maxBackground?: number;
  readonly negativeTtlMs?: Milliseconds;
  readonly trace?: Tracing;
  /**
   * The name of the database that entries are made from, in the names of all that is shared: entries of another one are
   * never met. While it is undefined nothing is shared. Left out: there is only one.
   */
  readonly owner?: () => string | undefined;
}

export interface Caches {
  readonly pages: CacheStack<PageEntry>;
  readonly fragments: CacheStack<FragmentEntry>;
  readonly rollout: Rollout;
  /** What becomes of pages in L1, by route. */
  readonly pageLifetimes: Lifetimes<PageEntry>;
  /** The overload may be over: what was held back in the background may go on. */
  relieved(): void;
  /** Stops what renders, finishes what is being written, and lets go of Redis and the disk. */
  close(): Promise<void>;
}

/** Fragments are small and many pages share them: they get a quarter of the memory. */
const FRAGMENT_SHARE = 0.25;

interface Kind<V extends Cached> {
  readonly name: 'page' | 'fragment';
  readonly codec: Codec<V>;
  readonly weigh: Weigh<V>;
  readonly share: number;
  readonly lifetimes?: Lifetimes<V>;
}

export function openCaches(options: CachesOptions): Caches {
  const commands = options.redis && commandsOf(options, options.redis);
  const messages =
    options.redis &&
    connectForMessages(options.redis.target, {
      clock: options.clock,
      pingChannel: `${options.redis.prefix}lease:ping`,
    });
  const room =
    commands &&
    new RedisCapacity({
      commands,
      clock: options.clock,
      log: options.redis?.tells ? options.log : undefined,
    });
  const rollout = new Rollout(options.rollout);
  const closing: { close(): Promise<void> }[] = [];
  const rendering: (() => number)[] = [];
  const background = new Background({
    maxRunning: options.maxBackground ?? 2,
    maxQueued: 1000,
    // A worker has one thread: while several requests wait for renders, no other gets a turn.
    busy: () =>
      rendering.reduce((sum, count) => sum + count(), 0) > 2 ||
      (options.slots !== undefined && options.slots.overloadLevel !== 'none'),
  });

  const stackOf = <V extends Cached>(kind: Kind<V>): CacheStack<V> => {
    // Of pages only. A fragment is rendered inside of a page that has a slot: it must not wait for another.
    const { slots, standInMs = 0 } = kind.name === 'page' ? options : {};
    const common = { clock: options.clock, validity: options.validity, weigh: kind.weigh, standInMs };
    const tiers = tiersOf(kind, options, commands, room);
    const flights = flightsOf(kind.name, options, commands, messages);
    const stack = new CacheStack<V>({
      clock: options.clock,
      log: options.log,
      validity: options.validity,
      memory: new MemoryTier({
        ...common,
        maxBytes: Math.floor(options.memoryBytes * kind.share),
        maxPinnedBytes: Math.floor(options.staticBytes * kind.share),
        rollout,
        admission: new Doorkeeper(),
        ...(kind.lifetimes && { lifetimes: kind.lifetimes }),
        ...(options.tierObserver && { tierObserver: options.tierObserver(kind.name) }),
      }),
      shared: tiers,
      background,
      rollout,
      ...(options.cheapMs !== undefined && { cheapMs: options.cheapMs }),
      ...(options.slots && { lateMs: () => options.slots?.lateMs ?? 0 }),
      ...(slots !== undefined && { slots }),
      ...(kind.name === 'fragment' && { feature: 'fragments' as const }),
      ...(flights === undefined ? {} : { flights }),
      ...(options.negativeTtlMs === undefined ? {} : { negativeTtlMs: options.negativeTtlMs }),
      ...(options.trace && { trace: options.trace }),
    });
    rendering.push(() => stack.rendering);
    closing.push(stack, ...tiers, ...(flights === undefined ? [] : [flights]));
    return stack;
  };
  const { clock, validity } = options;
  const pageLifetimes = new Lifetimes<PageEntry>({ clock, validity, isSame: (a, b) => a.tag === b.tag });
  const pages = stackOf({
    name: 'page',
    codec: pageCodec,
    weigh: weighPage,
    share: 1 - FRAGMENT_SHARE,
    lifetimes: pageLifetimes,
  });
  const fragments = stackOf({
    name: 'fragment',
    codec: fragmentCodec,
    weigh: weighFragment,
    share: FRAGMENT_SHARE,
  });

  return {
    pages,
    fragments,
    rollout,
    pageLifetimes,
    relieved: () => background.pump(),
    async close() {
      background.close();
      // In the order in which they were made: the stacks flush into tiers that are still open.
      for (const part of closing) await part.close();
      await commands?.close();
      messages?.disconnect();
    },
  };
}

function commandsOf(
  { clock, log, random }: CachesOptions,
  redis: NonNullable<CachesOptions['redis']>,
): RedisCommands {
  const timeoutMs = redis.commandTimeoutMs ?? 100;
  const client = connectForCommands(redis.target, timeoutMs);
  return new RedisCommands({ client, clock, log, random, timeoutMs });
}

function tiersOf<V extends Cached>(
  { name, codec }: Kind<V>,
  { clock, log, random, redis, disk, pid, owner }: CachesOptions,
  commands: RedisCommands | undefined,
  room: RedisCapacity | undefined,
): Tier<V>[] {
  const tiers: Tier<V>[] = [];
  if (redis !== undefined && redis.holdsPages !== false && commands !== undefined && room !== undefined) {
    const store = new RedisStore({ commands, prefix: `${redis.prefix}${name}:`, room });
    tiers.push(new EnvelopeTier({ name: 'l2', clock, codec, store, owner }));
  }
  if (disk !== undefined) {
    const folder = join(disk.folder, name);
    const share = name === 'page' ? 1 - FRAGMENT_SHARE : FRAGMENT_SHARE;
    const store = new DiskStore({
      clock,
      log,
      random,
      pid,
      folder,
      maxBytes: disk.maxBytes * share,
      writers: disk.writers,
    });
    tiers.push(new EnvelopeTier({ name: 'l3', clock, codec, store, owner }));
  }
  return tiers;
}

function flightsOf(
  name: string,
  { clock, newId, redis, box, owner }: CachesOptions,
  commands: RedisCommands | undefined,
  messages: RedisClient | undefined,
): FlightCoordinator | undefined {
  if (redis === undefined || commands === undefined || messages === undefined) return box;
  const prefix = `${redis.prefix}lease:${name}:`;
  const fleet = new RedisFlights({ commands, messages, clock, prefix, newToken: newId, owner });
  return box === undefined ? fleet : new ChainedFlights(box, fleet);
}
