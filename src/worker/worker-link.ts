// The worker's end of the line to the primary. One life:
//
//   connecting   hello was sent, the welcome is awaited. Beats already go out.
//   starting     the worker wires itself together; `ready()` ends it.
//   serving      until one of these:
//                  drain       the primary says so (shutdown, reload), or SIGTERM came to this process alone
//                  orphaned    the primary is gone: nothing can hand out connections or restart us
//                  crashed     an uncaught exception or rejection before it served
//   shaken       an uncaught exception while it served: the state of this process cannot be trusted, so the
//                primary is told, and says drain as soon as another worker can take its visitors
//                An unawaited rejection is no such exception: core/unheard-rejections.ts
//   draining     the drain handlers run once, whatever came in and however often, within the deadline.
//   drained      the primary is told, and its `leave` awaited. Connections that it was just handing to us when
//                we closed our socket arrive before it and go back to the primary, which gives them to another
//                worker; a process that left without waiting took them along, and their clients waited for ever.
//   gone         the process leaves: 0 after a drain, 1 after a crash.
//
// SIGINT and SIGHUP are left to the primary: a terminal sends them to the whole process group, and workers
// that left by themselves would take their requests with them.
import cluster, { type Worker } from 'node:cluster';
import { url as inspectorUrl } from 'node:inspector';
import type { Config } from '../../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { CoherentError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { UnheardRejections } from '../core/unheard-rejections.ts';
import type { Milliseconds } from '../core/units.ts';
import {
  type FromPrimary,
  type FromWorker,
  PROTOCOL_VERSION,
  readFromPrimary,
  UNCAUGHT,
} from '../host-link/messages.ts';
import { createLogger } from '../logging/logger.ts';
import { survivePipes } from '../logging/survive-pipes.ts';
import { NotAWorkerError } from './errors.ts';

const HEARTBEAT_MS: Milliseconds = 1000;
const FAREWELL_MS: Milliseconds = 1000;

/** Gets the milliseconds it has. What is not finished by then is cut off. */
export type DrainHandler = (deadlineMs: Milliseconds) => Promise<void>;

export interface WorkerLink {
  /** Which of the WORKERS places this process fills, from 0. */
  readonly slot: number;
  readonly config: Config;
  /** Writes `slot` and `pid` into every line. */
  readonly logger: Logger;
  /** Promises that were rejected while nothing awaited them; the worker lives on. */
  readonly rejections: UnheardRejections;
  /** The worker serves from now on. `notes` go into the banner: what is off, and how to turn it on. */
  ready(notes?: readonly string[]): void;
  /** Handlers run at the same time; the process leaves when all are done or the deadline is over. */
  onDrain(handler: DrainHandler): void;
  /** No connection is taken any more, and no request on one that was idle: whatever comes now goes to other workers. */
  closed(): void;
  /** To the part of the primary that has registered for this room; lost when the primary is gone. */
  send(channel: string, body: unknown): void;
  onMessage(channel: string, handler: (body: unknown) => void): void;
}

/** Resolves once the primary has sent the settings. Rejects with `E_NOT_A_WORKER` outside of a cluster. */
export async function connectToPrimary(): Promise<WorkerLink> {
  const { worker } = cluster;
  if (worker === undefined || process.send === undefined) {
    throw new NotAWorkerError(
      'this file is a worker: it is started by the server, not by hand (node dist/server.js)',
    );
  }
  survivePipes();
  // The beats stop with the event loop; that is all they are for.
  setInterval(() => say({ type: 'beat', inspected: inspectorUrl() !== undefined }), HEARTBEAT_MS).unref();
  const welcome = awaitWelcome();
  say({ type: 'hello', version: PROTOCOL_VERSION, pid: process.pid });
  const { slot, config } = await welcome;
  return new ClusterWorkerLink(worker, slot, config);
}

type Welcome = Extract<FromPrimary, { type: 'welcome' }>;

function awaitWelcome(): Promise<Welcome> {
  return new Promise((resolve) => {
    const listen = (raw: unknown) => {
      const message = readFromPrimary(raw);
      if (message?.type !== 'welcome') return;
      process.off('message', listen);
      resolve(message);
    };
    process.on('message', listen);
  });
}

