// The tiers joined: static, L1, L2, L3, render, in this order; each request leaves at the first that serves it.
//
//   in memory and fresh      -> hit                                                          memory-tiers.ts
//   in memory and stale      -> the stale answer now, one refresh in the background          background-renders.ts
//   otherwise                -> board the key's flight, or start it: L2, L3, render, store   renders.ts
//
// Held true throughout
// - An entry purged after its stamp is served from no tier, and stored in none.
// - Who arrives after a purge may board a flight that took off before it, but takes its result only if that purge
//   did not touch it; otherwise it renders again (`#satisfies`).
// - No request waits for a store: L1 is memory, L2 and L3 are written behind.
import type { Clock } from '../../core/clock.ts';
import { andThen, type Eventually } from '../../core/eventually.ts';
import type { Logger } from '../../core/log.ts';
import { throwIfStopped } from '../../core/stop.ts';
import type { Tracing } from '../../core/trace.ts';
import type { EpochMs, Milliseconds } from '../../core/units.ts';
import type { Validity, Verdict } from '../../core/validity.ts';
import type { Cache, CacheKey, FetchOptions, Fill, Outcome, ReplaceOptions, TierName } from '../contract.ts';
import type { Cached } from '../entry.ts';
import { CacheClosedError, IncompleteRenderError } from '../errors.ts';
import { type CachedEntry, isBelievable, isTrusted, judgeKeys } from '../memory/cached-entry.ts';
import type { MemoryTier } from '../memory/memory.ts';
import type { Background } from '../render/background.ts';
import { BackgroundRenders } from '../render/background-renders.ts';
import { Failures } from '../render/failures.ts';
import { type FlightResult, landing } from '../render/flight-result.ts';
import type { FlightCoordinator } from '../render/flights.ts';
import { RenderCosts } from '../render/render-costs.ts';
import type { RenderSlots } from '../render/render-slots.ts';
import { type Job, Renders } from '../render/renders.ts';
import { Flight } from '../render/single-flight.ts';
import { zeroCounts } from '../render/stack-counts.ts';
import { Cohorts, type RolloutStats } from '../rollout/cohorts.ts';
import { type Feature, Rollout } from '../rollout/rollout.ts';
import { SharedTiers } from '../shared/shared-tiers.ts';
import type { Tier } from '../shared/tier.ts';

export interface StackOptions<V extends Cached> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly validity: Validity;
  readonly memory: MemoryTier<V>;
  /** L2 and L3, those that there are, in this order. */
  readonly shared?: readonly Tier<V>[];
  /** Agreement with other workers; without it each worker renders for itself. */
  readonly flights?: FlightCoordinator;
  readonly background: Background;
  /** Who may render now. Without them as many are rendered at once as are asked for. */
  readonly slots?: RenderSlots;
  /** What is rendered in less is cheap (render-costs.ts). Default 0: nothing is. */
  readonly cheapMs?: Milliseconds;
  /** How late this process may notice that something it waited for is there. Default: not at all. */
  readonly lateMs?: () => Milliseconds;
  readonly rollout?: Rollout;
  /** The part of the rollout that this whole stack is: a key outside its cohort is rendered as if there were no cache. */
  readonly feature?: Feature;
  /** How long a failed render is not tried again. */
  readonly negativeTtlMs?: Milliseconds;
  readonly tierTimeoutMs?: Milliseconds;
  readonly writeTimeoutMs?: Milliseconds;
  readonly maxWrites?: number;
  readonly trace?: Tracing;
}

export class CacheStack<V extends Cached> implements Cache<V> {
  readonly #clock: Clock;
  readonly #validity: Validity;
  readonly #memory: MemoryTier<V>;
  readonly #shared: SharedTiers<V>;
  readonly #renders: Renders<V>;
  readonly #behind: BackgroundRenders<V>;
  readonly #background: Background;
  readonly #rollout: Rollout;
  readonly #feature: Feature | undefined;
  /** Undefined where nothing is rolled out in part: then there is nothing to compare. */
  readonly #cohorts: Cohorts | undefined;
  readonly #failures: Failures;
  readonly #costs: RenderCosts;
  readonly #counts = zeroCounts();
  #closed = false;

