// Flights and fills: from "no one in this process has it" to a result for all who wait for it.
//
//   a cheap key, a free slot (render-costs.ts)   -> rendered at once, without a flight as long as it waits for nothing
//   otherwise the key's flight, one in this process at a time
//     -> L2, L3           fresh: landed; stale: landed, and one refresh in the background
//     -> a turn to render (an agreement with other processes); a process that had to wait for another's looks into L2, L3 again
//     -> a slot to render in (render-slots.ts), or a refusal, for which a stale entry may stand in
//     -> fill -> kept in memory, written to L2 and L3 behind those who wait
//
// A fill's result is judged before it is stored: what a purge has overtaken is kept nowhere.
import type { Clock } from '../../core/clock.ts';
import { andThen, type Eventually } from '../../core/eventually.ts';
import { Stop, throwIfStopped } from '../../core/stop.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Validity } from '../../core/validity.ts';
import type { CacheKey, FetchOptions, Fill, Filled, FillReason } from '../contract.ts';
import type { Cached } from '../entry.ts';
import {
  AbandonedError,
  CacheClosedError,
  ForgedStampError,
  IncompleteRenderError,
  OverloadedError,
  RenderTimeoutError,
} from '../errors.ts';
import { judgeKeys } from '../memory/cached-entry.ts';
import type { MemoryTier } from '../memory/memory.ts';
import type { Rollout } from '../rollout/rollout.ts';
import type { SharedTiers } from '../shared/shared-tiers.ts';
import type { Failures } from './failures.ts';
import { type FlightResult, followed, landing } from './flight-result.ts';
import type { FlightCoordinator, Turn } from './flights.ts';
import type { RenderCosts } from './render-costs.ts';
import type { RenderSlots, Slot } from './render-slots.ts';
import { Flight, SingleFlight } from './single-flight.ts';
import type { StackCounts } from './stack-counts.ts';

/** A key, and how to make what belongs there. */
export interface Job<V extends Cached> {
  readonly key: CacheKey;
  readonly options: FetchOptions;
  readonly fill: Fill<V>;
}

export interface RendersOptions<V extends Cached> {
  readonly clock: Clock;
  readonly validity: Validity;
  readonly memory: MemoryTier<V>;
  readonly shared: SharedTiers<V>;
  /** Agreement with other processes; without it this one renders for itself. */
  readonly coordinator: FlightCoordinator | undefined;
  /** Without them as many are rendered at once as are asked for. */
  readonly slots: RenderSlots | undefined;
  readonly costs: RenderCosts;
  readonly failures: Failures;
  readonly rollout: Rollout;
  readonly counts: StackCounts;
  /** A shared tier had a stale entry: it was landed, and wants to be made again. */
  readonly onStale: (job: Job<V>) => void;
  /** How late this process may notice that something it waited for is there. */
  readonly lateMs: () => Milliseconds;
  /** People have stopped waiting for a render. */
  readonly onOver: () => void;
}

/** A job on its way: the one object of a render. */
interface Trip<V extends Cached> {
  readonly job: Job<V>;
  readonly reason: FillReason;
  readonly stop: Stop;
  /** Monotonic: it is stopped then. */
  readonly deadlineMs: Milliseconds;
  /** For one request alone: nothing else can be its answer. */
  readonly isApart: boolean;
}

export class Renders<V extends Cached> {
  readonly #options: RendersOptions<V>;
  readonly #inFlight = new SingleFlight<FlightResult<V>>();
  #waitedFor = 0;

  constructor(options: RendersOptions<V>) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Renders that people are waiting for. */
  get waitedFor(): number {
    return this.#waitedFor;
  }

  current(key: CacheKey): Flight<FlightResult<V>> | undefined {
    return this.#inFlight.current(key);
  }

