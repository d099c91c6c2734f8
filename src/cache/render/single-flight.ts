// One operation for all who want the same key at the same time, within this process.
//
// A flight lives from its start until its work settles, is stopped, or everybody who waited has gone; then it is at
// once out of the map, so that a newcomer starts afresh instead of boarding a flight that is going down. Work that
// ignores its stop is not waited for: whatever it comes to is dropped.
import type { Eventually } from '../../core/eventually.ts';
import type { Stop, StopSignal } from '../../core/stop.ts';
import { AbandonedError } from '../errors.ts';

/** What a failure comes to: a result that stands in for it, or an error that is thrown. */
export type Failed<T> = (error: unknown) => Eventually<T>;

export class Flight<T> {
  /** Settles with the work. Never unhandled: each who waits gets the result or the error through `wait`. */
  readonly flightResult: Promise<T>;
  readonly #stop: Stop;
  readonly #onOver: () => void;
  #resolve: (value: Eventually<T>) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  readonly #failed: Failed<T>;
  #waiting = 0;
  #detached = false;
  #over = false;

  /** `stop` is the one that the work listens to. `failed` is called once at most. */
  constructor(stop: Stop, failed: Failed<T>, onOver: () => void) {
    this.#stop = stop;
    this.#failed = failed;
    this.#onOver = onOver;
    this.flightResult = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.flightResult.catch(() => {});
    stop.addEventListener('abort', () => this.#end(() => this.#fail(stop.reason)));
  }

  /** Lands with what `work` comes to. */
  follow(work: Promise<T>): this {
    work.then(
      (value) => this.#end(() => this.#resolve(value)),
      (error) => this.#end(() => this.#fail(error)),
    );
    return this;
  }

  /** The result, unless `signal` aborts first: then this one has left, and the last waiter to leave stops the work. */
  wait(signal?: StopSignal): Promise<T> {
    this.#waiting++;
    if (signal === undefined) return this.flightResult;
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        reject(signal.reason);
        this.#leave();
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      this.flightResult.then(
        (value) => {
          signal.removeEventListener('abort', leave);
          resolve(value);
        },
        (error) => {
          signal.removeEventListener('abort', leave);
          reject(error);
        },
      );
    });
  }

  /** Goes on to the end, whichever waiters leave: a background render, or one whose waiters were served stale. */
  detach(): void {
    this.#detached = true;
  }

  abort(reason: unknown): void {
    this.#stop.abort(reason);
  }

  #leave(): void {
    this.#waiting--;
    if (this.#waiting > 0 || this.#detached || this.#over) return;
    this.abort(new AbandonedError());
  }

  #end(settle: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOver();
    settle();
  }

  #fail(error: unknown): void {
    try {
      this.#resolve(this.#failed(error));
    } catch (thrown) {
      this.#reject(thrown);
    }
  }
}

export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  get size(): number {
    return this.#flights.size;
  }

  current(key: string): Flight<T> | undefined {
    return this.#flights.get(key);
  }

  /**
   * On the map at once, before its work is begun or followed. Replaces whatever flies under `key`: those aboard keep
   * their flight, newcomers take this one.
   */
  start(key: string, stop: Stop, failed: Failed<T>, onOver: () => void = () => {}): Flight<T> {
    const flight: Flight<T> = new Flight(stop, failed, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      onOver();
    });
    this.#flights.set(key, flight);
    return flight;
  }

  abortAll(reason: unknown): void {
    for (const flight of this.#flights.values()) flight.abort(reason);
  }
}
