// One render in the host: the worker's side of the agreement that the primary keeps (flight-relay.ts).
import type { Clock } from '../../core/clock.ts';
import type { StopSignal } from '../../core/stop.ts';
import type { Milliseconds } from '../../core/units.ts';
import {
  type FromFlightRelay,
  readFromFlightRelay,
  type ToFlightRelay,
} from '../../host-link/flight-relay.ts';
import type { CacheKey } from '../contract.ts';
import type { FlightCoordinator, Turn, Wait } from './flights.ts';

export interface FlightLine {
  send(body: ToFlightRelay): void;
  onMessage(handler: (body: unknown) => void): void;
}

export interface HostFlightsOptions {
  readonly line: FlightLine;
  readonly clock: Clock;
  /**
   * A primary that has not answered by then is left out: every worker leads, and for a while none asks. Longer than a
   * primary takes that is just handing out a flood of connections, or the flood would be rendered once a worker.
   */
  readonly answerWithinMs?: Milliseconds;
  readonly leftOutForMs?: Milliseconds;
  /** The longest wait for a render of another worker, whatever became of it. */
  readonly waitAtMostMs?: Milliseconds;
}

const LEADER_ALONE: Turn = { role: 'leader', done: async () => {} };

export class HostFlights implements FlightCoordinator {
  readonly #options: Required<HostFlightsOptions>;
  readonly #turns = new Map<number, (leads: boolean) => void>();
  readonly #waits = new Map<number, (ended: boolean) => void>();
  #lastId = 0;
  #leftOutUntilMs = 0;

  constructor(options: HostFlightsOptions) {
    this.#options = { answerWithinMs: 1000, leftOutForMs: 5000, waitAtMostMs: 5000, ...options };
    options.line.onMessage((body) => this.#receive(readFromFlightRelay(body)));
  }

  async enter(key: CacheKey, signal: StopSignal): Promise<Turn | Wait> {
    if (this.#options.clock.monotonic() < this.#leftOutUntilMs) return LEADER_ALONE;
    const id = this.#lastId++;
    const over = this.#over(id, signal);
    const leads = await this.#turn(id, key);
    if (leads === false) return { role: 'follower', over };
    this.#waits.get(id)?.(true);
    if (leads === undefined) return LEADER_ALONE;
    return { role: 'leader', done: async () => this.#options.line.send({ ask: 'done', key }) };
  }

  async close(): Promise<void> {
    for (const wake of this.#waits.values()) wake(false);
  }

  /** Undefined: the primary does not answer. */
  #turn(id: number, key: CacheKey): Promise<boolean | undefined> {
    return new Promise((resolve) => {
      const settle = (leads: boolean | undefined) => {
        limit.cancel();
        this.#turns.delete(id);
        resolve(leads);
      };
      const { clock, answerWithinMs, leftOutForMs } = this.#options;
      const limit = clock.after(answerWithinMs, () => {
        this.#leftOutUntilMs = clock.monotonic() + leftOutForMs;
        settle(undefined);
      });
      this.#turns.set(id, settle);
      this.#options.line.send({ ask: 'enter', id, key });
    });
  }

  #over(id: number, signal: StopSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (ended: boolean) => {
        limit.cancel();
        signal.removeEventListener('abort', gone);
        this.#waits.delete(id);
        resolve(ended);
      };
      const gone = () => wake(false);
      const limit = this.#options.clock.after(this.#options.waitAtMostMs, gone);
      signal.addEventListener('abort', gone, { once: true });
      this.#waits.set(id, wake);
    });
  }

  #receive(message: FromFlightRelay | undefined): void {
    this.#leftOutUntilMs = 0;
    if (message?.say === 'over') this.#waits.get(message.id)?.(true);
    else if (message?.say === 'turn') {
      const turn = this.#turns.get(message.id);
      if (turn !== undefined) turn(message.leads);
      // The worker that asked has gone on alone: the turn is given back, or the others would wait in vain.
      else if (message.leads) this.#options.line.send({ ask: 'done', key: message.key });
    }
  }
}
