// The primary: it keeps the workers alive and says how they are. It runs no page, render, data or Redis code;
// whatever those do, this process must not be the one that dies.
//
//   starting   services (where something is embedded), then one worker per slot. A port that cannot be had, or
//              services that do not come up, end the start at once with one clear message.
//   running    at least one worker has served. Deaths, wedged loops and backoff are the slots' business.
//   reloading  SIGHUP: slot after slot, a new worker beside the old one, which drains once the new one serves.
//              The first that does not become ready ends the reload; the others keep what they have.
//   stopping   SIGTERM or SIGINT: not ready at once; SHUTDOWN_DELAY_MS in which the balancer turns away
//              (SIGTERM only: nobody balances a terminal); then all workers drain within DRAIN_TIMEOUT_MS;
//              services close last. A second signal kills what is left; one that comes within ECHO_MS is the
//              same one again (a supervisor that signals the process and its group: coreutils' timeout does,
//              1 ms apart).
//   stopped    `run()` resolves to the exit code: 0 after a stop, also when the deadline cut something off;
//              1 when it was forced, could not start, or every slot failed to boot BOOT_ATTEMPTS times. An error
//              that a worker names itself before any has served (a broken application) ends the start at once.
import type { Config } from '../../config/config.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import { BootLoopError, WorkerStartError } from './errors.ts';
import type { Feed, FeedEvents, FeedSnapshot, FeedVerdict } from './feed.ts';
import { PURGES_ROOM } from './messages.ts';
import type { Operations } from './operations/operations.ts';
import { type Room, Rooms } from './rooms.ts';
import type { RunningServices, Services } from './services.ts';
import { Slot, type SlotSnapshot } from './slot.ts';
import { Spare } from './spare.ts';
import type { Forked, StartError, WorkerProcess } from './worker-process.ts';

const BOOT_ATTEMPTS = 5;
const CHECK_MS: Milliseconds = 1000;
/** More than two beats. */
const SILENT_MS: Milliseconds = 2500;
export const ECHO_MS: Milliseconds = 300;

export type Phase = 'starting' | 'running' | 'reloading' | 'stopping' | 'stopped';
export type StopSignal = 'SIGTERM' | 'SIGINT';

export interface PrimaryOptions {
  readonly config: Config;
  readonly fork: (config: Config) => Forked;
  /** Undefined when everything was configured. */
  readonly feed?: (config: () => Config, events: FeedEvents) => Feed;
  /** Where there is no Redis: passes purges from process to process. */
  readonly relay?: (config: Config) => PurgeRelay;
  readonly services: ((onMoved: (services: RunningServices) => void) => Services) | undefined;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Called once, when every slot has been heard of and at least one serves. */
  readonly announce: (started: Started) => void;
}

export interface Started {
  readonly config: Config;
  readonly opsPort: number;
  readonly serving: number;
  readonly embedded: RunningServices | undefined;
  readonly notes: readonly string[];
}

export interface PrimaryStatus {
  readonly phase: Phase;
  readonly ready: boolean;
  readonly serving: number;
  readonly workers: readonly SlotSnapshot[];
}

/** After a stop in order `close` saves where the purges stand; any other end makes everything suspect. */
interface PurgeRelay extends Room {
  close(): Promise<void>;
}

