// Flights and fills: from "nobody in this process has it" to a result for all who wait for it.
//
//   the key's flight, one in this process at a time
//     -> L2, L3           fresh: landed; stale: landed, and one refresh in the background
//     -> a turn to render (an agreement with other processes); whoever had to wait for another's looks into L2, L3 again
//     -> a slot to render in (render-slots.ts), or a refusal, for which a stale entry may stand in
//     -> fill -> kept in memory, written to L2 and L3 behind those who wait
//
// A fill's result is judged before it is stored: what a purge has overtaken is kept nowhere.
import type { Clock, Timer } from '../../core/clock.ts';
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
import { followed, type Landed, landing } from './flight-result.ts';
import type { FlightCoordinator, Turn } from './flights.ts';
import type { QuickGroups } from './quick-groups.ts';
import type { Leave, RenderSlots } from './render-slots.ts';
import { type Flight, SingleFlight } from './single-flight.ts';
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
  readonly quick: QuickGroups;
  readonly failures: Failures;
  readonly rollout: Rollout;
  readonly counts: StackCounts;
  /** A shared tier had a stale entry: it was landed, and wants to be made again. */
  readonly onStale: (job: Job<V>) => void;
  /** People have stopped waiting for a render. */
  readonly onOver: () => void;
}

/** A job on its way. */
interface Trip<V extends Cached> {
  readonly job: Job<V>;
  readonly reason: FillReason;
  readonly signal: AbortSignal;
  /** Monotonic: it is aborted then. */
  readonly deadlineMs: Milliseconds;
  /** For one request alone: nothing else can be its answer. */
  readonly isApart: boolean;
}

export class Renders<V extends Cached> {
  readonly #options: RendersOptions<V>;
  readonly #inFlight = new SingleFlight<Landed<V>>();
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

  current(key: CacheKey): Flight<Landed<V>> | undefined {
    return this.#inFlight.current(key);
  }

