// One forked worker, from fork to exit.
//
//   starting   forked. It must say hello in our version, get its welcome and say ready within
//              BOOT_TIMEOUT_MS, or it is terminated.
//   serving    it said ready. It must beat at least every HEARTBEAT_TIMEOUT_MS; a silent one is wedged. After an
//              uncaught exception it serves on until it is told to drain.
//   draining   told to finish what it holds (or SIGTERM, for one that cannot hear us). SIGKILL follows if it
//              is still there after its deadline. Nothing leads back from here.
//   dead       the process is gone; `onExit` was called, once.
//
// In every state: one that the kernel has stopped (heartbeat.ts) can do nothing of this, and is killed.
// What follows from a death (a new process, when) is decided by generations.ts.
import type { Config } from '../../../config/config.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { Heartbeat } from '../../host-link/heartbeat.ts';
import { type FromPrimary, PROTOCOL_VERSION, readFromWorker, UNCAUGHT } from '../../host-link/messages.ts';

/** After SIGTERM, and after the deadline that a draining worker knows of itself. */
const KILL_AFTER_MS: Milliseconds = 5000;
const DRAIN_MARGIN_MS: Milliseconds = 1000;

/** The operating system's side of a worker: node:cluster's in production. */
export interface Forked {
  readonly pid: number;
  send(message: FromPrimary): void;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  onMessage(handler: (raw: unknown) => void): void;
  onExit(handler: (code: number | null, signal: string | null) => void): void;
}

export type WorkerState = 'starting' | 'serving' | 'draining' | 'dead';

export interface StartError {
  readonly code: `E_${string}`;
  readonly message: string;
}

/** Errors with a name of ours say what is wrong; anything else may be gone at the next attempt. */
function isKnown(code: string): code is `E_${string}` {
  return code.startsWith('E_') && code !== UNCAUGHT;
}

export interface WorkerEvents {
  onServing(worker: WorkerProcess): void;
  /** It serves on after an uncaught exception, and should not for long. */
  onShaken(worker: WorkerProcess): void;
  /** It will not serve again, though the process may live on for a while: wedged, or leaving. */
  onUnfit(worker: WorkerProcess): void;
  /** It takes no connection any more. */
  onClosed(worker: WorkerProcess): void;
  onExit(worker: WorkerProcess): void;
  onChannelMessage(worker: WorkerProcess, channel: string, body: unknown): void;
}

export interface WorkerContext {
  readonly slot: number;
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: WorkerEvents;
  readonly stateOf: (pid: number) => string | undefined;
}

export class WorkerProcess {
  readonly pid: number;
  readonly slot: number;
  /** What it has to say in the banner. */
  notes: readonly string[] = [];
  /** Whether it ever served: a death before that is a failed boot. */
  served = false;
  /** By a signal that we did not send. */
  isKilled = false;
  /** An error that the worker itself knows and that another attempt would meet again, said before it served. */
  startError: StartError | undefined;
  #state: WorkerState = 'starting';
  #ending = '';
  #lastWords: string | undefined;
  #signalled: string | undefined;
  readonly #heartbeat: Heartbeat;
  #servingSince: Milliseconds | undefined;
  #timer: Timer;
  readonly #forked: Forked;
  readonly #context: WorkerContext;
  readonly #logger: Logger;

