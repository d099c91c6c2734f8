// One operation for all who want the same key at the same time, within this process.
//
// A flight lives from its start until its work settles or everybody who waited has gone; then it is aborted and at
// once out of the map, so that a newcomer starts afresh instead of boarding a flight that is going down.
import { AbandonedError } from '../errors.ts';

export class Flight<T> {
  /** Settles with the work. Never unhandled: each who waits gets the result or the error through `wait`. */
  readonly landed: Promise<T>;
  readonly #controller = new AbortController();
  readonly #onAbandoned: () => void;
  #waiting = 0;
  #detached = false;
  #over = false;

  constructor(work: (signal: AbortSignal, flight: Flight<T>) => Promise<T>, onOver: () => void) {
    this.#onAbandoned = onOver;
    this.landed = work(this.#controller.signal, this).finally(() => {
      this.#over = true;
      onOver();
    });
    this.landed.catch(() => {});
  }

  /** The result, unless `signal` aborts first: then this one has left, and the last to leave turns off the light. */
  wait(signal?: AbortSignal): Promise<T> {
    this.#waiting++;
    if (signal === undefined) return this.landed;
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        reject(signal.reason);
        this.#leave();
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      const settled = () => signal.removeEventListener('abort', leave);
      void this.landed.then(resolve, reject).finally(settled);
    });
  }

  /** Goes on to the end, whoever leaves: a background render, or one whose waiters were served stale. */
  detach(): void {
    this.#detached = true;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  #leave(): void {
    this.#waiting--;
    if (this.#waiting > 0 || this.#detached || this.#over) return;
    this.#onAbandoned();
    this.abort(new AbandonedError());
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

  /** Replaces whatever flies under `key`: those aboard keep their flight, newcomers take this one. */
  start(key: string, work: (signal: AbortSignal, flight: Flight<T>) => Promise<T>): Flight<T> {
    const flight: Flight<T> = new Flight(work, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  abortAll(reason: unknown): void {
    for (const flight of this.#flights.values()) flight.abort(reason);
  }
}
