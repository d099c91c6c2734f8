// The tiers joined: static, L1, L2, L3, render, in this order; each request leaves at the first that serves it.
//
//   in memory and fresh      -> hit
//   in memory and stale      -> the stale answer now, one refresh in the background
//   otherwise                -> board the key's flight, or start it:
//                                 L2, L3 (fresh: hit; stale: as above) -> a turn to render -> fill -> store
//
// Held true throughout
// - An entry purged after its stamp is served from no tier, and stored in none.
// - Who arrives after a purge may board a flight that took off before it, but takes its result only if that purge
//   did not touch it; otherwise he renders again (`#satisfies`).
// - Nobody waits for a store: L1 is memory, L2 and L3 are written behind.
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import type { Validity, Verdict } from '../core/validity.ts';
import type { Background } from './background.ts';
import type { Cached } from './entry.ts';
import { AbandonedError, CacheClosedError, ForgedStampError, RenderTimeoutError } from './errors.ts';
import { Failures } from './failures.ts';
import type { FlightCoordinator, Turn } from './flights.ts';
import { type Held, judgeKeys, type Use, useOf } from './held.ts';
import type { MemoryTier } from './memory.ts';
import { Rollout } from './rollout.ts';
import { SharedTiers } from './shared-tiers.ts';
import { type Flight, SingleFlight } from './single-flight.ts';
import type {
  Cache,
  CacheKey,
  FetchOptions,
  Fill,
  Filled,
  FillReason,
  Outcome,
  ReplaceOptions,
  TierName,
} from './stack-contract.ts';
import type { StaticTier } from './static.ts';
import type { Tier } from './tier.ts';

export interface StackOptions<V extends Cached> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly validity: Validity;
  readonly memory: MemoryTier<V>;
  readonly pinned: StaticTier<V>;
  /** L2 and L3, those that there are, in this order. */
  readonly shared?: readonly Tier<V>[];
  /** Agreement with other workers; without it each worker renders for itself. */
  readonly flights?: FlightCoordinator;
  readonly background: Background;
  readonly rollout?: Rollout;
  /** How long a failed render is not tried again. */
  readonly negativeTtlMs?: Milliseconds;
  readonly tierTimeoutMs?: Milliseconds;
  readonly maxWrites?: number;
}

/** What a flight brings to those aboard. */
interface Landed<V extends Cached> extends Omit<Outcome<V>, 'collapsed'> {
  /** The value is known to have been current when this worker's purge clock showed this version. */
  readonly currentAt: number;
}

const zeroCounts = () => ({
  hitsStatic: 0,
  hitsL1: 0,
  hitsL2: 0,
  hitsL3: 0,
  misses: 0,
  stale: 0,
  staleOnError: 0,
  staleOnSlow: 0,
  collapsed: 0,
  fills: 0,
  refreshes: 0,
  fillErrors: 0,
  fillTimeouts: 0,
  abandoned: 0,
  negativeHits: 0,
  overtaken: 0,
  rejectedStores: 0,
  followed: 0,
});

export class CacheStack<V extends Cached> implements Cache<V> {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #validity: Validity;
  readonly #memory: MemoryTier<V>;
  readonly #pinned: StaticTier<V>;
  readonly #shared: SharedTiers<V>;
  readonly #coordinator: FlightCoordinator | undefined;
  readonly #background: Background;
  readonly #rollout: Rollout;
  readonly #failures: Failures;
  readonly #inFlight = new SingleFlight<Landed<V>>();
  readonly #promoted = new Set<CacheKey>();
  readonly #counts = zeroCounts();
  #rendering = 0;
  #closed = false;

