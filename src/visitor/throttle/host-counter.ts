import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import { readFromThrottleRelay, type ToThrottleRelay } from '../../host-link/throttle-relay.ts';
import { memoryCounter } from './counters.ts';
import type { ThrottleRule } from './rule.ts';
import type { Counter } from './throttle.ts';

/** To the primary. */
export interface ThrottleLine {
  send(body: ToThrottleRelay): void;
  onMessage(handler: (body: unknown) => void): void;
}

/** A primary that takes longer is stopped, or gone. */
const ANSWER_WITHIN_MS: Milliseconds = 250;

/** Asks the primary; counts in this worker alone while that does not answer. */
export class HostCounter implements Counter {
  readonly #line: ThrottleLine;
  readonly #clock: Clock;
  readonly #own = memoryCounter();
  readonly #waiting = new Map<number, (waitMs: Milliseconds | null) => void>();
  #nextId = 0;

  constructor(line: ThrottleLine, clock: Clock) {
    this.#line = line;
    this.#clock = clock;
    line.onMessage((body) => {
      const counted = readFromThrottleRelay(body);
      if (counted !== undefined) this.#waiting.get(counted.id)?.(counted.waitMs);
    });
  }

  count(key: string, rule: ThrottleRule): Promise<Milliseconds | undefined> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = this.#clock.after(ANSWER_WITHIN_MS, () => {
        this.#waiting.delete(id);
        resolve(this.#own.count(key, rule));
      });
      this.#waiting.set(id, (waitMs) => {
        timer.cancel();
        this.#waiting.delete(id);
        resolve(waitMs ?? undefined);
      });
      this.#line.send({ ask: 'count', id, key, ...rule });
    });
  }
}