  /**
   * Renders what is cheaper made than looked up, in a slot that is free now: what it came to, or the flight of what it waits
   * for. Undefined: `launch` it.
   */
  atOnce(job: Job<V>): FlightResult<V> | Flight<FlightResult<V>> | undefined {
    const { slots, onOver } = this.#options;
    if (!this.#isStraight(job)) return undefined;
    if (slots !== undefined && slots.overloadLevel !== 'none') return undefined;
    const slot = slots?.enterNow();
    if (slots !== undefined && slot === undefined) return undefined;
    const trip = this.#trip(job, 'miss', new Stop());
    let rendered: Eventually<FlightResult<V>>;
    try {
      rendered = this.#renderIn(trip, slot, undefined);
    } catch (error) {
      rendered = Promise.reject(error);
    }
    if (rendered instanceof Promise) return this.#start(trip).follow(rendered);
    onOver();
    return rendered;
  }

  launch(job: Job<V>, reason: FillReason): Flight<FlightResult<V>> {
    const trip = this.#trip(job, reason, new Stop());
    return this.#start(trip).follow(this.#fly(trip));
  }

  /** For one request alone: reads nothing, shares nothing, stores as usual. */
  launchApart(job: Job<V>): Flight<FlightResult<V>> {
    const trip = { ...this.#trip(job, 'miss', new Stop()), isApart: true };
    const timer = this.#limit(trip);
    const fail = (error: unknown): never => {
      throw error;
    };
    const flight = new Flight<FlightResult<V>>(trip.stop, fail, () => timer.cancel());
    return flight.follow(this.#render(trip, undefined));
  }

  abortAll(reason: unknown): void {
    this.#inFlight.abortAll(reason);
  }

  #trip(job: Job<V>, reason: FillReason, stop: Stop): Trip<V> {
    const deadlineMs = this.#options.clock.monotonic() + job.options.hardTimeoutMs;
    return { job, reason, stop, deadlineMs, isApart: false };
  }

  #start(trip: Trip<V>): Flight<FlightResult<V>> {
    const { job, stop } = trip;
    const timer = this.#limit(trip);
    const failed = (error: unknown) => this.#afterFailure(job, error);
    return this.#inFlight.start(job.key, stop, failed, () => {
      timer.cancel();
      this.#options.onOver();
    });
  }

  #limit({ job: { options }, stop }: Trip<V>) {
    const { group, hardTimeoutMs } = options;
    return this.#options.clock.after(hardTimeoutMs, () =>
      stop.abort(new RenderTimeoutError(group, hardTimeoutMs)),
    );
  }

  /** Nothing is looked up before it, and no other process is asked. */
  #isStraight({ key, options }: Job<V>): boolean {
    const { costs, shared } = this.#options;
    return options.neverKept === true || costs.isCheap(key, options.group) || !shared.usableFor(key);
  }

  async #fly(trip: Trip<V>): Promise<FlightResult<V>> {
    const { job, reason, stop, deadlineMs } = trip;
    const { slots } = this.#options;
    const isStraight = this.#isStraight(job);
    const patience = new Patience(this.#options.clock, deadlineMs);
    let hasFollowed = false;
    for (;;) {
      const found = isStraight ? undefined : await this.#fromShared(job, reason);
      if (found !== undefined) return hasFollowed ? followed(found) : found;
      throwIfStopped(stop);
      const standIn =
        reason === 'miss' && slots !== undefined ? this.#staleIfOverloaded(job.key, slots) : undefined;
      if (standIn !== undefined) return standIn;
      // No turn is asked for that could not be used.
      if (reason === 'miss') slots?.check(deadlineMs);
      const turn = isStraight ? undefined : await this.#turn(trip, patience);
      if (turn === 'again') {
        hasFollowed = true;
        continue;
      }
      // Work that ignores its stop does not keep the turn either.
      if (turn !== undefined) stop.addEventListener('abort', () => endTurn(turn));
      try {
        throwIfStopped(stop);
        // Another may have stored it between our look and our turn.
        const late = turn === undefined ? undefined : await this.#fromShared(job, reason);
        if (late !== undefined) {
          endTurn(turn);
          return hasFollowed ? followed(late) : late;
        }
        return await this.#render(trip, turn);
      } catch (error) {
        endTurn(turn);
        throw error;
      }
    }
  }

  /** The turn to render; `again` after waiting for another's; undefined where there is no other worker to agree with. */
  async #turn({ job, stop }: Trip<V>, patience: Patience): Promise<Turn | 'again' | undefined> {
    const { coordinator, shared, counts } = this.#options;
    const { key, options } = job;
    if (coordinator === undefined || patience.isOver || !shared.usableFor(key)) return undefined;
    const turn = await coordinator.enter(key, stop);
    if (turn.role === 'leader') return turn;
    counts.followed++;
    const over = new Stop();
    const stopped = () => over.abort(stop.reason);
    stop.addEventListener('abort', stopped);
    options.onFollow?.(over);
    await patience.during(turn.over);
    stop.removeEventListener('abort', stopped);
    over.abort(undefined);
    throwIfStopped(stop);
    return 'again';
  }

  async #fromShared(job: Job<V>, reason: FillReason): Promise<FlightResult<V> | undefined> {
    const { shared, memory, rollout, onStale } = this.#options;
    const { key, options } = job;
    const found = await shared.read(key);
    if (found === undefined) return undefined;
    // Also what is only stale or of use after an error: those who wait for a render may need it.
    memory.set(key, found.value, options.group, options.pin);
    const { value, tier, currentAt } = found;
    if (found.use === 'fresh') return { ...landing(value, 'hit', tier), currentAt };
    if (found.use !== 'stale' || reason !== 'miss' || !rollout.allows('refresh', key)) return undefined;
    onStale(job);
    return { ...landing(value, 'stale', tier), currentAt };
  }

  async #render(trip: Trip<V>, turn: Turn | undefined): Promise<FlightResult<V>> {
    const { slots } = this.#options;
    const slot =
      trip.reason === 'miss' ? await slots?.enter(trip.deadlineMs, trip.stop) : slots?.enterBehind();
    return this.#renderIn(trip, slot, turn);
  }

  #renderIn(trip: Trip<V>, slot: Slot | undefined, turn: Turn | undefined): Eventually<FlightResult<V>> {
    const begunAt = this.#options.validity.version;
    return andThen(this.#fill(trip, slot), (filled) => this.#keep(trip, turn, filled, begunAt));
  }

  #fill(trip: Trip<V>, slot: Slot | undefined): Eventually<Filled<V>> {
    const { job, reason, stop } = trip;
    const { clock, counts, validity, lateMs } = this.#options;
    const stamp = validity.stamp();
    const isWaitedFor = reason === 'miss';
    counts.fills++;
    if (isWaitedFor) this.#waitedFor++;
    else counts.refreshes++;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      slot?.leave();
      if (isWaitedFor) this.#waitedFor--;
    };
    const beganAtMs = clock.monotonic();
    const ended = (filled: Filled<V>, notOursMs: Milliseconds): Filled<V> => {
      over();
      const { stamp: own } = filled.value;
      if (own.epoch !== stamp.epoch || own.seq > stamp.seq) throw new ForgedStampError(job.options.group);
      this.#assess(job, filled, clock.monotonic() - beganAtMs - notOursMs);
      return filled;
    };
    const failed = (error: unknown): never => {
      over();
      throw error;
    };
    let filling: Eventually<Filled<V>>;
    try {
      filling = job.fill({ stamp, signal: stop, reason });
    } catch (error) {
      return failed(error);
    }
    if (!(filling instanceof Promise)) return ended(filling, 0);
    const waitsSinceMs = clock.monotonic();
    // Work that ignores its stop keeps neither its slot nor those who wait behind it.
    stop.addEventListener('abort', over);
    return filling.then((filled) => {
      // A stopped render may have read half of its data; nothing of it is kept, however complete it looks.
      if (stop.aborted) return failed(stop.reason);
      return ended(filled, Math.min(lateMs(), clock.monotonic() - waitsSinceMs));
    }, failed);
  }

  /** What it cost says what to ask before the next. */
  #assess({ key, options: { group } }: Job<V>, { cost, value }: Filled<V>, tookMs: Milliseconds): void {
    if (cost === 'unlike' || value.incomplete === true) return;
    this.#options.costs.rendered(key, group, cost === 'dear' ? Number.POSITIVE_INFINITY : tookMs);
  }

  #keep(
    trip: Trip<V>,
    turn: Turn | undefined,
    { value, store }: Filled<V>,
    begunAt: number,
  ): FlightResult<V> {
    const { validity, counts, failures, memory } = this.#options;
    const { job } = trip;
    const verdict = judgeKeys(validity, value);
    const storable = store && verdict === 'valid';
    if (store && !storable) counts.rejectedStores++;
    if (value.incomplete === true) {
      endTurn(turn);
      this.#assertWanted(trip);
      if (storable && trip.reason === 'miss') memory.set(job.key, value, job.options.group, job.options.pin);
    } else if (storable) {
      failures.forget(job.key);
      memory.set(job.key, value, job.options.group, job.options.pin);
      this.#share(job, turn, value);
    } else endTurn(turn);
    return {
      ...landing(value, 'miss', undefined),
      stored: storable,
      currentAt: verdict === 'purged' ? begunAt : validity.version,
    };
  }

  /** Behind those who wait. The turn ends when the others can see the result, not before. */
  #share({ key, options }: Job<V>, turn: Turn | undefined, value: V): void {
    const { shared, costs } = this.#options;
    // A worker that waits for this turn would find nothing.
    if (turn !== undefined) void shared.write(key, value).then(() => endTurn(turn));
    else if (!costs.isCheap(key, options.group)) void shared.write(key, value);
    // A restart is glad of what the warm list names.
    else if (options.reason === 'warm') void shared.writeToDisk(key, value);
  }

  /** An older complete page that may still be served stands in before an incomplete one, as for any render that fails. */
  #assertWanted({ job, isApart }: Trip<V>): void {
    const cached = isApart ? undefined : this.#options.memory.get(job.key)?.cached;
    if (cached !== undefined && cached.value.incomplete !== true)
      throw new IncompleteRenderError(job.options.group);
  }

  /** Under overload what memory has of it is response enough, whatever its time says. */
  #staleIfOverloaded(key: CacheKey, slots: RenderSlots): FlightResult<V> | undefined {
    return slots.overloadLevel === 'none' ? undefined : this.#standIn(key, STALE_IF_OVERLOADED);
  }

  #standIn(key: CacheKey, error: OverloadedError): FlightResult<V> | undefined {
    const { memory, validity, slots } = this.#options;
    const standIn = memory.standIn(key);
    if (standIn === undefined) return undefined;
    slots?.countStaleIfOverloaded();
    return { ...landing(standIn.value, 'stale', standIn.tier), error, currentAt: validity.version };
  }

  /** Once per flight, not once per waiter: remembers the failure, and finds what may stand in for the render. */
  #afterFailure(job: Job<V>, error: unknown): Eventually<FlightResult<V>> {
    const { counts, failures } = this.#options;
    const { key, options } = job;
    if (error instanceof AbandonedError) counts.abandoned++;
    else if (error instanceof OverloadedError) {
      // No failure of the page: the next who asks may find room.
      const standIn = this.#standIn(key, error);
      if (standIn !== undefined) return standIn;
    } else if (!(error instanceof CacheClosedError)) {
      if (error instanceof RenderTimeoutError) counts.fillTimeouts++;
      else counts.fillErrors++;
      failures.add(key, error);
      const older = this.#older(key, error);
      if (older !== undefined) return older;
      if (options.neverKept !== true && this.#isStraight(job)) return this.#olderElsewhere(job, error);
    }
    throw error;
  }

  /** What memory has stands in for the render. */
  #older(key: CacheKey, error: unknown): FlightResult<V> | undefined {
    const { memory, validity } = this.#options;
    const cached = memory.get(key)?.cached;
    return cached && { ...landing(cached.value, 'stale', cached.tier), error, currentAt: validity.version };
  }

  /** The render went ahead without a look into the other tiers, and failed. */
  async #olderElsewhere(job: Job<V>, error: unknown): Promise<FlightResult<V>> {
    await this.#fromShared(job, 'refresh');
    const older = this.#older(job.key, error);
    if (older === undefined) throw error;
    return older;
  }
}