  constructor(forked: Forked, context: WorkerContext) {
    this.pid = forked.pid;
    this.slot = context.slot;
    this.#forked = forked;
    this.#context = context;
    this.#logger = context.logger.child({ slot: context.slot, worker: forked.pid });
    const { clock, stateOf, config } = context;
    const { heartbeatTimeoutMs: timeoutMs, bootTimeoutMs } = config;
    this.#heartbeat = new Heartbeat({ pid: forked.pid, timeoutMs, bootTimeoutMs, clock, stateOf });
    this.#timer = clock.after(config.bootTimeoutMs, () => {
      this.#logger.error({ bootTimeoutMs: config.bootTimeoutMs }, 'worker did not become ready in time');
      this.#lastWords = `it was not ready within ${config.bootTimeoutMs} ms (BOOT_TIMEOUT_MS)`;
      this.terminate();
    });
    forked.onMessage((raw) => this.#receive(raw));
    forked.onExit((code, signal) => this.#exited(code, signal));
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** How it ended, in its own words where it left some; `''` while nothing is known of an end. */
  get ending(): string {
    return this.#lastWords ?? this.#ending;
  }

  /** How long it has served, for the backoff and for people. */
  get servingMs(): Milliseconds {
    return this.#servingSince === undefined ? 0 : this.#context.clock.monotonic() - this.#servingSince;
  }

  send(message: FromPrimary): void {
    if (this.#state !== 'dead') this.#forked.send(message);
  }

  /** Since it was last heard of. It beats every second. */
  get silentMs(): Milliseconds {
    return this.#heartbeat.silentMs;
  }

  /** Called every second. */
  checkBeat(): void {
    const found = this.#heartbeat.look();
    if (found === 'stopped')
      this.#putDown('worker is stopped by a signal: killed', 'it was stopped by a signal');
    // The others have a deadline anyway.
    if (found !== 'silent' || this.#state !== 'serving') return;
    const silentMs = Math.round(this.silentMs);
    this.#logger.error({ silentMs }, 'worker is wedged: its event loop does not turn');
    this.#lastWords = `its event loop did not turn for ${silentMs} ms`;
    this.#context.events.onUnfit(this);
    this.terminate();
  }

  /** The primary itself was held up, so silence proves nothing. */
  pardon(): void {
    this.#heartbeat.pardon();
  }

  /** It hears nothing, so that nothing but SIGKILL helps; what it holds is lost either way. */
  #putDown(message: string, ending: string): void {
    if (this.#state === 'dead') return;
    this.#logger.error({}, message);
    this.#lastWords = ending;
    this.#context.events.onUnfit(this);
    this.#enterDraining(KILL_AFTER_MS);
    this.kill();
  }

  /** Lets it finish what it holds. */
  drain(deadlineMs: Milliseconds): void {
    if (!this.#enterDraining(deadlineMs + DRAIN_MARGIN_MS)) return;
    this.#forked.send({ type: 'drain', deadlineMs });
  }

  /** For one that may not hear messages: SIGTERM, then SIGKILL. */
  terminate(): void {
    if (!this.#enterDraining(KILL_AFTER_MS)) return;
    this.#signalled = 'SIGTERM';
    this.#forked.kill('SIGTERM');
  }

  kill(): void {
    if (this.#state === 'dead') return;
    this.#signalled = 'SIGKILL';
    this.#forked.kill('SIGKILL');
  }

  #enterDraining(killAfterMs: Milliseconds): boolean {
    if (this.#state === 'draining' || this.#state === 'dead') return false;
    this.#state = 'draining';
    this.#timer.cancel();
    this.#timer = this.#context.clock.after(killAfterMs, () => {
      this.#logger.error({ killAfterMs }, 'worker did not leave in time: killed');
      this.kill();
    });
    return true;
  }

  #receive(raw: unknown): void {
    if (this.#state === 'dead') return;
    const message = readFromWorker(raw);
    // Anything it says shows that its loop turns.
    this.#heartbeat.heard();
    switch (message?.type) {
      case undefined:
        this.#logger.warn({}, 'dropped a message from a worker that is not in the protocol');
        break;
      case 'hello':
        this.#welcome(message.version);
        break;
      case 'beat':
        this.#heartbeat.isInspected = message.inspected === true;
        break;
      case 'closed':
        this.#context.events.onClosed(this);
        break;
      case 'ready':
        this.#ready(message.notes);
        break;
      case 'failed':
        this.#lastWords = `${message.code}: ${message.message}`;
        if (!this.served && isKnown(message.code))
          this.startError = { code: message.code, message: message.message };
        if (this.#state === 'serving') this.#context.events.onShaken(this);
        else this.#leavesByItself();
        break;
      case 'leaving':
        this.#leavesByItself();
        break;
      case 'drained':
        this.#forked.send({ type: 'leave' });
        break;
      case 'channel':
        this.#context.events.onChannelMessage(this, message.channel, message.body);
        break;
    }
  }

  #leavesByItself(): void {
    if (this.#enterDraining(this.#context.config.drainTimeoutMs + DRAIN_MARGIN_MS))
      this.#context.events.onUnfit(this);
  }

  #welcome(version: number): void {
    if (version === PROTOCOL_VERSION) {
      // What pages are rendered by has no business with the feed's rights.
      const config = { ...this.#context.config, feedDatabaseUrl: undefined };
      this.#forked.send({ type: 'welcome', slot: this.slot, config });
      return;
    }
    this.#logger.error(
      { version, expected: PROTOCOL_VERSION },
      'worker is of another build: restart the whole server',
    );
    this.#lastWords = `it speaks version ${version} of the protocol, and this server ${PROTOCOL_VERSION}: restart the whole server`;
    this.terminate();
  }

  #ready(notes: readonly string[]): void {
    if (this.#state !== 'starting') return;
    this.#timer.cancel();
    this.#state = 'serving';
    this.served = true;
    this.#heartbeat.isBooting = false;
    this.notes = notes;
    this.#servingSince = this.#context.clock.monotonic();
    this.#context.events.onServing(this);
  }

  #exited(code: number | null, signal: string | null): void {
    if (this.#state === 'dead') return;
    const expected = this.#state === 'draining';
    this.#timer.cancel();
    this.#state = 'dead';
    this.#ending = signal === null ? `exit code ${code}` : signal;
    this.isKilled = signal !== null && signal !== this.#signalled;
    const asTold = expected && (code === 0 || (signal !== null && !this.isKilled));
    // What kept it from starting is said by the primary, once for all slots.
    if (asTold || this.startError !== undefined) this.#logger.debug({ code, signal }, 'worker left');
    else this.#logger.error({ code, signal, lastWords: this.#lastWords }, 'worker died');
    this.#context.events.onExit(this);
  }
}