  constructor(options: StackOptions<V>) {
    const { clock, log, validity, memory, background, rollout = new Rollout() } = options;
    const counts = this.#counts;
    this.#clock = clock;
    this.#validity = validity;
    this.#background = background;
    this.#rollout = rollout;
    this.#feature = options.feature;
    this.#cohorts = Cohorts.of(rollout, options.feature);
    this.#failures = new Failures(clock, options.negativeTtlMs ?? 1000, 1000);
    this.#memory = memory;
    this.#costs = new RenderCosts(options.cheapMs ?? 0);
    this.#shared = new SharedTiers({
      clock,
      validity,
      tiers: options.shared ?? [],
      rollout,
      tierTimeoutMs: options.tierTimeoutMs ?? 250,
      writeTimeoutMs: options.writeTimeoutMs ?? 1000,
      maxWrites: options.maxWrites ?? 256,
      trace: options.trace,
    });
    this.#renders = new Renders({
      clock,
      validity,
      memory,
      shared: this.#shared,
      coordinator: options.flights,
      slots: options.slots,
      costs: this.#costs,
      lateMs: options.lateMs ?? (() => 0),
      failures: this.#failures,
      rollout,
      counts,
      onStale: (job) => this.#behind.refresh(job),
      onOver: () => background.pump(),
    });
    this.#behind = new BackgroundRenders({
      log,
      background,
      memory,
      failures: this.#failures,
      renders: this.#renders,
    });
  }

  peek(key: CacheKey): V | undefined {
    return this.#fresh(key)?.value;
  }

  hit(key: CacheKey): Outcome<V> | undefined {
    const cached = this.#fresh(key);
    return cached && hitOf(cached);
  }

  fetch(key: CacheKey, options: FetchOptions, fill: Fill<V>): Eventually<Outcome<V>> {
    const job = { key, options, fill };
    try {
      // Background renders would make the cohort look slow that happens to be warmed.
      return this.#cohorts === undefined || options.reason === 'warm'
        ? this.#fetch(job)
        : this.#compared(job, this.#cohorts);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  replace(key: CacheKey, before: V, after: V, { share, group }: ReplaceOptions): boolean {
    if (!this.#memory.replace(key, before, after)) return false;
    if (share && !this.#costs.isCheap(key, group)) void this.#shared.write(key, after);
    return true;
  }

  /** Renders `key` in the background unless it is fresh. False: already on its way, or the queue is full. */
  warm(key: CacheKey, options: FetchOptions, fill: Fill<V>): boolean {
    return this.#behind.add({ key, options, fill }, 'warm');
  }

  /** Drops `key` from this worker's memory. Validity does not need it; it frees the bytes at once. */
  evict(key: CacheKey): void {
    this.#memory.delete(key);
    this.#failures.forget(key);
  }

  /** Drops `key` from memory if a purge has made it invalid, and says how often it had been served. */
  dropPurged(key: CacheKey): { readonly reads: number } | undefined {
    return this.#memory.dropPurged(key);
  }

  /** What a request that comes now is answered with from memory, be it stale; not counted as a read. */
  served(key: CacheKey): V | undefined {
    return this.#memory.served(key);
  }

  /** Every tier that holds `key`, in the order in which they are asked, and what it is worth. For people. */
  async holders(
    key: CacheKey,
  ): Promise<{ readonly tier: TierName; readonly value: V; readonly verdict: Verdict }[]> {
    const cached = this.#memory.look(key);
    const found = [
      ...(cached === undefined ? [] : [{ tier: cached.tier, value: cached.value }]),
      ...(await this.#shared.look(key)),
    ];
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
    this.#memory.clear();
    await this.#shared.clear();
  }

  /** The keys of this worker's memory: those pinned, then those wanted last, most recent first. */
  recentKeys(limit: number): CacheKey[] {
    return this.#memory.recentKeys(limit);
  }

  stats() {
    const { pinned, ...l1 } = this.#memory.stats();
    return {
      ...this.#counts,
      inFlight: this.#renders.inFlight,
      failing: this.#failures.size,
      static: pinned,
      l1,
      shared: this.#shared.stats(),
      background: this.#background.stats(),
      rollout: this.rolloutStats(),
    };
  }

  /** What L1 holds of each group. */
  cachedByGroup() {
    return this.#memory.groups();
  }

  /** For each feature that is on for some keys only: how those inside fare beside those outside. */
  rolloutStats(): RolloutStats {
    return this.#cohorts?.stats() ?? {};
  }

  /** Renders that people are waiting for. */
  get rendering(): number {
    return this.#renders.waitedFor;
  }

  /** Resolves when what was rendered has reached the shared tiers. */
  flushed(): Promise<void> {
    return this.#shared.flushed();
  }

  /** Refuses new requests, stops what renders, waits for what is being written. Does not close the tiers. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#behind.close();
    this.#renders.abortAll(new CacheClosedError());
    await this.#shared.flushed();
  }

  async #compared(job: Job<V>, cohorts: Cohorts): Promise<Outcome<V>> {
    const beganAtMs = this.#clock.monotonic();
    let result: Outcome<V>['result'] | 'failed' = 'failed';
    try {
      const outcome = await this.#fetch(job);
      result = outcome.result;
      return outcome;
    } finally {
      cohorts.add(job.key, result, this.#clock.monotonic() - beganAtMs);
    }
  }

  #fetch(job: Job<V>): Eventually<Outcome<V>> {
    const { key, options } = job;
    if (this.#closed) throw new CacheClosedError();
    if (options.bypass === true) return this.#apart(job);
    if (this.#feature !== undefined && !this.#rollout.allows(this.#feature, key))
      return this.#apart(keptNowhere(job));
    const found = this.#memory.get(key);
    const cached = found?.cached;
    if (cached !== undefined) cached.reads++;
    if (cached !== undefined && found?.use === 'fresh') return this.#hit(cached);
    if (
      cached !== undefined &&
      found?.use === 'stale' &&
      options.reason !== 'warm' &&
      this.#rollout.allows('refresh', key)
    ) {
      this.#behind.refresh(job);
      return this.#stale(cached, undefined);
    }
    const failure = this.#failures.get(key);
    if (failure !== undefined) {
      this.#counts.negativeHits++;
      if (cached !== undefined) return this.#stale(cached, failure.error);
      // Those who ask are given what it came to.
      if (!(failure.error instanceof IncompleteRenderError)) throw failure.error;
    }
    const begun = options.reason === undefined ? this.#begun(job) : undefined;
    if (begun === undefined || begun instanceof Flight) return this.#await(job, begun);
    return this.#counted(begun, false);
  }

  /** Rendered at once, or its flight. Undefined: it is to be launched, or flies already. */
  #begun(job: Job<V>): FlightResult<V> | Flight<FlightResult<V>> | undefined {
    return this.#renders.current(job.key) === undefined ? this.#renders.atOnce(job) : undefined;
  }

  /** Boards flights until one brings a result that is new enough for a request that arrives now. `own`: was begun for it. */
  async #await(job: Job<V>, own: Flight<FlightResult<V>> | undefined): Promise<Outcome<V>> {
    if (own === undefined) throwIfStopped(job.options.signal);
    const arrival = this.#validity.version;
    const readSinceMs = this.#oldestReading();
    let collapsed = false;
    let mine = own;
    for (;;) {
      const current = mine === undefined ? this.#renders.current(job.key) : undefined;
      if (current !== undefined) {
        this.#counts.collapsed++;
        collapsed = true;
      }
      const flight = current ?? mine ?? this.#renders.launch(job, job.options.reason ?? 'miss');
      mine = undefined;
      const flightResult = await this.#waitFor(flight, job);
      const isOwn = current === undefined;
      if (this.#satisfies(flightResult, arrival) && (isOwn || this.#isRecent(flightResult, readSinceMs)))
        return this.#counted(flightResult, collapsed);
      // Every further round needs a purge that came between, or a flight that began long before; a flight of one's
      // own always satisfies.
      this.#counts.overtaken++;
    }
  }

  /**
   * While purges may be missing only its age vouches for a value, also for one that is just being made: who joins a
   * slow render near its end must not be given what it read long ago.
   */
  #oldestReading(): EpochMs {
    if (isTrusted(this.#validity, this.#clock)) return Number.NEGATIVE_INFINITY;
    return this.#clock.now() - this.#validity.degradedTtlMs;
  }

  #isRecent({ value, error }: FlightResult<V>, readSinceMs: EpochMs): boolean {
    // What stands in for a failure says so, and may be old.
    if (error !== undefined || readSinceMs === Number.NEGATIVE_INFINITY) return true;
    // What seems to be made in the future was made before the clock was set back.
    if (value.createdMs >= readSinceMs && value.createdMs <= this.#clock.now()) return true;
    return isTrusted(this.#validity, this.#clock) && judgeKeys(this.#validity, value) !== 'purged';
  }

  /** Not older than what this worker had applied when the request arrived. */
  #satisfies({ value, currentAt }: FlightResult<V>, arrival: number): boolean {
    return currentAt >= arrival || judgeKeys(this.#validity, value) !== 'purged';
  }

  /** The flight's result; or, when it takes longer than the request likes, the stale entry there is. */
  #waitFor(flight: Flight<FlightResult<V>>, { key, options }: Job<V>): Promise<FlightResult<V>> {
    if (options.softTimeoutMs >= options.hardTimeoutMs) return flight.wait(options.signal);
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(options.softTimeoutMs, () => {
        const cached = this.#memory.get(key)?.cached;
        // What only stands in for a failure while purges may be missing must say so: it waits for the failure.
        if (cached === undefined) return;
        const nowMs = cached.nowMs(this.#clock);
        if (!isBelievable(cached.value, this.#validity, this.#clock, nowMs)) return;
        // Goes on without us: its result is what the next reader gets.
        flight.detach();
        this.#counts.staleOnSlow++;
        resolve(this.#landStale(cached, undefined));
      });
      flight.wait(options.signal).then(
        (flightResult) => {
          timer.cancel();
          resolve(flightResult);
        },
        (error) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  async #apart(job: Job<V>): Promise<Outcome<V>> {
    return this.#counted(await this.#renders.launchApart(job).wait(job.options.signal), false);
  }

  /** Counted as a hit. */
  #fresh(key: CacheKey): CachedEntry<V> | undefined {
    const cached = this.#memory.fresh(key);
    if (cached === undefined) return undefined;
    this.#countHit(cached);
    if (this.#cohorts !== undefined) this.#cohorts.add(key, 'hit', 0);
    return cached;
  }

  #countHit({ isPinned }: CachedEntry<V>): void {
    if (isPinned) this.#counts.hitsStatic++;
    else this.#counts.hitsL1++;
  }

  #hit(cached: CachedEntry<V>): Outcome<V> {
    this.#countHit(cached);
    return hitOf(cached);
  }

  #stale(cached: CachedEntry<V>, error: unknown): Outcome<V> {
    return this.#counted(this.#landStale(cached, error), false);
  }

  #landStale({ value, tier }: CachedEntry<V>, error: unknown): FlightResult<V> {
    return { ...landing(value, 'stale', tier), error, currentAt: this.#validity.version };
  }

  #counted(
    { value, result, tier, stored, error, followed = false }: FlightResult<V>,
    collapsed: boolean,
  ): Outcome<V> {
    if (result === 'miss') this.#counts.misses++;
    else if (result === 'stale') {
      this.#counts.stale++;
      if (error !== undefined) this.#counts.staleOnError++;
    } else if (tier === 'l2') this.#counts.hitsL2++;
    else if (tier === 'l3') this.#counts.hitsL3++;
    return { value, result, tier, stored, error, collapsed: collapsed || followed };
  }
}

/** The same render, for the waiting requests and for no tier. */
function keptNowhere<V extends Cached>(job: Job<V>): Job<V> {
  return { ...job, fill: (context) => andThen(job.fill(context), (filled) => ({ ...filled, store: false })) };
}

/** Written out: it is made for each hit of the ordinary path. */
function hitOf<V extends Cached>({ value, tier }: CachedEntry<V>): Outcome<V> {
  return { value, result: 'hit', tier, stored: false, error: undefined, collapsed: false };
}
