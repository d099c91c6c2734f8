// A small world in which renders, purges and reads interleave as a seed decides, and the judge of what is served.
//
// Writers commit rising versions of a few data keys and then publish a purge; each worker applies the purges in order,
// but whenever its turn comes. Renders read versions one after another, with pauses. The rule: who asks a worker that
// has applied purge N must not be shown a version older than the one that any purge up to N announced.

import type { FetchOptions, FillContext, Outcome } from '../../src/cache/contract.ts';
import type { FragmentEntry } from '../../src/cache/entry.ts';
import { usableUntilMs } from '../../src/cache/memory/cached-entry.ts';
import { MemoryTier } from '../../src/cache/memory/memory.ts';
import { weighFragment } from '../../src/cache/memory/weight.ts';
import { Background } from '../../src/cache/render/background.ts';
import { type FlightCoordinator, LocalFlights } from '../../src/cache/render/flights.ts';
import { fragmentCodec } from '../../src/cache/shared/codec.ts';
import { open, seal } from '../../src/cache/shared/envelope.ts';
import type { Tier } from '../../src/cache/shared/tier.ts';
import { CacheStack } from '../../src/cache/stack/stack.ts';
import { PurgeClock } from '../../src/invalidation/clock/clock.ts';
import type { PurgeKind } from '../../src/invalidation/clock/clock-state.ts';
import { ChaosTier, seeded } from './chaos-tier.ts';
import { LogLines } from './log-lines.ts';
import { ManualClock } from './manual-clock.ts';
import { Scheduler } from './scheduler.ts';

export interface WorldOptions {
  readonly workers: number;
  /** Which tiers all workers share. */
  readonly shared: readonly ('l2' | 'l3')[];
  readonly coordinated: boolean;
  /** Shared tiers that throw, hang for a while, and lose writes. */
  readonly chaos?: boolean;
  /** Real stores in the place of maps; gated all the same. */
  readonly open?: (name: 'l2' | 'l3', clock: ManualClock) => Tier<FragmentEntry>;
}

interface Announcement {
  readonly seq: number;
  readonly kind: PurgeKind;
  readonly key: string;
  readonly version: number;
}

export interface Verdicts {
  readonly seed: number;
  readonly reads: number;
  readonly violations: readonly string[];
}

const DATA = ['a', 'b', 'c'];
const PAGES: Record<string, readonly string[]> = { one: ['a'], two: ['a', 'b'], three: ['b', 'c'] };

/** A shared tier as a map of sealed bytes: what is read is never the object that was written. */
class MapTier implements Tier<FragmentEntry> {
  readonly usable = true;
  readonly name: 'l2' | 'l3';
  readonly #clock: ManualClock;
  readonly #bytes = new Map<string, { readonly bytes: Buffer; readonly endMs: number }>();

  constructor(name: 'l2' | 'l3', clock: ManualClock) {
    this.name = name;
    this.#clock = clock;
  }

  async get(key: string) {
    const found = this.#bytes.get(key);
    const nowMs = this.#clock.now();
    if (found === undefined || found.endMs <= nowMs) return undefined;
    const opened = open(fragmentCodec, key, found.bytes, nowMs, found.endMs - nowMs);
    return 'value' in opened ? opened.value : undefined;
  }

  async set(key: string, value: FragmentEntry) {
    const nowMs = this.#clock.now();
    const ttlMs = usableUntilMs(value) - nowMs;
    if (ttlMs > 0)
      this.#bytes.set(key, { bytes: seal(fragmentCodec, key, value, nowMs, ttlMs), endMs: nowMs + ttlMs });
  }

  async delete(key: string) {
    this.#bytes.delete(key);
  }

  async clear() {
    this.#bytes.clear();
  }

  stats() {
    return {};
  }

  async close() {}
}

/** Every operation of a tier waits for its turn before it happens and before its answer arrives. */
function gated(tier: Tier<FragmentEntry>, scheduler: Scheduler): Tier<FragmentEntry> {
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    await scheduler.gate();
    const result = await (tier instanceof ChaosTier ? work() : scheduler.io(work));
    await scheduler.gate();
    return result;
  };
  return {
    name: tier.name,
    usable: true,
    get: (key) => inTurn(() => tier.get(key)),
    set: (key, value) => inTurn(() => tier.set(key, value)),
    delete: (key) => inTurn(() => tier.delete(key)),
    clear: () => tier.clear(),
    stats: () => ({}),
    close: () => tier.close(),
  };
}

function gatedFlights(flights: FlightCoordinator, scheduler: Scheduler): FlightCoordinator {
  return {
    async enter(key, signal) {
      await scheduler.gate();
      const turn = await flights.enter(key, signal);
      await scheduler.gate();
      return turn;
    },
    close: () => flights.close(),
  };
}