  launch(job: Job<V>, reason: FillReason): Flight<Landed<V>> {
    return this.#inFlight.start(job.key, async (signal, flight) => {
      // Leaves the caller's stack first: the flight is on the map before anything of it runs.
      await undefined;
      const stop = this.#limit(job.options, flight);
      try {
        return await untilAborted(this.#fly(this.#trip(job, reason, signal)), signal);
      } catch (error) {
        return this.#afterFailure(job.key, error);
      } finally {
        stop.cancel();
        this.#options.onOver();
      }
    });
  }

  /** For one request alone: reads nothing, shares nothing, stores as usual. */
  launchApart(job: Job<V>): Flight<Landed<V>> {
    return new SingleFlight<Landed<V>>().start(job.key, async (signal, flight) => {
      const stop = this.#limit(job.options, flight);
      try {
        const trip = { ...this.#trip(job, 'miss', signal), isApart: true };
        return await untilAborted(this.#render(trip, undefined), signal);
      } finally {
        stop.cancel();
      }
    });
  }

  abortAll(reason: unknown): void {
    this.#inFlight.abortAll(reason);
  }

  #trip(job: Job<V>, reason: FillReason, signal: AbortSignal): Trip<V> {
    const deadlineMs = this.#options.clock.monotonic() + job.options.hardTimeoutMs;
    return { job, reason, signal, deadlineMs, isApart: false };
  }

  async #fly(trip: Trip<V>): Promise<Landed<V>> {
    const { job, reason, signal, deadlineMs } = trip;
    const { slots, quick } = this.#options;
    const needsNobody = job.options.neverKept === true || (reason === 'miss' && quick.has(job.options.group));
    const patience = new Patience(this.#options.clock, deadlineMs);
    let hasFollowed = false;
    for (;;) {
      const found = await this.#fromShared(job, reason);
      if (found !== undefined) return hasFollowed ? followed(found) : found;
      signal.throwIfAborted();
      const spare = reason === 'miss' && slots !== undefined ? this.#spared(job.key, slots) : undefined;
      if (spare !== undefined) return spare;
      // Nobody need be asked for a turn that could not be used.
      if (reason === 'miss') slots?.check(deadlineMs);
      const turn = needsNobody ? undefined : await this.#turn(trip, patience);
      if (turn === 'again') {
        hasFollowed = true;
        continue;
      }
      try {
        signal.throwIfAborted();
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

  /** The turn to render; `again` after waiting for another's; undefined when there is nobody to agree with. */
  async #turn({ job, signal }: Trip<V>, patience: Patience): Promise<Turn | 'again' | undefined> {
    const { coordinator, shared, counts } = this.#options;
    const { key, options } = job;
    if (coordinator === undefined || patience.isOver || !shared.usableFor(key)) return undefined;
    const turn = await coordinator.enter(key, signal);
    if (turn.role === 'leader') return turn;
    counts.followed++;
    const over = new AbortController();
    options.onFollow?.(AbortSignal.any([signal, over.signal]));
    await patience.during(turn.over);
    over.abort();
    signal.throwIfAborted();
    return 'again';
  }

  async #fromShared(job: Job<V>, reason: FillReason): Promise<Landed<V> | undefined> {
    const { shared, memory, rollout, onStale } = this.#options;
    const { key, options } = job;
    if (options.neverKept === true) return undefined;
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

  async #render(trip: Trip<V>, turn: Turn | undefined): Promise<Landed<V>> {
    const { validity, counts, failures, memory, shared, quick } = this.#options;
    const { job } = trip;
    const leave = await this.#slot(trip);
    const begunAt = validity.version;
    const { value, store } = await this.#fill(trip).finally(leave);
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
      // Whoever waits for this turn would find nothing.
      const isQuick = turn === undefined && trip.reason === 'miss' && quick.has(job.options.group);
      const written = isQuick ? shared.writeButNoFile(job.key, value) : shared.write(job.key, value);
      // The turn ends when the others can see the result, not before.
      void written.then(() => endTurn(turn));
    } else endTurn(turn);
    return {
      ...landing(value, 'miss', undefined),
      stored: storable,
      currentAt: verdict === 'purged' ? begunAt : validity.version,
    };
  }

  /** An older complete page that may still be served stands in before an incomplete one, as for any render that fails. */
  #assertWanted({ job, isApart }: Trip<V>): void {
    const held = isApart ? undefined : this.#options.memory.get(job.key)?.held;
    if (held !== undefined && held.value.incomplete !== true)
      throw new IncompleteRenderError(job.options.group);
  }

  async #slot({ reason, deadlineMs, signal }: Trip<V>): Promise<Leave | undefined> {
    const { slots } = this.#options;
    return reason === 'miss' ? slots?.enter(deadlineMs, signal) : slots?.enterBehind();
  }

  async #fill({ job, reason, signal }: Trip<V>): Promise<Filled<V>> {
    const { options, fill } = job;
    const { clock, counts, validity, quick } = this.#options;
    const beganAtMs = clock.monotonic();
    counts.fills++;
    if (reason === 'miss') this.#waitedFor++;
    else counts.refreshes++;
    const stamp = validity.stamp();
    let filled: Filled<V>;
    try {
      filled = await untilAborted(fill({ stamp, signal, reason }), signal);
      // An aborted render may have read half of its data; nothing of it is kept, however complete it looks.
      signal.throwIfAborted();
    } finally {
      if (reason === 'miss') this.#waitedFor--;
    }
    quick.took(options.group, clock.monotonic() - beganAtMs);
    const own = filled.value.stamp;
    if (own.epoch !== stamp.epoch || own.seq > stamp.seq) throw new ForgedStampError(options.group);
    return filled;
  }

  #limit({ group, hardTimeoutMs }: FetchOptions, flight: Flight<Landed<V>>): Timer {
    const { clock } = this.#options;
    return clock.after(hardTimeoutMs, () => flight.abort(new RenderTimeoutError(group, hardTimeoutMs)));
  }

  /** Under strain what memory has of it is answer enough, whatever its time says. */
  #spared(key: CacheKey, slots: RenderSlots): Landed<V> | undefined {
    return slots.strain === 'none' ? undefined : this.#spare(key, SPARED);
  }

  #spare(key: CacheKey, error: OverloadedError): Landed<V> | undefined {
    const { memory, validity, slots } = this.#options;
    const spare = memory.spare(key);
    if (spare === undefined) return undefined;
    slots?.countSpared();
    return { ...landing(spare.value, 'stale', spare.tier), error, currentAt: validity.version };
  }

  /** Once per flight, not once per waiter: remembers the failure, and finds what may stand in for the render. */
  #afterFailure(key: CacheKey, error: unknown): Landed<V> {
    const { counts, failures, memory, validity } = this.#options;
    if (error instanceof AbandonedError) counts.abandoned++;
    else if (error instanceof OverloadedError) {
      // No failure of the page: the next who asks may find room.
      const spare = this.#spare(key, error);
      if (spare !== undefined) return spare;
    } else if (!(error instanceof CacheClosedError)) {
      if (error instanceof RenderTimeoutError) counts.fillTimeouts++;
      else counts.fillErrors++;
      failures.add(key, error);
      const held = memory.get(key)?.held;
      if (held !== undefined) {
        return { ...landing(held.value, 'stale', held.tier), error, currentAt: validity.version };
      }
    }
    throw error;
  }
}

/**
 * How long a request waits for what others render. Who has waited for a render to its end and finds nothing (it failed, or
 * may not be stored) renders for himself after the second time, and already after the first if another wait of that
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

const SPARED = new OverloadedError('spared');

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