export class Primary {
  #phase: Phase = 'starting';
  #config: Config;
  #services: Services | undefined;
  #embedded: RunningServices | undefined;
  #opsPort = 0;
  #announced = false;
  #lastCheck: Milliseconds;
  #stoppingSince: Milliseconds = 0;
  #checkTimer: Timer | undefined;
  #startError: StartError | undefined;
  #finish: (exitCode: number) => void = () => {};
  #wakeStop: () => void = () => {};
  #slots: readonly Slot[] = [];
  readonly #rooms = new Rooms();
  #feed: Feed | undefined;
  #feedNote: string | undefined;
  #relay: PurgeRelay | undefined;
  readonly #spare: Spare | undefined;
  readonly #options: PrimaryOptions;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#config = options.config;
    if (options.config.spareWorker) this.#spare = new Spare(options);
    this.#lastCheck = options.clock.monotonic();
    options.operations.route({ method: 'GET', path: '/livez', open: true, handler: () => this.#livez() });
    options.operations.route({ method: 'GET', path: '/readyz', open: true, handler: () => this.#readyz() });
    options.operations.route({ method: 'POST', path: '/reload', handler: () => this.#reloadAsked() });
  }

  status(): PrimaryStatus {
    const workers = this.#slots.map((slot) => slot.snapshot());
    const serving = workers.filter((worker) => worker.state === 'serving').length;
    const open = this.#phase === 'running' || this.#phase === 'reloading';
    return { phase: this.#phase, ready: open && serving > 0, serving, workers };
  }

  /** The processes beside the workers; undefined where there are none. */
  others(): {
    readonly feed: FeedSnapshot | undefined;
    readonly services: ReturnType<Services['snapshot']> | undefined;
  } {
    return { feed: this.#feed?.snapshot(), services: this.#services?.snapshot() };
  }

  /** For the rooms: what processes send under this name, and that they are gone. */
  onMessage(name: string, room: Room): void {
    this.#rooms.open(name, room);
  }

  /** To every serving worker, or to the one of a slot. */
  send(room: string, body: unknown, slot?: number): void {
    for (const { current, index } of this.#slots) {
      if (slot === undefined || slot === index) current?.send({ type: 'room', room, body });
    }
  }

  /** Resolves to the exit code when all is over. Rejects when the start fails (`E_LISTEN`, `E_SERVICES`, `E_BOOT_LOOP`, what a worker says). */
  async run(): Promise<number> {
    const finished = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    try {
      this.#opsPort = await this.#options.operations.start();
      await this.#startServices();
      if (this.#phase === 'starting') await this.#startFeed();
      if (this.#phase === 'starting') this.#startSlots();
      const exitCode = await finished;
      if (this.#startError !== undefined)
        throw new WorkerStartError(this.#startError.code, this.#startError.message);
      if (exitCode === BOOT_LOOP) throw new BootLoopError(this.#bootLoopMessage());
      return exitCode;
    } finally {
      this.#phase = 'stopped';
      this.#checkTimer?.cancel();
      this.#spare?.close();
      await this.#feed?.close();
      await this.#services?.close();
      await this.#options.operations.close();
    }
  }

  /** The first call stops in order; the second kills. */
  stop(signal: StopSignal): void {
    if (this.#phase === 'stopped') return;
    const now = this.#options.clock.monotonic();
    if (this.#phase !== 'stopping') {
      this.#stoppingSince = now;
      void this.#stopInOrder(signal);
    } else if (now - this.#stoppingSince > ECHO_MS) this.#force(signal);
  }

  /** Replaces every worker, one after the other, with what the files on disk are now. */
  async reload(): Promise<boolean> {
    if (this.#phase !== 'running') {
      this.#options.logger.warn({ phase: this.#phase }, 'not reloading: only a running server does');
      return false;
    }
    this.#options.logger.info({ workers: this.#slots.length }, 'reloading');
    return await this.#whileReloading(() => this.#replaceAll());
  }

  /** One worker, as a reload replaces all of them: the old one drains once the new one serves. */
  async replace(index: number): Promise<'replaced' | 'kept' | 'busy' | 'none'> {
    const slot = this.#slots[index];
    if (slot === undefined) return 'none';
    if (this.#phase !== 'running') return 'busy';
    return (await this.#whileReloading(() => slot.replace())) ? 'replaced' : 'kept';
  }

  /** With what the files on disk are now: also the spare, which was forked before. */
  async #whileReloading(replace: () => Promise<boolean>): Promise<boolean> {
    this.#phase = 'reloading';
    this.#spare?.discard();
    const replaced = await replace();
    if (this.status().phase === 'reloading') {
      this.#phase = 'running';
      this.#spare?.keep(this.#config);
    }
    return replaced;
  }

  async #replaceAll(): Promise<boolean> {
    for (const slot of this.#slots) {
      if (await slot.replace()) continue;
      this.#options.logger.error({ slot: slot.index }, 'reload ended: the new worker did not become ready');
      return false;
    }
    this.#options.logger.info({}, 'reloaded');
    return true;
  }

  async #startServices(): Promise<void> {
    this.#services = this.#options.services?.((moved) => {
      if (!this.#adopt(moved)) return;
      this.#feed?.restart();
      void this.reload();
    });
    if (this.#services === undefined) return;
    try {
      this.#adopt(await this.#services.start());
    } catch (error) {
      if (this.#phase === 'starting') throw error; // else: stopped while they were starting
    }
  }

  /** Takes over the addresses; true when they are other ones than before. */
  #adopt(services: RunningServices): boolean {
    this.#embedded = services;
    const { databaseUrl = this.#config.databaseUrl, redisUrl = this.#config.redisUrl } = services;
    const moved = databaseUrl !== this.#config.databaseUrl || redisUrl !== this.#config.redisUrl;
    this.#config = Object.freeze({ ...this.#config, databaseUrl, redisUrl });
    return moved;
  }

  /** The relay first: the feed and the workers look for it as soon as they are up. */
  async #startFeed(): Promise<void> {
    if (this.#config.redisUrl === undefined) {
      this.#relay = this.#options.relay?.(this.#config);
      if (this.#relay !== undefined) this.#rooms.open(PURGES_ROOM, this.#relay);
    }
    if (this.#config.feed === 'off') return;
    this.#feed = this.#options.feed?.(() => this.#config, {
      onVerdict: (verdict) => {
        this.#adoptVerdict(verdict);
        void this.reload();
      },
      onRoomMessage: (feed, room, body) => this.#rooms.receive(feed, room, body),
      onExit: (feed) => this.#rooms.gone(feed),
    });
    this.#adoptVerdict((await this.#feed?.start()) ?? { isOn: false, note: undefined });
  }

  #adoptVerdict({ isOn, note }: FeedVerdict): void {
    this.#feedNote = note;
    if (note !== undefined) this.#options.logger.warn({ feed: isOn ? 'on' : 'off' }, note);
    this.#config = Object.freeze({ ...this.#config, feed: isOn ? 'on' : 'off' });
  }

  #startSlots(): void {
    const { clock, random, logger } = this.#options;
    const fork = (config: Config) => this.#spare?.take() ?? this.#options.fork(config);
    this.#slots = Array.from({ length: this.#config.workers }, (_, index) => {
      const events = {
        onServing: (worker: WorkerProcess) => this.#serving(worker),
        onDeath: (worker: WorkerProcess) => this.#died(worker),
        onRoomMessage: (worker: WorkerProcess, room: string, body: unknown) =>
          this.#rooms.receive(worker, room, body),
        onGone: (worker: WorkerProcess) => this.#rooms.gone(worker),
      };
      return new Slot({ index, config: () => this.#config, fork, clock, random, logger, events });
    });
    for (const slot of this.#slots) slot.start();
    this.#lastCheck = clock.monotonic();
    this.#check();
  }

  /** Beats are judged here, for all at once, so that this process notices when it was itself held up. */
  #check(): void {
    const now = this.#options.clock.monotonic();
    const heldUp = now - this.#lastCheck > 3 * CHECK_MS;
    this.#lastCheck = now;
    for (const worker of this.#slots.flatMap((slot) => [...slot.living])) {
      if (heldUp) worker.pardon();
      else {
        // Others may be waiting for what it holds; it gets the time of its heartbeat, they need not.
        if (worker.silentMs > SILENT_MS) this.#rooms.silent(worker);
        worker.checkBeat();
      }
    }
    this.#checkTimer = this.#options.clock.after(CHECK_MS, () => this.#check());
  }

  #serving(worker: WorkerProcess): void {
    if (this.#phase === 'starting') this.#phase = 'running';
    this.#options.logger.debug({ slot: worker.slot, worker: worker.pid }, 'worker serves');
    if (this.#phase === 'running' && this.#slots.every(({ serving }) => serving))
      this.#spare?.keep(this.#config);
    this.#announceOnce();
  }

  #died({ slot, startError }: WorkerProcess): void {
    if (this.#phase === 'stopping') return; // How it ends is decided already.
    if (startError !== undefined && this.#phase === 'starting') this.#giveUp(startError);
    else if (this.#slots.every((one) => !one.serving && one.bootFailures >= BOOT_ATTEMPTS)) this.#giveUp();
    else {
      if (startError !== undefined)
        this.#options.logger.error({ slot, ...startError }, 'worker could not start');
      this.#announceOnce();
    }
  }

  #giveUp(startError?: StartError): void {
    this.#startError = startError;
    this.#phase = 'stopping';
    void this.#endAll(0).then(() => this.#finish(BOOT_LOOP));
  }

  #announceOnce(): void {
    const heardOfAll = this.#slots.every((slot) => slot.serving || slot.snapshot().deaths > 0);
    if (this.#announced || !heardOfAll || this.#phase !== 'running') return;
    this.#announced = true;
    const workerNotes = this.#slots.find((slot) => slot.serving)?.current?.notes ?? [];
    this.#options.announce({
      config: this.#config,
      opsPort: this.#opsPort,
      serving: this.status().serving,
      embedded: this.#embedded,
      notes: [
        ...(this.#embedded?.notes ?? []),
        ...(this.#feedNote === undefined ? [] : [this.#feedNote]),
        ...workerNotes,
      ],
    });
  }

  async #stopInOrder(signal: StopSignal): Promise<void> {
    this.#phase = 'stopping';
    const delayMs = signal === 'SIGTERM' ? this.#config.shutdownDelayMs : 0;
    this.#options.logger.info({ signal, delayMs, drainTimeoutMs: this.#config.drainTimeoutMs }, 'stopping');
    await this.#pause(delayMs);
    await this.#endAll(this.#config.drainTimeoutMs);
    await this.#feed?.close();
    await this.#relay?.close();
    await this.#services?.close();
    this.#finish(0);
  }

  async #endAll(deadlineMs: Milliseconds): Promise<void> {
    this.#spare?.close();
    await Promise.all(this.#slots.map((slot) => slot.close(deadlineMs)));
  }

  #force(signal: StopSignal): void {
    this.#options.logger.warn({ signal }, 'second signal: what is still in flight is cut off');
    this.#finish(1);
    this.#wakeStop();
    for (const slot of this.#slots) slot.kill();
    this.#feed?.kill();
    this.#services?.kill();
  }

  #pause(delayMs: Milliseconds): Promise<void> {
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wakeStop = resolve;
      this.#options.clock.after(delayMs, resolve);
    });
  }

  #bootLoopMessage(): string {
    const last = this.#slots.map((slot) => slot.lastEnding).find((ending) => ending !== '') ?? 'unknown';
    return `no worker became ready in ${BOOT_ATTEMPTS} attempts per slot; the last one said: ${last}`;
  }

  /** Answers when it is over: whoever deploys wants to know how it went. The settings stay those of the start. */
  async #reloadAsked(): Promise<{ status: number; body: unknown }> {
    const { phase } = this.status();
    if (phase !== 'running') return { status: 409, body: { status: 'not reloading', phase } };
    if (await this.reload()) return { status: 200, body: { status: 'reloaded', ...this.status() } };
    return { status: 500, body: { status: 'kept the old workers: the new one did not become ready' } };
  }

  #livez(): { status: number; body: unknown } {
    return { status: 200, body: { status: 'ok', phase: this.#phase } };
  }

  #readyz(): { status: number; body: unknown } {
    const status = this.status();
    return {
      status: status.ready ? 200 : 503,
      body: { status: status.ready ? 'ready' : 'not ready', ...status },
    };
  }
}

/** No exit code of a process; only tells `run()` which end it came to. */
const BOOT_LOOP = -1;
