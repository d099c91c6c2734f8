// The primary: it keeps the workers alive and says how they are. It runs no page, render, data or Redis code;
// whatever those do, this process must not be the one that dies.
//
//   starting   services (where something is embedded), then one worker per slot. A port that cannot be had, or
//              services that do not come up, end the start at once with one clear message.
//   running    at least one worker has served. Deaths, backoff and newer workers in place of older ones are the
//              slots' business (generations.ts). Wishes for newer ones come at any time, also while starting: a reload,
//              another verdict of the feed, services that came back at other addresses, the drain of one worker.
//   reloading  running, while a wish is not answered yet.
//   stopping   SIGTERM, SIGINT, or the SIGHUP of a terminal that closes: not ready at once; SHUTDOWN_DELAY_MS in
//              which the balancer turns away (SIGTERM only: a terminal has no balancer); then all workers drain
//              within DRAIN_TIMEOUT_MS; services close last. A second SIGTERM or SIGINT kills what is left; one
//              that comes within ECHO_MS is the same one again (a supervisor that signals the process and its
//              group: coreutils' timeout does, 1 ms apart).
//   stopped    `run()` resolves to the exit code: 0 after a stop, also when the deadline cut something off;
//              1 when it was forced, could not start, or every slot failed to boot BOOT_ATTEMPTS times. An error
//              that a worker names itself before any has served (a broken application) ends the start at once.
import type { Config } from '../../config/config.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import { type Channel, MessageRouter } from '../host-link/message-router.ts';
import { DATABASE_CHANNEL, PURGES_CHANNEL } from '../host-link/messages.ts';
import type { Operations } from '../operations/operations.ts';
import type { Feed, FeedEvents, FeedSnapshot, FeedVerdict } from './children/feed.ts';
import type { RunningServices, Services } from './children/services.ts';
import { DatabaseReach } from './database-reach.ts';
import { BootLoopError, WorkerStartError } from './errors.ts';
import type { Outcome } from './slots/generations.ts';
import { type SlotSnapshot, Slots } from './slots/slots.ts';
import { Standby } from './slots/standby.ts';
import type { Forked, StartError, WorkerProcess } from './slots/worker-process.ts';

const BOOT_ATTEMPTS = 5;
const CHECK_MS: Milliseconds = 1000;
/** More than two beats. */
const SILENT_MS: Milliseconds = 2500;
export const ECHO_MS: Milliseconds = 300;

type Phase = 'starting' | 'running' | 'stopping' | 'stopped';
export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

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
  /** The kernel's letter for what a process does. */
  readonly stateOf: (pid: number) => string | undefined;
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
  readonly phase: Phase | 'reloading';
  readonly ready: boolean;
  /** Why it is not ready, where more is known than the phase and the workers say. */
  readonly why?: string;
  readonly serving: number;
  readonly workers: readonly SlotSnapshot[];
}

