// One of the WORKERS places of a box, which is to have a serving worker in it.
//
//   empty       nobody is in it: before the start, after the end, or until the backoff is over
//   filled      `current` is starting or serving
//   replacing   a `candidate` starts beside `current` (reload). If it becomes ready it takes the place and the
//               old one drains; if it dies the old one stays.
//   closed      shutting down: deaths are expected and nothing is started again
//
// A worker that dies, or is known to (wedged, crashed, leaving), loses its place at once: its successor does
// not wait for the old process to be gone. A worker that served and is the first to be lost in a row is followed
// at once. Otherwise the place stays empty for a backoff that doubles with every loss in a row (200 ms to 30 s,
// full jitter) and begins anew once a worker has served for a minute. Losses before ready are counted apart: when
// every slot has five in a row the primary gives up.
import type { Config } from '../../config/config.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import { backoffMs } from './backoff.ts';
import { type Forked, WorkerProcess, type WorkerState } from './worker-process.ts';

/** After serving this long a worker counts as sound, whatever its slot went through before. */
const HEALTHY_AFTER_MS: Milliseconds = 60_000;

export interface SlotContext {
  readonly index: number;
  /** Read at every start: services that came back elsewhere change the addresses in it. */
  readonly config: () => Config;
  readonly fork: (config: Config) => Forked;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly events: SlotEvents;
}

export interface SlotEvents {
  onServing(worker: WorkerProcess): void;
  /** A worker of this slot ended that was not told to. */
  onDeath(worker: WorkerProcess): void;
  /** A process of this slot is gone, whatever the reason. */
  onGone(worker: WorkerProcess): void;
  onRoomMessage(worker: WorkerProcess, room: string, body: unknown): void;
}

export interface SlotSnapshot {
  readonly slot: number;
  readonly state: WorkerState;
  readonly pid: number | undefined;
  readonly servingMs: Milliseconds;
  /** Deaths that nobody asked for, since the start of the server. */
  readonly deaths: number;
  readonly bootFailures: number;
}

export class Slot {
  readonly index: number;
  #current: WorkerProcess | undefined;
  #candidate: WorkerProcess | undefined;
  #candidateDone: ((took: boolean) => void) | undefined;
  readonly #living = new Set<WorkerProcess>();
  #retry: Timer | undefined;
  #closed = false;
  #deaths = 0;
  #deathsInRow = 0;
  #bootFailures = 0;
  #lastEnding = '';
  #onEmpty: (() => void) | undefined;
  readonly #context: SlotContext;

  constructor(context: SlotContext) {
    this.index = context.index;
    this.#context = context;
  }

  /** Deaths before ready, in a row. */
  get bootFailures(): number {
    return this.#bootFailures;
  }

  /** How the last process ended, in its own words where it left some. */
  get lastEnding(): string {
    return this.#lastEnding;
  }

  get serving(): boolean {
    return this.#current?.state === 'serving';
  }

  get current(): WorkerProcess | undefined {
    return this.#current;
  }

  /** All processes of this slot, those that drain included. */
  get living(): ReadonlySet<WorkerProcess> {
    return this.#living;
  }

  snapshot(): SlotSnapshot {
    const worker = this.#current;
    return {
      slot: this.index,
      state: worker?.state ?? 'dead',
      pid: worker?.pid,
      servingMs: Math.round(worker?.servingMs ?? 0),
      deaths: this.#deaths,
      bootFailures: this.#bootFailures,
    };
  }

  start(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    if (!this.#closed) this.#current = this.#launch();
  }

  /**
   * A new worker beside the old one, which drains once the new one serves. False when the new one did not
   * become ready; the old one then goes on.
   */
  replace(): Promise<boolean> {
    if (this.#closed || this.#candidate !== undefined) return Promise.resolve(false);
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#candidate = this.#launch();
    return new Promise((resolve) => {
      this.#candidateDone = resolve;
    });
  }

  /** Finishes: every process drains. Resolves when all are gone. */
  close(deadlineMs: Milliseconds): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    for (const worker of this.#living) {
      if (worker.state === 'starting') worker.terminate();
      else worker.drain(deadlineMs);
    }
    if (this.#living.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  kill(): void {
    for (const worker of this.#living) worker.kill();
  }

  #launch(): WorkerProcess {
    const { clock, logger, fork, events } = this.#context;
    const config = this.#context.config();
    const worker = new WorkerProcess(fork(config), {
      slot: this.index,
      config,
      clock,
      logger,
      events: {
        onServing: (ready) => this.#serving(ready),
        onUnfit: (unfit) => this.#lost(unfit),
        onExit: (gone) => this.#exited(gone),
        onRoomMessage: (from, room, body) => events.onRoomMessage(from, room, body),
      },
    });
    this.#living.add(worker);
    return worker;
  }

  #serving(worker: WorkerProcess): void {
    this.#bootFailures = 0;
    if (worker === this.#candidate) {
      const old = this.#current;
      this.#current = worker;
      this.#candidate = undefined;
      old?.drain(this.#context.config().drainTimeoutMs);
      this.#settleCandidate(true);
    }
    this.#context.events.onServing(worker);
  }

  #exited(worker: WorkerProcess): void {
    this.#living.delete(worker);
    this.#context.events.onGone(worker);
    this.#lastEnding = worker.ending;
    this.#lost(worker);
    if (this.#living.size === 0) this.#onEmpty?.();
  }

  /** Safe to call more than once for a worker: only one that holds a place can lose it. */
  #lost(worker: WorkerProcess): void {
    const wasCandidate = worker === this.#candidate;
    if (wasCandidate) this.#candidate = undefined;
    else if (worker === this.#current) this.#current = undefined;
    else return;

    if (wasCandidate) this.#settleCandidate(false);
    if (this.#closed) return;
    this.#countDeath(worker);
    // The primary may give up over this death, and close this slot before it tries again.
    this.#context.events.onDeath(worker);
    if (!this.#closed && this.#current === undefined && this.#candidate === undefined)
      this.#startAgain(worker);
  }

  #countDeath(worker: WorkerProcess): void {
    this.#deaths += 1;
    if (!worker.served) this.#bootFailures += 1;
    if (worker.servingMs >= HEALTHY_AFTER_MS) this.#deathsInRow = 0;
  }

  #startAgain(lost: WorkerProcess): void {
    const isFirst = this.#deathsInRow === 0;
    const delayMs = lost.served && isFirst ? 0 : backoffMs(this.#deathsInRow, this.#context.random);
    this.#deathsInRow += 1;
    this.#context.logger.info({ slot: this.index, delayMs }, 'a new worker starts after the backoff');
    if (delayMs === 0) this.start();
    else this.#retry = this.#context.clock.after(delayMs, () => this.start());
  }

  #settleCandidate(took: boolean): void {
    this.#candidateDone?.(took);
    this.#candidateDone = undefined;
  }
}
