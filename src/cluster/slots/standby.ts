// A render worker kept ready for whichever slot loses its own (SPARE_WORKER=on). It has read its code, which is most of
// a start, and waits for the welcome that gives it a slot; it holds no connection and acknowledges no purge.
//
//   none      until a worker serves, while the code is being replaced, and for RETRY_MS after one that died waiting
//   waiting   forked; its hello is kept for the slot that takes it
//   taken     an ordinary worker of that slot; the next spare is forked when it serves, so that the two do not
//             take the CPU from each other
//   closed    the server stops, and nothing is forked any more
import type { Config } from '../../../config/config.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { readFromWorker } from '../../host-link/messages.ts';
import type { Forked } from './worker-process.ts';

const RETRY_MS: Milliseconds = 30_000;

export interface StandbyOptions {
  readonly fork: (config: Config) => Forked;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Standby {
  readonly #options: StandbyOptions;
  #waiting: Waiting | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  /** From now on one waits, unless one does. Its settings are those that it is welcomed with; `config` gives its flags. */
  keep(config: Config): void {
    if (this.#closed || this.#waiting !== undefined || this.#retry !== undefined) return;
    const { fork, clock, logger } = this.#options;
    const waiting = new Waiting(fork(config), (code, signal) => {
      if (this.#waiting !== waiting) return;
      this.#waiting = undefined;
      logger.warn({ worker: waiting.pid, code, signal }, 'the spare worker died while it waited');
      this.#retry = clock.after(RETRY_MS, () => {
        this.#retry = undefined;
        this.keep(config);
      });
    });
    this.#waiting = waiting;
  }

  /** For a slot. Undefined: none waits. */
  take(): Forked | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  /** It has read the code of before a reload. */
  discard(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    // It was told nothing and holds nothing.
    this.take()?.kill('SIGKILL');
  }

  close(): void {
    this.#closed = true;
    this.discard();
  }
}

type ExitHandler = Parameters<Forked['onExit']>[0];

/** A process whose first messages are kept until there is a listener. */
class Waiting implements Forked {
  readonly pid: number;
  readonly #forked: Forked;
  #hello: unknown;
  #heard: ((raw: unknown) => void) | undefined;
  #exited: ExitHandler;

  constructor(forked: Forked, died: ExitHandler) {
    this.pid = forked.pid;
    this.#forked = forked;
    this.#exited = died;
    forked.onMessage((raw) => {
      if (this.#heard !== undefined) this.#heard(raw);
      else if (readFromWorker(raw)?.type === 'hello') this.#hello = raw;
    });
    forked.onExit((code, signal) => this.#exited(code, signal));
  }

  send(message: Parameters<Forked['send']>[0]): void {
    this.#forked.send(message);
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#forked.kill(signal);
  }

  onMessage(handler: (raw: unknown) => void): void {
    this.#heard = handler;
    if (this.#hello !== undefined) handler(this.#hello);
  }

  onExit(handler: ExitHandler): void {
    this.#exited = handler;
  }
}