/**
 * How long a request waits for what others render. Who has waited for a render to its end and finds nothing (it failed, or
 * may not be stored) renders for itself after the second time, and already after the first if another wait of that
 * length would leave less than that to render in: better twice at once than in a row, past the deadline. A render that
 * still goes on is waited for: it is ahead of any that would begin now.
 */
class Patience {
  readonly #clock: Clock;
  readonly #deadlineMs: Milliseconds;
  #inVain = 0;
  #longestMs: Milliseconds = 0;

  constructor(clock: Clock, deadlineMs: Milliseconds) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  get isOver(): boolean {
    if (this.#inVain === 0) return false;
    return this.#inVain >= 2 || this.#clock.monotonic() + 2 * this.#longestMs > this.#deadlineMs;
  }

  async during(over: Promise<boolean>): Promise<void> {
    const beganAtMs = this.#clock.monotonic();
    const ended = await over;
    this.#longestMs = Math.max(this.#longestMs, this.#clock.monotonic() - beganAtMs);
    if (ended) this.#inVain++;
  }
}

const STALE_IF_OVERLOADED = new OverloadedError('staleIfOverloaded');

/** Whether the others were told or not is no matter of this request. */
function endTurn(turn: Turn | undefined): void {
  turn?.done().catch(() => {});
}
