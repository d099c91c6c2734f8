// Questions of the operations port that only a worker can answer. Any worker will do, and each of these questions may be
// asked twice: so when one dies or keeps silent, the next is asked. One that kept silent is asked again once it has spoken.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Channel, Peer } from '../../host-link/message-router.ts';
import { type Question, readOperationsFromWorker } from '../../host-link/operations-messages.ts';
import type { OperationsResponse } from '../../operations/operations.ts';

interface Asked {
  readonly worker: Peer;
  readonly timer: Timer;
  /** Undefined: this worker will not answer. */
  readonly settle: (answer: OperationsResponse | undefined) => void;
}

const ATTEMPTS = 3;

export class WorkerQuestions implements Channel {
  readonly #clock: Clock;
  /** In the order in which they are asked. */
  readonly #workers = new Set<Peer>();
  /** Stopped or blocked, as far as anybody can tell. */
  readonly #silent = new Set<Peer>();
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Always an answer: 503 where no worker gave one within `withinMs` each. */
  async ask(question: Question, withinMs: Milliseconds): Promise<OperationsResponse> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [worker] = this.#workers;
      if (worker === undefined) break;
      // The next question goes to the next worker.
      this.#workers.delete(worker);
      this.#workers.add(worker);
      const answer = await this.#askOne(worker, question, withinMs);
      if (answer !== undefined) return answer;
    }
    return { status: 503, body: { error: 'no worker could answer: ask again when /readyz says ready' } };
  }

  /** What each worker says; those that say nothing are left out. */
  async askAll(question: Question, withinMs: Milliseconds): Promise<OperationsResponse[]> {
    const asking = [...this.#workers].map((worker) => this.#askOne(worker, question, withinMs));
    return (await Promise.all(asking)).filter((answer) => answer !== undefined);
  }

  receive(from: Peer, body: unknown): void {
    const message = readOperationsFromWorker(body);
    if (this.#silent.delete(from)) this.#workers.add(from);
    if (message?.say === 'here') this.#workers.add(from);
    else if (message?.say === 'leaving') this.#workers.delete(from);
    else if (message?.say === 'answer' && this.#asked.get(message.id)?.worker === from) {
      this.#asked.get(message.id)?.settle({ status: message.status, body: message.body });
    }
  }

  leave(from: Peer): void {
    this.#workers.delete(from);
    this.#silent.delete(from);
    for (const asked of [...this.#asked.values()]) if (asked.worker === from) asked.settle(undefined);
  }

  #askOne(worker: Peer, question: Question, withinMs: Milliseconds): Promise<OperationsResponse | undefined> {
    const id = this.#lastId++;
    return new Promise((resolve) => {
      const settle = (answer: OperationsResponse | undefined) => {
        timer.cancel();
        this.#asked.delete(id);
        resolve(answer);
      };
      const timer = this.#clock.after(withinMs, () => {
        if (this.#workers.delete(worker)) this.#silent.add(worker);
        settle(undefined);
      });
      this.#asked.set(id, { worker, timer, settle });
      worker.send({ ...question, id });
    });
  }
}