/** After a stop in order `close` saves where the purges stand; any other end makes everything suspect. */
interface PurgeRelay extends Channel {
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
  readonly #slots: Slots;
  readonly #channels = new MessageRouter();
  readonly #database = new DatabaseReach();
  #feed: Feed | undefined;
  #feedNote: string | undefined;
  #relay: PurgeRelay | undefined;
  readonly #standby: Standby | undefined;
  readonly #options: PrimaryOptions;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#config = options.config;
    if (options.config.spareWorker) this.#standby = new Standby(options);
    this.#slots = this.#openSlots();
    this.#lastCheck = options.clock.monotonic();
    this.#channels.open(DATABASE_CHANNEL, this.#database);
  }

  status(): PrimaryStatus {
    const workers = this.#slots.snapshots();
    const serving = workers.filter((worker) => worker.state === 'serving').length;
    const isOpen = this.#phase === 'running';
    const phase = isOpen && this.#slots.isReplacing ? 'reloading' : this.#phase;
    const { isAway } = this.#database;
    const why = isAway && { why: 'no statement has reached the database yet: see the log' };
    return { phase, ready: isOpen && serving > 0 && !isAway, ...why, serving, workers };
  }

  /** The processes beside the workers; undefined where there are none. */
  others(): {
    readonly feed: FeedSnapshot | undefined;
    readonly services: ReturnType<Services['snapshot']> | undefined;
  } {
    return { feed: this.#feed?.snapshot(), services: this.#services?.snapshot() };
  }

  /** For the rooms: what processes send under this name, and that they are gone. */
  onMessage(name: string, channel: Channel): void {
    this.#channels.open(name, channel);
  }

  /** To every serving worker, or to the one of a slot. */
  send(channel: string, body: unknown, slot?: number): void {
    for (const worker of this.#slots.current) {
      if (slot === undefined || slot === worker?.slot) worker?.send({ type: 'channel', channel, body });
    }
  }

  /** Resolves to the exit code when all is over. Rejects when the start fails (`E_LISTEN`, `E_SERVICES`, `E_BOOT_LOOP`, what a worker says). */
  async run(): Promise<number> {
    const finished = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    try {
      this.#opsPort = await this.#options.operations.start();
      this.#check();
      await this.#startServices();
      if (this.#phase === 'starting') await this.#startFeed();
      if (this.#phase === 'starting') this.#slots.start();
      const exitCode = await finished;
      if (this.#startError !== undefined)
        throw new WorkerStartError(this.#startError.code, this.#startError.message);
      if (exitCode === BOOT_LOOP) throw new BootLoopError(this.#bootLoopMessage());
      return exitCode;
    } finally {
      this.#phase = 'stopped';
      this.#checkTimer?.cancel();
      this.#standby?.close();
      await this.#feed?.close();
      await this.#services?.close();
      await this.#options.operations.close();
    }
  }

  /** The first call stops in order; the second kills, unless it is a SIGHUP: a closing terminal may send several. */
  stop(signal: StopSignal): void {
    if (this.#phase === 'stopped') return;
    const now = this.#options.clock.monotonic();
    if (this.#phase !== 'stopping') {
      this.#stoppingSince = now;
      void this.#stopInOrder(signal);
    } else if (signal !== 'SIGHUP' && now - this.#stoppingSince > ECHO_MS) this.#force(signal);
  }

  /** Replaces every worker, one after the other, by one of what the files on disk and the settings are now. */
  async reload(why: string): Promise<Outcome> {
    return await this.#replace(why, {});
  }

  /** One worker, as a reload replaces all of them. Undefined: there is no such slot. */
  async replace(slot: number): Promise<Outcome | undefined> {
    if (slot >= this.#config.workers) return undefined;
    return await this.#replace(`slot ${slot} is to be drained`, { slot });
  }

  async #replace(why: string, wish: Parameters<Slots['wish']>[0]): Promise<Outcome> {
    const { logger } = this.#options;
    logger.info({ why, ...wish }, 'reloading');
    this.#standby?.discard(); // It has read the code of before.
    const outcome = await this.#slots.wish(wish);
    if (outcome.reached) logger.info({}, 'reloaded');
    else if (this.#phase === 'running') logger.error(outcome, 'reload ended: the workers that serve go on');
    this.#keepStandby();
    return outcome;
  }

  #keepStandby(): void {
    const serve = this.#slots.current.every((worker) => worker?.state === 'serving');
    if (this.#phase === 'running' && serve && !this.#slots.isReplacing) this.#standby?.keep(this.#config);
  }

  async #startServices(): Promise<void> {
    this.#services = this.#options.services?.((moved) => {
      if (!this.#adopt(moved)) return;
      this.#feed?.restart();
      void this.#replace('the services have other addresses', { isRequired: true });
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
      if (this.#relay !== undefined) this.#channels.open(PURGES_CHANNEL, this.#relay);
    }
    if (this.#config.feed === 'off') return;
    this.#feed = this.#options.feed?.(() => this.#config, {
      onVerdict: (verdict) => {
        this.#adoptVerdict(verdict);
        void this.#replace('the verdict of the change feed is another one', { isRequired: true });
      },
      onChannelMessage: (feed, channel, body) => this.#channels.receive(feed, channel, body),
      onExit: (feed) => this.#channels.gone(feed),
    });
    this.#adoptVerdict((await this.#feed?.start()) ?? { isOn: false, note: undefined });
  }

  #adoptVerdict({ isOn, note }: FeedVerdict): void {
    this.#feedNote = note;
    if (note !== undefined) this.#options.logger.warn({ feed: isOn ? 'on' : 'off' }, note);
    this.#config = Object.freeze({ ...this.#config, feed: isOn ? 'on' : 'off' });
  }

  #openSlots(): Slots {
    const { clock, random, logger, stateOf } = this.#options;
    return new Slots({
      count: this.#config.workers,
      config: () => this.#config,
      fork: (config) => this.#standby?.take() ?? this.#options.fork(config),
      clock,
      random,
      logger,
      stateOf,
      events: {
        onServing: (worker) => this.#serving(worker),
        onDeath: (worker) => this.#died(worker),
        onChannelMessage: (worker, channel, body) => this.#channels.receive(worker, channel, body),
        onGone: (worker) => this.#channels.gone(worker),
      },
    });
  }

  /** Looked at here, for all processes at once, so that this one notices when it was itself held up. */
  #check(): void {
    const now = this.#options.clock.monotonic();
    const heldUp = now - this.#lastCheck > 3 * CHECK_MS;
    this.#lastCheck = now;
    for (const worker of this.#slots.living) {
      // Others may be waiting for what it holds; it gets the time of its heartbeat, they need not.
      if (!heldUp && worker.silentMs > SILENT_MS) this.#channels.silent(worker);
    }
    for (const watched of [...this.#slots.living, this.#feed, this.#services]) {
      if (heldUp) watched?.pardon();
      else watched?.checkBeat();
    }
    this.#checkTimer = this.#options.clock.after(CHECK_MS, () => this.#check());
  }

  #serving(worker: WorkerProcess): void {
    if (this.#phase === 'starting') this.#phase = 'running';
    this.#options.logger.debug({ slot: worker.slot, worker: worker.pid }, 'worker serves');
    this.#keepStandby();
    this.#announceOnce();
  }

  #died({ slot, startError }: WorkerProcess): void {
    if (this.#phase === 'stopping') return; // How it ends is decided already.
    const hopeless = this.#slots
      .snapshots()
      .every(({ state, bootFailures }) => state !== 'serving' && bootFailures >= BOOT_ATTEMPTS);
    if (startError !== undefined && this.#phase === 'starting') this.#giveUp(startError);
    else if (hopeless) this.#giveUp();
    else {
      if (startError !== undefined)
        this.#options.logger.error({ slot, ...startError }, 'worker could not start');
      this.#announceOnce();
    }
  }

  #giveUp(startError?: StartError): void {
    this.#startError = startError;
    this.#phase = 'stopping';
    void this.#endWorkers(0).then(() => this.#finish(BOOT_LOOP));
  }

  #announceOnce(): void {
    const heardOfAll = this.#slots
      .snapshots()
      .every(({ state, deaths }) => state === 'serving' || deaths > 0);
    if (this.#announced || !heardOfAll || this.#phase !== 'running') return;
    this.#announced = true;
    const workerNotes = this.#slots.current.find((worker) => worker?.state === 'serving')?.notes ?? [];
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
    this.#slots.freeze();
    await this.#pause(delayMs);
    await this.#endWorkers(this.#config.drainTimeoutMs);
    await this.#feed?.close();
    await this.#relay?.close();
    await this.#services?.close();
    this.#finish(0);
  }

  async #endWorkers(deadlineMs: Milliseconds): Promise<void> {
    this.#standby?.close();
    await this.#slots.close(deadlineMs);
  }

  #force(signal: StopSignal): void {
    this.#options.logger.warn({ signal }, 'second signal: what is still in flight is cut off');
    this.#finish(1);
    this.#wakeStop();
    void this.#slots.close(0); // Also in SHUTDOWN_DELAY_MS, while what dies is replaced.
    this.#slots.kill();
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
    const last = this.#slots.lastEndings.find((ending) => ending !== '') ?? 'unknown';
    return `no worker became ready in ${BOOT_ATTEMPTS} attempts per slot; the last one said: ${last}`;
  }
}

/** No exit code of a process; only tells `run()` which end it came to. */
const BOOT_LOOP = -1;
