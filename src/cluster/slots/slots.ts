// The WORKERS places of a host, and the processes in them: carries out what generations.ts says, tells it what becomes of
// each process, and keeps its one timer.
import type { Config } from '../../../config/config.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { Generations, type Member, type Outcome, type Step } from './generations.ts';
import { type Forked, WorkerProcess, type WorkerState } from './worker-process.ts';

export interface SlotsContext {
  readonly count: number;
  /** Read at every start: addresses and the verdict of the feed change in it. */
  readonly config: () => Config;
  readonly fork: (config: Config) => Forked;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly stateOf: (pid: number) => string | undefined;
  readonly events: SlotsEvents;
}

export interface SlotsEvents {
  onServing(worker: WorkerProcess): void;
  /** A worker ended, or will, that was not told to. Nothing has been started in its place yet. */
  onDeath(worker: WorkerProcess): void;
  /** A process is gone, whatever the reason. */
  onGone(worker: WorkerProcess): void;
  onChannelMessage(worker: WorkerProcess, channel: string, body: unknown): void;
}

export interface SlotSnapshot {
  readonly slot: number;
  readonly state: WorkerState;
  readonly pid: number | undefined;
  readonly servingMs: Milliseconds;
  /** Unplanned deaths, since the start of the server. */
  readonly deaths: number;
  /** Deaths before ready, in a row. */
  readonly bootFailures: number;
}

export class Slots {
  readonly #context: SlotsContext;
  readonly #generations: Generations;
  /** Those that drain included. */
  readonly #processes = new Map<Member, WorkerProcess>();
  readonly #asked = new Map<number, (outcome: Outcome) => void>();
  #timer: Timer | undefined;
  #isProceeding = false;
  #drainDeadlineMs: Milliseconds | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(context: SlotsContext) {
    this.#context = context;
    this.#generations = new Generations(context.count, context.random);
  }

  start(): void {
    this.#generations.start();
    this.#proceed();
  }

  /** Answers when it is true, or will not become true (generations.ts). Can be asked at any moment. */
  wish(wish: { readonly slot?: number; readonly isRequired?: boolean } = {}): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#asked.set(this.#generations.wish(wish), resolve);
      this.#proceed();
    });
  }

  /** From now on wishes are refused; what dies is still replaced. */
  freeze(): void {
    this.#generations.freeze();
    this.#proceed();
  }

  /** Every process drains, or ends where it never served. Resolves when all are gone. */
  close(deadlineMs: Milliseconds): Promise<void> {
    this.#drainDeadlineMs = deadlineMs;
    this.#generations.end();
    this.#proceed();
    if (this.#processes.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  kill(): void {
    for (const worker of this.#processes.values()) worker.kill();
  }

  get isReplacing(): boolean {
    return this.#generations.isReplacing;
  }

  /** All processes, those that drain included. */
  get living(): readonly WorkerProcess[] {
    return [...this.#processes.values()];
  }

  /** Those that have a slot, by slot; undefined where it is empty. */
  get current(): readonly (WorkerProcess | undefined)[] {
    return this.#generations.places.map(({ current }) => current && this.#processes.get(current));
  }

  get lastEndings(): readonly string[] {
    return this.#generations.places.map(({ lastEnding }) => lastEnding);
  }

  snapshots(): SlotSnapshot[] {
    return this.#generations.places.map(({ slot, current, deaths, bootFailures }) => {
      const worker = current && this.#processes.get(current);
      const servingMs = Math.round(worker?.servingMs ?? 0);
      return { slot, state: worker?.state ?? 'dead', pid: worker?.pid, servingMs, deaths, bootFailures };
    });
  }

  /** What is done may have consequences at once, so it is asked again until nothing is left to do. */
  #proceed(): void {
    if (this.#isProceeding) return;
    this.#isProceeding = true;
    const { clock } = this.#context;
    try {
      for (;;) {
        const steps = this.#generations.next(clock.monotonic());
        if (steps.length === 0) break;
        for (const step of steps) this.#carryOut(step);
      }
    } finally {
      this.#isProceeding = false;
    }
    this.#timer?.cancel();
    const inMs = this.#generations.wakeInMs(clock.monotonic());
    if (inMs !== undefined) this.#timer = clock.after(inMs, () => this.#proceed());
  }

  #carryOut(step: Step): void {
    switch (step.do) {
      case 'start':
        this.#processes.set(step.member, this.#launch(step.member));
        break;
      case 'drain':
        this.#processes
          .get(step.member)
          ?.drain(this.#drainDeadlineMs ?? this.#context.config().drainTimeoutMs);
        break;
      case 'end':
        this.#processes.get(step.member)?.terminate();
        break;
      case 'wait': {
        const { slot, delayMs } = step;
        this.#context.logger.info({ slot, delayMs }, 'a new worker starts after the backoff');
        break;
      }
      case 'answer':
        this.#asked.get(step.wish)?.(step.outcome);
        this.#asked.delete(step.wish);
        break;
    }
  }

  #launch(member: Member): WorkerProcess {
    const { clock, logger, fork, events, stateOf } = this.#context;
    const config = this.#context.config();
    const heard = (hear: () => void) => () => {
      hear();
      this.#proceed();
    };
    return new WorkerProcess(fork(config), {
      slot: member.slot,
      config,
      clock,
      logger,
      stateOf,
      events: {
        onServing: (worker) => {
          this.#generations.served(member);
          this.#proceed();
          events.onServing(worker);
        },
        onShaken: heard(() => this.#generations.shaken(member, clock.monotonic())),
        onClosed: heard(() => this.#generations.closed(member)),
        onUnfit: heard(() => this.#lost(member)),
        onExit: heard(() => this.#exited(member)),
        onChannelMessage: (worker, channel, body) => events.onChannelMessage(worker, channel, body),
      },
    });
  }

  /** The primary may give up over this death, and close everything before a new one is started. */
  #lost(member: Member): void {
    const worker = this.#processes.get(member);
    if (worker === undefined) return;
    if (this.#generations.lost(member, worker, this.#context.clock.monotonic()))
      this.#context.events.onDeath(worker);
  }

  #exited(member: Member): void {
    const worker = this.#processes.get(member);
    if (worker === undefined) return;
    this.#context.events.onGone(worker);
    this.#lost(member);
    this.#generations.closed(member);
    this.#processes.delete(member);
    if (this.#processes.size === 0) this.#onEmpty?.();
  }
}