export async function fillRace(seed: number, options: WorldOptions): Promise<Verdicts> {
  const random = seeded(seed);
  const among = <T>(list: readonly T[]): T => {
    const item = list[Math.floor(random() * list.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  };
  const scheduler = new Scheduler(random);
  const time = new ManualClock();
  const versions = new Map(DATA.map((key) => [key, 0]));
  const announced: Announcement[] = [];
  const violations: string[] = [];
  let reads = 0;

  const hang = () => new Promise<void>((resolve) => void time.after(random() * 400, resolve));
  const disturbed = (tier: Tier<FragmentEntry>): Tier<FragmentEntry> =>
    options.chaos === true
      ? new ChaosTier(tier, {
          random,
          throwShare: 0.2,
          loseShare: 0.2,
          delay: async () => void (random() < 0.1 && (await hang())),
        })
      : tier;
  const shared = options.shared.map((name) =>
    gated(disturbed(options.open?.(name, time) ?? new MapTier(name, time)), scheduler),
  );
  const flights = options.coordinated ? { flights: gatedFlights(new LocalFlights(), scheduler) } : {};
  const workers = Array.from({ length: options.workers }, () => {
    const clock = new PurgeClock({ epoch: 'e', slots: 64 });
    const common = { clock: time, validity: clock, weigh: weighFragment, maxBytes: 1e6 };
    const stack = new CacheStack<FragmentEntry>({
      clock: time,
      log: new LogLines(),
      validity: clock,
      memory: new MemoryTier(common),
      background: new Background({ maxRunning: 2, maxQueued: 10 }),
      shared,
      ...flights,
    });
    return { clock, stack };
  });
  type Worker = (typeof workers)[number];

  const render = async (page: string, { stamp }: FillContext) => {
    const shown: Record<string, number> = {};
    for (const key of PAGES[page] ?? []) {
      await scheduler.gate();
      shown[key] = versions.get(key) ?? 0;
    }
    await scheduler.gate();
    const createdMs = time.now();
    const freshUntilMs = createdMs + 100;
    const value: FragmentEntry = {
      html: JSON.stringify(shown),
      keys: PAGES[page] ?? [],
      stamp,
      createdMs,
      freshUntilMs,
      staleUntilMs: freshUntilMs + 100,
      errorUntilMs: freshUntilMs + 200,
    };
    return { value, store: true };
  };

  const judge = (
    worker: Worker,
    page: string,
    applied: number,
    value: FragmentEntry,
    how: Outcome<FragmentEntry>['result'],
  ) => {
    reads++;
    const shown = JSON.parse(value.html) as Record<string, number>;
    for (const { seq, kind, key, version } of announced) {
      if (seq > applied || !(key in shown) || (shown[key] ?? 0) >= version) continue;
      // What was only expired may be shown as stale, or by a render that was under way; but not as a hit.
      if (kind === 'expire' && how !== 'hit') continue;
      violations.push(
        `worker ${workers.indexOf(worker)} at ${applied} showed ${page} ${value.html} (${how}), purge ${seq} had said ${key}=${version}`,
      );
    }
  };

  const read = async (): Promise<void> => {
    await scheduler.gate();
    const worker = among(workers);
    const page = among(Object.keys(PAGES));
    const applied = worker.clock.seq;
    const peeked = worker.stack.peek(page);
    if (peeked !== undefined) judge(worker, page, applied, peeked, 'hit');
    const gone = new AbortController();
    const fetchOptions: FetchOptions = {
      group: page,
      hardTimeoutMs: 1000,
      softTimeoutMs: random() < 0.2 ? 20 : 1000,
      bypass: random() < 0.05,
      pin: random() < 0.1,
      ...(random() < 0.1 ? { signal: gone.signal } : {}),
    };
    const failing = random() < 0.1;
    const asked = worker.stack.fetch(page, fetchOptions, async (context) => {
      const rendered = await render(page, context);
      if (failing) throw new Error('the database is down');
      return rendered;
    });
    if (fetchOptions.signal !== undefined) void scheduler.gate().then(() => gone.abort(new Error('gone')));
    const outcome = await Promise.resolve(asked).catch(() => undefined);
    if (outcome !== undefined) judge(worker, page, applied, outcome.value, outcome.result);
  };

  const write = async (): Promise<void> => {
    await scheduler.gate();
    const key = among(DATA);
    const kind = random() < 0.8 ? 'purge' : 'expire';
    const version = (versions.get(key) ?? 0) + 1;
    versions.set(key, version);
    await scheduler.gate();
    announced.push({ seq: announced.length + 1, kind, key, version });
    for (const worker of workers) {
      void scheduler.gate().then(() => {
        // Whoever's turn it is brings the next in order.
        const next = announced[worker.clock.seq];
        if (next !== undefined) worker.clock.apply(next.seq, [next.key], next.kind);
      });
    }
  };

  const pass = async (): Promise<void> => {
    await scheduler.gate();
    time.advance(among([10, 30, 60, 150]));
  };

  const actors = [read, read, read, read, write, write, pass];
  const running = Array.from({ length: 14 }, () => among(actors)());
  await scheduler.run();
  // What is left waits for time only: let it pass, until nobody waits any more.
  const passing = async (work: Promise<unknown>): Promise<boolean> => {
    let over = false;
    void work.then(() => {
      over = true;
    });
    for (let round = 0; !over && round < 50; round++) {
      time.advance(100);
      await scheduler.run();
    }
    return over;
  };
  if (!(await passing(Promise.all(running)))) violations.push('somebody waits for ever');
  if (!(await passing(Promise.all(workers.map(({ stack }) => stack.close())))))
    violations.push('a stack never closes');
  return { seed, reads, violations };
}
