// Flights and fills: from "nobody in this process has it" to a result for all who wait for it.
//
//   the key's flight, one in this process at a time
//     -> L2, L3           fresh: landed; stale: landed, and one refresh in the background
//     -> a turn to render (an agreement with other processes); whoever had to wait for another's looks into L2, L3 again
//     -> fill -> kept in memory, written to L2 and L3 behind those who wait
//
// A fill's result is judged before it is stored: what a purge has overtaken is kept nowhere.
import type { Clock, Timer } from '../core/clock.ts';
import type { Validity } from '../core/validity.ts';
import type { Cached } from './entry.ts';
import { AbandonedError, CacheClosedError, ForgedStampError, RenderTimeoutError } from './errors.ts';
import type { Failures } from './failures.ts';
import type { FlightCoordinator, Turn } from './flights.ts';
import { judgeKeys } from './held.ts';
import { type Landed, landing } from './landed.ts';
import type { MemoryTiers } from './memory-tiers.ts';
import type { Rollout } from './rollout.ts';
import type { SharedTiers } from './shared-tiers.ts';
import { type Flight, SingleFlight } from './single-flight.ts';
import type { CacheKey, FetchOptions, Fill, Filled, FillReason } from './stack-contract.ts';
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
  readonly memory: MemoryTiers<V>;
  readonly shared: SharedTiers<V>;
  /** Agreement with other processes; without it this one renders for itself. */
  readonly coordinator: FlightCoordinator | undefined;
  readonly failures: Failures;
  readonly rollout: Rollout;
  readonly counts: StackCounts;
  /** A shared tier had a stale entry: it was landed, and wants to be made again. */
  readonly onStale: (job: Job<V>) => void;
  /** People have stopped waiting for a render. */
  readonly onOver: () => void;
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
        return await untilAborted(this.#fly(job, reason, signal), signal);
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
        return await untilAborted(this.#render(job, 'miss', signal, undefined), signal);
      } finally {
        stop.cancel();
      }
    });
  }

  abortAll(reason: unknown): void {
    this.#inFlight.abortAll(reason);
  }

  async #fly(job: Job<V>, reason: FillReason, signal: AbortSignal): Promise<Landed<V>> {
    for (let attempt = 0; ; attempt++) {
      const found = await this.#fromShared(job, reason);
      if (found !== undefined) return found;
      signal.throwIfAborted();
      const turn = await this.#turn(job.key, signal, attempt);
      if (turn === 'again') continue;
      try {
        signal.throwIfAborted();
        // Another may have stored it between our look and our turn.
        const late = turn === undefined ? undefined : await this.#fromShared(job, reason);
        if (late !== undefined) {
          endTurn(turn);
          return late;
        }
        return await this.#render(job, reason, signal, turn);
      } catch (error) {
        endTurn(turn);
        throw error;
      }
    }
  }

  /** The turn to render; `again` after waiting for another's; undefined when there is nobody to agree with. */
  async #turn(key: CacheKey, signal: AbortSignal, attempt: number): Promise<Turn | 'again' | undefined> {
    const { coordinator, shared, counts } = this.#options;
    // Two waits in vain (what others rendered may not be stored, say) are enough: better twice than in a row.
    if (coordinator === undefined || attempt >= 2 || !shared.usableFor(key)) return undefined;
    const turn = await coordinator.enter(key, signal);
    if (turn.role === 'leader') return turn;
    counts.followed++;
    await turn.over;
    signal.throwIfAborted();
    return 'again';
  }

  async #fromShared(job: Job<V>, reason: FillReason): Promise<Landed<V> | undefined> {
    const { shared, memory, rollout, onStale } = this.#options;
    const { key, options } = job;
    const found = await shared.read(key);
    if (found === undefined) return undefined;
    // Also what is only stale or of use after an error: those who wait for a render may need it.
    memory.keep(key, found.value, options);
    const { value, tier, currentAt } = found;
    if (found.use === 'fresh') return { ...landing(value, 'hit', tier), currentAt };
    if (found.use !== 'stale' || reason !== 'miss' || !rollout.allows('refresh', key)) return undefined;
    onStale(job);
    return { ...landing(value, 'stale', tier), currentAt };
  }

  async #render(
    job: Job<V>,
    reason: FillReason,
    signal: AbortSignal,
    turn: Turn | undefined,
  ): Promise<Landed<V>> {
    const { validity, counts, failures, memory, shared } = this.#options;
    const begunAt = validity.version;
    const { value, store } = await this.#fill(job, reason, signal);
    const verdict = judgeKeys(validity, value);
    const storable = store && verdict === 'valid';
    if (store && !storable) counts.rejectedStores++;
    if (storable) {
      failures.forget(job.key);
      memory.keep(job.key, value, job.options);
      // The turn ends when the others can see the result, not before.
      void shared.write(job.key, value).then(() => endTurn(turn));
    } else endTurn(turn);
    return {
      ...landing(value, 'miss', undefined),
      stored: storable,
      currentAt: verdict === 'purged' ? begunAt : validity.version,
    };
  }

  async #fill({ options, fill }: Job<V>, reason: FillReason, signal: AbortSignal): Promise<Filled<V>> {
    const { counts, validity } = this.#options;
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
    const own = filled.value.stamp;
    if (own.epoch !== stamp.epoch || own.seq > stamp.seq) throw new ForgedStampError(options.group);
    return filled;
  }

  #limit({ group, hardTimeoutMs }: FetchOptions, flight: Flight<Landed<V>>): Timer {
    const { clock } = this.#options;
    return clock.after(hardTimeoutMs, () => flight.abort(new RenderTimeoutError(group, hardTimeoutMs)));
  }

  /** Once per flight, not once per waiter: remembers the failure, and finds what may stand in for the render. */
  #afterFailure(key: CacheKey, error: unknown): Landed<V> {
    const { counts, failures, memory, validity } = this.#options;
    if (error instanceof AbandonedError) counts.abandoned++;
    else if (!(error instanceof CacheClosedError)) {
      if (error instanceof RenderTimeoutError) counts.fillTimeouts++;
      else counts.fillErrors++;
      failures.add(key, error);
      const held = memory.get(key);
      if (held !== undefined) {
        return { ...landing(held.value, 'stale', held.tier), error, currentAt: validity.version };
      }
    }
    throw error;
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