/** Never throws: with the primary gone there is nothing to tell it to. */
function say(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

class ClusterWorkerLink implements WorkerLink {
  readonly slot: number;
  readonly config: Config;
  readonly logger: Logger;
  readonly rejections: UnheardRejections;
  readonly #drainHandlers: DrainHandler[] = [];
  readonly #channels = new Map<string, ((body: unknown) => void)[]>();
  #leaving = false;
  #serves = false;
  #exitCode = 0;
  #mayLeave: () => void = () => {};

  constructor(worker: Worker, slot: number, config: Config) {
    this.slot = slot;
    this.config = Object.freeze(config);
    this.logger = createLogger(config.logLevel, { slot, pid: process.pid });
    this.rejections = new UnheardRejections(this.logger, systemClock);
    this.#listen(worker);
  }

  ready(notes: readonly string[] = []): void {
    this.#serves = true;
    say({ type: 'ready', notes: [...notes] });
  }

  onDrain(handler: DrainHandler): void {
    this.#drainHandlers.push(handler);
  }

  closed(): void {
    say({ type: 'closed' });
  }

  send(channel: string, body: unknown): void {
    say({ type: 'channel', channel, body });
  }

  onMessage(channel: string, handler: (body: unknown) => void): void {
    const handlers = this.#channels.get(channel) ?? [];
    this.#channels.set(channel, [...handlers, handler]);
  }

  #listen(worker: Worker): void {
    process.on('message', (raw) => this.#receive(raw));
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
    process.on('SIGTERM', () => {
      say({ type: 'leaving' });
      void this.#leave('asked to stop', this.config.drainTimeoutMs);
    });
    worker.on('disconnect', () => {
      // Unless told that this was on purpose, node:cluster ends the process right here, with every request
      // it holds (measured: 4 ms after the primary died).
      worker.exitedAfterDisconnect = true;
      void this.#leave('the primary is gone', this.config.drainTimeoutMs);
    });
    process.on('uncaughtException', (error) => this.#crash(error));
    process.on('unhandledRejection', (reason) => {
      if (this.#serves) this.rejections.rejected(reason);
      else this.#crash(reason);
    });
  }

  #receive(raw: unknown): void {
    const message = readFromPrimary(raw);
    if (message?.type === 'drain') void this.#leave('told to drain', message.deadlineMs);
    else if (message?.type === 'leave') this.#mayLeave();
    else if (message?.type === 'channel') {
      for (const handler of this.#channels.get(message.channel) ?? []) handler(message.body);
    } else this.logger.warn({ type: typeof raw }, 'dropped a message that is not in the protocol');
  }

  #crash(error: unknown): void {
    // What keeps an application from starting is said by the primary, in one place for all workers.
    const known = !this.#serves && error instanceof CoherentError;
    if (!known) this.logger.error({ err: error }, 'uncaught: this worker is replaced');
    const code = error instanceof Error && 'code' in error ? String(error.code) : UNCAUGHT;
    const message = known ? explained(error) : String(error);
    say({ type: 'failed', code: code.slice(0, 100), message: message.slice(0, 10_000) });
    this.#exitCode = 1;
    if (!this.#serves || !process.connected) void this.#leave('crashed', this.config.drainTimeoutMs);
  }

  async #leave(why: string, deadlineMs: Milliseconds): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#tell({ why, deadlineMs }, 'draining');
    // Not unref'd: it must also end a process that only waits for something that never comes.
    const deadline = setTimeout(() => this.#exit('cut off at the deadline'), deadlineMs);
    const results = await Promise.allSettled(this.#drainHandlers.map((drain) => drain(deadlineMs)));
    for (const result of results) {
      if (result.status === 'rejected') this.logger.error({ err: result.reason }, 'a part did not drain');
    }
    await this.#farewell();
    clearTimeout(deadline);
    this.#exit('drained');
  }

  async #farewell(): Promise<void> {
    if (!process.connected) return;
    await new Promise<void>((resolve) => {
      this.#mayLeave = resolve;
      setTimeout(resolve, FAREWELL_MS); // A primary that died just now answers nothing.
      say({ type: 'drained' });
    });
  }

  /** A worker that never served has nothing to drain that anybody waits for. */
  #tell(fields: Record<string, unknown>, message: string): void {
    this.logger[this.#serves ? 'info' : 'debug'](fields, message);
  }

  #exit(how: string): void {
    this.#tell({}, how);
    process.exit(this.#exitCode);
  }
}

/** The message, and where in the application its cause is: the frames of Node itself do not help. */
function explained(error: Error): string {
  const { cause } = error;
  if (!(cause instanceof Error) || cause.stack === undefined) return error.message;
  const frames = cause.stack.split('\n').filter((line) => !line.includes('node:internal'));
  return `${error.message}\n${frames.slice(0, 8).join('\n')}`;
}
