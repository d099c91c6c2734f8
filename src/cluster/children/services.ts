// The process that runs the services which were not configured (workers/services.ts): an embedded Postgres, and a
// private Redis where there is a program to run.
//
//   starting    forked before the render workers; it prepares the sample database, with a progress bar
//   running     it said where its services are
//   restarting  it died: a new one is started after a backoff, and `onMoved` tells if addresses changed. One that is
//               stopped by a signal or says nothing for HEARTBEAT_TIMEOUT_MS is killed first (heartbeat.ts)
//   closed      SIGTERM, so that databases are shut down properly; SIGKILL after CLOSE_WITHIN_MS
//
// It lives in a process group of its own: Ctrl-C in a terminal goes to the whole group, and must not take the
// database away under the requests that are being finished. If the primary dies it ends by itself.
import type { ChildProcess } from 'node:child_process';
import type { Config } from '../../../config/config.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { Heartbeat, WHY_KILLED } from '../../host-link/heartbeat.ts';
import { readFromServices } from '../../host-link/messages.ts';
import { ServicesError } from '../errors.ts';
import { backoffMs } from '../slots/backoff.ts';
import { tryFork } from '../slots/fork.ts';

const CLOSE_WITHIN_MS: Milliseconds = 10_000;

export interface RunningServices {
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  /** For the banner: what is embedded, what is off. */
  readonly notes: readonly string[];
}

export interface ServicesOptions {
  /** The file to fork. */
  readonly file: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly stateOf: (pid: number) => string | undefined;
  /** Nothing else is run. Default: a Redis as well, where there is a program. */
  readonly only?: 'postgres';
  /** Compiled, in the place of the application's own seed.js. */
  readonly seedFile?: string | undefined;
  /** After a restart. */
  readonly onMoved: (services: RunningServices) => void;
}

export class Services {
  #child: ChildProcess | undefined;
  #heartbeat: Heartbeat | undefined;
  #retry: Timer | undefined;
  #failures = 0;
  #closed = false;
  readonly #options: ServicesOptions;

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  /** Rejects with `E_SERVICES` when they do not come up; the message is the services' own. */
  async start(): Promise<RunningServices> {
    const { clock, stateOf, logger, config, file } = this.#options;
    const child = tryFork(file, { detached: true, serialization: 'json' }, logger);
    if (child === undefined) throw new ServicesError('the services process cannot be started');
    this.#child = child;
    const { heartbeatTimeoutMs: timeoutMs } = config;
    // The first start of a database copies and creates files, and is not interrupted.
    const bootTimeoutMs = Number.POSITIVE_INFINITY;
    const heartbeat = new Heartbeat({ pid: child.pid, timeoutMs, bootTimeoutMs, clock, stateOf });
    this.#heartbeat = heartbeat;
    child.on('error', (error) => logger.error({ err: error }, 'services process'));
    child.on('message', (raw) => {
      heartbeat.heard();
      const message = readFromServices(raw);
      if (message?.type === 'beat') heartbeat.isInspected = message.inspected === true;
    });
    const running = await ready(child, this.#options);
    heartbeat.isBooting = false;
    child.once('exit', (code, signal) => this.#died(code, signal));
    return running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = this.#options.clock.after(CLOSE_WITHIN_MS, () => {
      this.#options.logger.error({ closeWithinMs: CLOSE_WITHIN_MS }, 'services did not stop in time: killed');
      child.kill('SIGKILL');
    });
    await gone;
    timer.cancel();
  }

  snapshot(): { readonly state: 'running' | 'down'; readonly pid: number | undefined } {
    const child = this.#child;
    const runs = child !== undefined && child.exitCode === null && child.signalCode === null;
    return runs ? { state: 'running', pid: child.pid } : { state: 'down', pid: undefined };
  }

  /** Called every second. Its database goes with it, and comes back with it. */
  checkBeat(): void {
    const found = this.snapshot().state === 'running' ? (this.#heartbeat?.look() ?? 'well') : 'well';
    if (found === 'well') return;
    this.#options.logger.error({}, `the services process ${WHY_KILLED[found]}: killed`);
    this.#child?.kill('SIGKILL');
  }

  /** The primary itself was held up, so silence proves nothing. */
  pardon(): void {
    this.#heartbeat?.pardon();
  }

  kill(): void {
    // Not SIGKILL: a database that may write its last page starts faster and cleaner the next time.
    this.#child?.kill('SIGTERM');
  }

  #died(code: number | null, signal: string | null): void {
    if (this.#closed) return;
    const delayMs = backoffMs(this.#failures, this.#options.random);
    this.#failures += 1;
    this.#options.logger.error({ code, signal, delayMs }, 'services process died and is started again');
    this.#retry = this.#options.clock.after(delayMs, () => void this.#restart());
  }

  async #restart(): Promise<void> {
    try {
      const running = await this.start();
      this.#failures = 0;
      this.#options.onMoved(running);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'services did not come back');
      this.#died(null, null);
    }
  }
}

/** Sends the start message and waits for the answer, or for the process to end without one. */
function ready(child: ChildProcess, { config, only, seedFile }: ServicesOptions): Promise<RunningServices> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => {
      reject(
        new ServicesError(
          `the services process ended before it was ready (${signal ?? `exit code ${code}`})`,
        ),
      );
    });
    child.once('error', (cause) =>
      reject(new ServicesError('the services process cannot be started', { cause })),
    );
    child.on('message', (raw) => {
      const message = readFromServices(raw);
      if (message?.type === 'ready') resolve(message);
      else if (message?.type === 'failed') reject(new ServicesError(`${message.code}: ${message.message}`));
    });
    child.send({ type: 'start', config, only, seedFile }, () => {});
  });
}