  constructor(options: StackOptions<V>) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#validity = options.validity;
    this.#memory = options.memory;
    this.#pinned = options.pinned;
    this.#coordinator = options.flights;
    this.#background = options.background;
    this.#rollout = options.rollout ?? new Rollout();
    this.#failures = new Failures(options.clock, options.negativeTtlMs ?? 1000, 1000);
    this.#shared = new SharedTiers({
      clock: options.clock,
      validity: options.validity,
      tiers: options.shared ?? [],
      rollout: this.#rollout,
      tierTimeoutMs: options.tierTimeoutMs ?? 250,
      maxWrites: options.maxWrites ?? 256,
    });
  }

  peek(key: CacheKey): V | undefined {
    const pinned = this.#pinned.fresh(key);
    if (pinned !== undefined) {
      this.#counts.hitsStatic++;
      return pinned;
    }
    const value = this.#memory.fresh(key);
    if (value !== undefined) this.#counts.hitsL1++;
    return value;
  }

  async fetch(key: CacheKey, options: FetchOptions, fill: Fill<V>): Promise<Outcome<V>> {
    if (this.#closed) throw new CacheClosedError();
    options.signal?.throwIfAborted();
    if (options.bypass === true) return this.#renderApart(key, options, fill);
    const held = this.#inMemory(key);
    if (held !== undefined) held.held.reads++;
    if (held?.use === 'fresh') return this.#hit(held.value, held.tier);
    if (held?.use === 'stale' && this.#rollout.allows('refresh', key)) {
      this.#refreshLater(key, options, fill);
      return this.#staleAnswer(held.value, held.tier, undefined);
    }
    const failure = this.#failures.get(key);
    if (failure !== undefined) {
      this.#counts.negativeHits++;
      if (held !== undefined) return this.#staleAnswer(held.value, held.tier, failure.error);
      throw failure.error;
    }
    return this.#await(key, options, fill);
  }

  replace(key: CacheKey, before: V, after: V, { group, share }: ReplaceOptions): boolean {
    const pinned = this.#pinned.get(key);
    const held = pinned ?? this.#memory.get(key);
    if (held?.value !== before) return false;
    if (pinned === undefined) this.#memory.set(key, after, group);
    else this.#pinned.set(key, after, group);
    if (share) void this.#shared.write(key, after);
    return true;
  }

  /** Renders `key` in the background unless it is fresh. False: already on its way, or the queue is full. */
  warm(key: CacheKey, options: FetchOptions, fill: Fill<V>): boolean {
    return this.#inBackground(key, options, fill, 'warm');
  }

  /** From now on `key` lives in the static tier (a hot page). What memory holds of it moves there at once. */
  promote(key: CacheKey): void {
    if (!this.#rollout.allows('static', key)) return;
    this.#promoted.add(key);
    const held = this.#memory.get(key);
    if (held !== undefined && this.#pinned.set(key, held.value, held.group)) this.#memory.delete(key);
  }

  demote(key: CacheKey): void {
    this.#promoted.delete(key);
    this.#pinned.delete(key);
  }

  /** Drops `key` from this worker's memory. Validity does not need it; it frees the bytes at once. */
  evict(key: CacheKey): void {
    this.#pinned.delete(key);
    this.#memory.delete(key);
    this.#failures.forget(key);
  }

  /** Drops `key` from memory if a purge has made it invalid, and says how often it had been served. */
  dropPurged(key: CacheKey): { readonly reads: number } | undefined {
    const pinned = this.#pinned.dropPurged(key);
    const held = this.#memory.dropPurged(key);
    if (pinned === undefined && held === undefined) return undefined;
    return { reads: (pinned?.reads ?? 0) + (held?.reads ?? 0) };
  }

  /** Every tier that holds `key`, in the order in which they are asked, and what it is worth. For people. */
  async holders(
    key: CacheKey,
  ): Promise<{ readonly tier: TierName; readonly value: V; readonly verdict: Verdict }[]> {
    const memory = [
      { tier: 'static' as const, value: this.#pinned.look(key)?.value },
      { tier: 'l1' as const, value: this.#memory.look(key)?.value },
    ];
    const found = [...memory, ...(await this.#shared.look(key))];
    return found.flatMap(({ tier, value }) =>
      value === undefined ? [] : [{ tier, value, verdict: judgeKeys(this.#validity, value) }],
    );
  }

  /** Drops `key` from every tier that this worker reaches. */
  async delete(key: CacheKey): Promise<void> {
    this.evict(key);
    await this.#shared.delete(key);
  }

  /** Empties every tier of this cache's own entries. */
  async clear(): Promise<void> {
    this.#pinned.clear();
    this.#memory.clear();
    await this.#shared.clear();
  }

  /** The keys of this worker's memory that were wanted last, most recent first. */
  recentKeys(limit: number): CacheKey[] {
    return this.#memory.recentKeys(limit);
  }

  stats() {
    return {
      ...this.#counts,
      inFlight: this.#inFlight.size,
      failing: this.#failures.size,
      static: this.#pinned.stats(),
      l1: this.#memory.stats(),
      shared: this.#shared.stats(),
      background: this.#background.stats(),
    };
  }

  /** Renders that people are waiting for. */
  get rendering(): number {
    return this.#rendering;
  }

  /** Resolves when what was rendered has reached the shared tiers. */
  flushed(): Promise<void> {
    return this.#shared.flushed();
  }

  /** Refuses new requests, stops what renders, waits for what is being written. Does not close the tiers. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#inFlight.abortAll(new CacheClosedError());
    await this.#shared.flushed();
  }

  #inMemory(key: CacheKey): { held: Held<V>; value: V; tier: TierName; use: Use } | undefined {
    const pinned = this.#pinned.get(key);
    const held = pinned ?? this.#memory.get(key);
    if (held === undefined) return undefined;
    const use = useOf(held.value, held.verdict(this.#validity), this.#validity, this.#clock);
    return use === 'none'
      ? undefined
      : { held, value: held.value, tier: pinned === undefined ? 'l1' : 'static', use };
  }

  /** Boards flights until one brings a result that is new enough for a request that arrives now. */
  async #await(key: CacheKey, options: FetchOptions, fill: Fill<V>): Promise<Outcome<V>> {
    const arrival = this.#validity.version;
    let collapsed = false;
    for (;;) {
      const current = this.#inFlight.current(key);
      if (current !== undefined) {
        this.#counts.collapsed++;
        collapsed = true;
      }
      const flight = current ?? this.#launch(key, options, fill, 'miss');
      const landed = await this.#waitFor(flight, key, options);
      if (this.#satisfies(landed, arrival)) return this.#counted(landed, collapsed);
      // Every further round needs a purge that came between; a flight of one's own always satisfies.
      this.#counts.overtaken++;
    }
  }

  /** Not older than what this worker had applied when the request arrived. */
  #satisfies({ value, currentAt }: Landed<V>, arrival: number): boolean {
    return currentAt >= arrival || judgeKeys(this.#validity, value) !== 'purged';
  }

  /** The flight's result; or, when it takes longer than the request likes, the stale entry there is. */
  #waitFor(flight: Flight<Landed<V>>, key: CacheKey, options: FetchOptions): Promise<Landed<V>> {
    if (options.softTimeoutMs >= options.hardTimeoutMs) return flight.wait(options.signal);
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(options.softTimeoutMs, () => {
        const held = this.#inMemory(key);
        if (held === undefined) return;
        // Goes on without us: its result is what the next reader gets.
        flight.detach();
        this.#counts.staleOnSlow++;
        resolve(this.#landStale(held.value, held.tier, undefined));
      });
      flight
        .wait(options.signal)
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
  }

  #launch(key: CacheKey, options: FetchOptions, fill: Fill<V>, reason: FillReason): Flight<Landed<V>> {
    return this.#inFlight.start(key, async (signal, flight) => {
      // Leaves the caller's stack first: the flight is on the map before anything of it runs.
      await undefined;
      const stop = this.#limit(options, flight);
      try {
        return await untilAborted(this.#fly(key, options, fill, reason, signal), signal);
      } catch (error) {
        return this.#afterFailure(key, error);
      } finally {
        stop.cancel();
        this.#background.pump();
      }
    });
  }

  async #fly(
    key: CacheKey,
    options: FetchOptions,
    fill: Fill<V>,
    reason: FillReason,
    signal: AbortSignal,
  ): Promise<Landed<V>> {
    for (let attempt = 0; ; attempt++) {
      const found = await this.#fromShared(key, options, fill, reason);
      if (found !== undefined) return found;
      signal.throwIfAborted();
      const turn = await this.#turn(key, signal, attempt);
      if (turn === 'again') continue;
      try {
        signal.throwIfAborted();
        // Another may have stored it between our look and our turn.
        const late = turn === undefined ? undefined : await this.#fromShared(key, options, fill, reason);
        if (late !== undefined) {
          endTurn(turn);
          return late;
        }
        return await this.#render(key, options, fill, reason, signal, turn);
      } catch (error) {
        endTurn(turn);
        throw error;
      }
    }
  }

  /** The turn to render; `again` after waiting for another's; undefined when there is nobody to agree with. */
  async #turn(key: CacheKey, signal: AbortSignal, attempt: number): Promise<Turn | 'again' | undefined> {
    // Two waits in vain (what others rendered may not be stored, say) are enough: better twice than in a row.
    if (this.#coordinator === undefined || attempt >= 2 || !this.#shared.usableFor(key)) return undefined;
    const turn = await this.#coordinator.enter(key, signal);
    if (turn.role === 'leader') return turn;
    this.#counts.followed++;
    await turn.over;
    signal.throwIfAborted();
    return 'again';
  }

  async #fromShared(
    key: CacheKey,
    options: FetchOptions,
    fill: Fill<V>,
    reason: FillReason,
  ): Promise<Landed<V> | undefined> {
    const found = await this.#shared.read(key);
    if (found === undefined) return undefined;
    // Also what is only stale or of use after an error: those who wait for a render may need it.
    this.#keep(key, found.value, options);
    const { currentAt } = found;
    if (found.use === 'fresh') return { ...this.#landing(found.value, 'hit', found.tier), currentAt };
    if (found.use !== 'stale' || reason !== 'miss' || !this.#rollout.allows('refresh', key)) return undefined;
    this.#refreshLater(key, options, fill);
    return { ...this.#landing(found.value, 'stale', found.tier), currentAt };
  }

  async #render(
    key: CacheKey,
    options: FetchOptions,
    fill: Fill<V>,
    reason: FillReason,
    signal: AbortSignal,
    turn: Turn | undefined,
  ): Promise<Landed<V>> {
    const begunAt = this.#validity.version;
    const { value, store } = await this.#fill(options, fill, reason, signal);
    const verdict = judgeKeys(this.#validity, value);
    const storable = store && verdict === 'valid';
    if (store && !storable) this.#counts.rejectedStores++;
    if (storable) {
      this.#failures.forget(key);
      this.#keep(key, value, options);
      // The turn ends when the others can see the result, not before.
      void this.#shared.write(key, value).then(() => endTurn(turn));
    } else endTurn(turn);
    return {
      ...this.#landing(value, 'miss', undefined),
      stored: storable,
      currentAt: verdict === 'purged' ? begunAt : this.#validity.version,
    };
  }

  async #fill(
    { group }: FetchOptions,
    fill: Fill<V>,
    reason: FillReason,
    signal: AbortSignal,
  ): Promise<Filled<V>> {
    this.#counts.fills++;
    if (reason === 'miss') this.#rendering++;
    else this.#counts.refreshes++;
    const stamp = this.#validity.stamp();
    let filled: Filled<V>;
    try {
      filled = await untilAborted(fill({ stamp, signal, reason }), signal);
      // An aborted render may have read half of its data; nothing of it is kept, however complete it looks.
      signal.throwIfAborted();
    } finally {
      if (reason === 'miss') this.#rendering--;
    }
    const own = filled.value.stamp;
    if (own.epoch !== stamp.epoch || own.seq > stamp.seq) throw new ForgedStampError(group);
    return filled;
  }

  /** A debugging request: reads nothing, shares nothing, stores as usual. */
  async #renderApart(key: CacheKey, options: FetchOptions, fill: Fill<V>): Promise<Outcome<V>> {
    const apart = new SingleFlight<Landed<V>>();
    const flight = apart.start(key, async (signal, flight) => {
      const stop = this.#limit(options, flight);
      try {
        return await untilAborted(this.#render(key, options, fill, 'miss', signal, undefined), signal);
      } finally {
        stop.cancel();
      }
    });
    return this.#counted(await flight.wait(options.signal), false);
  }

  #limit({ group, hardTimeoutMs }: FetchOptions, flight: Flight<Landed<V>>): Timer {
    return this.#clock.after(hardTimeoutMs, () => flight.abort(new RenderTimeoutError(group, hardTimeoutMs)));
  }

  /** Once per flight, not once per waiter: remembers the failure, and finds what may stand in for the render. */
  #afterFailure(key: CacheKey, error: unknown): Landed<V> {
    if (error instanceof AbandonedError) this.#counts.abandoned++;
    else if (!(error instanceof CacheClosedError)) {
      if (error instanceof RenderTimeoutError) this.#counts.fillTimeouts++;
      else this.#counts.fillErrors++;
      this.#failures.add(key, error);
      const held = this.#inMemory(key);
      if (held !== undefined) return this.#landStale(held.value, held.tier, error);
    }
    throw error;
  }

  #keep(key: CacheKey, value: V, { group, pin }: FetchOptions): void {
    const pinned = (pin === true || this.#promoted.has(key)) && this.#rollout.allows('static', key);
    if (pinned && this.#pinned.set(key, value, group)) return;
    if (this.#rollout.allows('l1', key)) this.#memory.set(key, value, group);
  }

  #refreshLater(key: CacheKey, options: FetchOptions, fill: Fill<V>): void {
    if (this.#failures.get(key) === undefined) this.#inBackground(key, options, fill, 'refresh');
  }

  #inBackground(key: CacheKey, options: FetchOptions, fill: Fill<V>, reason: 'refresh' | 'warm'): boolean {
    return this.#background.add(key, async () => {
      // What flies at the moment may bring no more than the stale entry of a shared tier.
      await this.#inFlight.current(key)?.landed.catch(() => {});
      if (this.#closed || this.#inMemory(key)?.use === 'fresh' || this.#failures.get(key)) return;
      const flight = this.#inFlight.current(key) ?? this.#launch(key, options, fill, reason);
      flight.detach();
      const { error } = await flight.landed;
      if (error === undefined) return;
      this.#log.warn(
        { err: error, group: options.group },
        'a background render failed; the stale entry stays',
      );
      throw error;
    });
  }

  #hit(value: V, tier: TierName): Outcome<V> {
    if (tier === 'static') this.#counts.hitsStatic++;
    else this.#counts.hitsL1++;
    return { ...this.#landing(value, 'hit', tier), collapsed: false };
  }

  #staleAnswer(value: V, tier: TierName, error: unknown): Outcome<V> {
    return this.#counted(this.#landStale(value, tier, error), false);
  }

  #landStale(value: V, tier: TierName, error: unknown): Landed<V> {
    return { ...this.#landing(value, 'stale', tier), error, currentAt: this.#validity.version };
  }

  #landing(value: V, result: Outcome<V>['result'], tier: TierName | undefined) {
    return { value, result, tier, stored: false, error: undefined };
  }

  #counted({ currentAt: _, ...landed }: Landed<V>, collapsed: boolean): Outcome<V> {
    const { result, tier, error } = landed;
    if (result === 'miss') this.#counts.misses++;
    else if (result === 'stale') {
      this.#counts.stale++;
      if (error !== undefined) this.#counts.staleOnError++;
    } else if (tier === 'l2') this.#counts.hitsL2++;
    else if (tier === 'l3') this.#counts.hitsL3++;
    return { ...landed, collapsed };
  }
}

/** Whether the others were told or not is no matter of this request. */
function endTurn(turn: Turn | undefined): void {
  turn?.done().catch(() => {});
}

/** Does not wait for work that ignores its signal: whatever it comes to is dropped. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
