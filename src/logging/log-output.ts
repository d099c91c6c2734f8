// Where log lines leave the process, without ever holding it up.
//
//   open      a line goes to the descriptor in the call that writes it: the last words of a process are the ones
//             that matter
//   waiting   the reader does not read and the pipe is full. Lines wait in memory, up to MAX_WAITING_BYTES; what
//             comes beyond is dropped and counted. Every RETRY_MS the rest is tried again; once it is through,
//             a line says how many were dropped
//   closed    the reader is gone (EPIPE): nothing is written any more
//
// This asks for a descriptor that says EAGAIN instead of blocking (`descriptor`). The two usual ways were tried:
// a synchronous pino destination stops the whole worker, with its heartbeat, until the reader goes on; an asynchronous
// one writes in a thread of libuv's pool, and a process whose pool has a thread inside `write` cannot exit.
import { writeSync } from 'node:fs';
import type { Clock, Timer } from '../core/clock.ts';
import type { Bytes, Milliseconds } from '../core/units.ts';

const MAX_WAITING_BYTES: Bytes = 1024 * 1024;
const RETRY_MS: Milliseconds = 50;
/** At the end of the process what waits is tried for so long, and then it is lost. */
const LAST_CHANCE_MS: Milliseconds = 250;

export interface LogOutputOptions {
  readonly clock: Clock;
  /** As `fs.writeSync` on a descriptor: how many bytes it took; throws EAGAIN when it takes none. */
  readonly write: (bytes: Buffer) => number;
  /** The line that is written once room is there again. */
  readonly droppedLine: (lines: number) => string;
  readonly maxWaitingBytes?: Bytes;
}

export class LogOutput {
  readonly #options: LogOutputOptions;
  readonly #maxWaitingBytes: Bytes;
  #waiting: Buffer[] = [];
  #waitingBytes: Bytes = 0;
  #dropped = 0;
  #droppedInAll = 0;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: LogOutputOptions) {
    this.#options = options;
    this.#maxWaitingBytes = options.maxWaitingBytes ?? MAX_WAITING_BYTES;
  }

  write(line: string): void {
    if (this.#closed) return;
    const bytes = Buffer.from(line, 'utf8');
    if (this.#waiting.length === 0) {
      const rest = this.#push(bytes);
      if (rest !== undefined) this.#hold(rest);
      return;
    }
    if (this.#waitingBytes + bytes.length <= this.#maxWaitingBytes) this.#hold(bytes);
    else {
      this.#dropped++;
      this.#droppedInAll++;
    }
  }

  stats(): { readonly waitingBytes: Bytes; readonly droppedLines: number } {
    return { waitingBytes: this.#waitingBytes, droppedLines: this.#droppedInAll };
  }

  /** For the end of the process, which cannot wait for a timer. Gives up after a moment. */
  flush(): void {
    const until = this.#options.clock.monotonic() + LAST_CHANCE_MS;
    while (this.#waiting.length > 0 && !this.#closed && this.#options.clock.monotonic() < until) {
      this.#drain();
      if (this.#waiting.length > 0) pause();
    }
  }

  #hold(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#retry ??= this.#options.clock.after(RETRY_MS, () => {
      this.#retry = undefined;
      this.#drain();
    });
  }

  #drain(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const [index, bytes] of waiting.entries()) {
      const rest = this.#push(bytes);
      if (this.#closed) return;
      if (rest === undefined) continue;
      // What was not begun stays in its order behind the rest of this one.
      for (const left of [rest, ...waiting.slice(index + 1)]) this.#hold(left);
      return;
    }
    if (this.#dropped === 0) return;
    const line = this.#options.droppedLine(this.#dropped);
    this.#dropped = 0;
    this.write(line);
  }

  /** What the descriptor did not take. */
  #push(bytes: Buffer): Buffer | undefined {
    let rest = bytes;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(this.#options.write(rest));
      } catch (error) {
        const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
        if (code === 'EAGAIN') return rest;
        // The reader is gone, or the disk is full: a log that cannot be written ends no server.
        if (code === 'EPIPE' || code === 'EBADF') this.#closed = true;
        return undefined;
      }
    }
    return undefined;
  }
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Nothing wakes us: it is 5 ms of sleep. */
function pause(): void {
  Atomics.wait(nobody, 0, 0, 5);
}

/**
 * The descriptor of Node's own stream, made non-blocking before each write. Once is not enough: every process that we
 * fork gets it blocking from libuv, and every one that ends sets it back to how it found it, and there is only one setting
 * for all of them. It costs one system call.
 */
export function descriptor(stream: NodeJS.WriteStream & { readonly fd: number }): LogOutputOptions['write'] {
  const handle: unknown = Reflect.get(stream, '_handle');
  // A file has none, and never blocks; a terminal has a reader.
  if (stream.isTTY || !canUnblock(handle)) return (bytes) => writeSync(stream.fd, bytes);
  return (bytes) => {
    handle.setBlocking(false);
    return writeSync(stream.fd, bytes);
  };
}

interface StreamHandle {
  setBlocking(blocking: boolean): unknown;
}

function canUnblock(handle: unknown): handle is StreamHandle {
  if (typeof handle !== 'object' || handle === null) return false;
  return 'setBlocking' in handle && typeof handle.setBlocking === 'function';
}
