// Readers too slow to wait for. Bytes that a visitor does not take lie in this process, and their connection holds a
// place; one that takes a byte now and then would hold both for ever. So a client with bytes waiting must take, in each
// span of `sendTimeoutMs`, as many as the slowest line does, or is cut off.
//
// What was taken is what the operating system took of us. A large body is one write, of which Node tells only the
// end; how much of it is left, the socket's handle knows (`writeQueueSize`, by which Node's own timeouts see progress
// too). Where a Node has no such handle, only whole writes count.
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';

/** Slower than the slowest line that anybody still uses to read pages. */
const MIN_BYTES_PER_SECOND = 512;

export interface SlowReadersOptions {
  readonly clock: Clock;
  /** Read, never changed. */
  readonly connections: Iterable<Socket>;
  readonly sendTimeoutMs: Milliseconds;
  readonly checkEveryMs: Milliseconds;
}

interface Waiting {
  readonly sinceMs: Milliseconds;
  readonly taken: Bytes;
}

export class SlowReaders {
  readonly #options: SlowReadersOptions;
  readonly #waiting = new WeakMap<Socket, Waiting>();
  #timer: Timer | undefined;
  #cut = 0;

  constructor(options: SlowReadersOptions) {
    this.#options = options;
  }

  /** How many were cut off. */
  get cut(): number {
    return this.#cut;
  }

  /** Its bytes waited at the last look, and still do. */
  isSlow(socket: Socket): boolean {
    return socket.writableLength > 0 && this.#waiting.has(socket);
  }

  start(): void {
    const { clock, checkEveryMs } = this.#options;
    this.#timer = clock.after(checkEveryMs, () => {
      this.#check();
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #check(): void {
    const { clock, connections, sendTimeoutMs } = this.#options;
    const nowMs = clock.monotonic();
    for (const socket of connections) {
      if (socket.destroyed || socket.writableLength === 0) {
        this.#waiting.delete(socket);
        continue;
      }
      const taken = takenBytes(socket);
      const before = this.#waiting.get(socket);
      const spanMs = before === undefined ? 0 : nowMs - before.sinceMs;
      if (before === undefined) this.#waiting.set(socket, { sinceMs: nowMs, taken });
      else if (spanMs < sendTimeoutMs) continue;
      else if (taken - before.taken >= (MIN_BYTES_PER_SECOND * spanMs) / 1000)
        this.#waiting.set(socket, { sinceMs: nowMs, taken });
      else {
        this.#cut += 1;
        socket.destroy();
      }
    }
  }
}

interface Handle {
  readonly writeQueueSize: Bytes;
}

function takenBytes(
  socket: Socket & { readonly _handle?: unknown; readonly _bytesDispatched?: unknown },
): Bytes {
  const { _handle: handle, _bytesDispatched: dispatched } = socket;
  return isHandle(handle) && typeof dispatched === 'number'
    ? dispatched - handle.writeQueueSize
    : socket.bytesWritten - socket.writableLength;
}

function isHandle(handle: unknown): handle is Handle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'writeQueueSize' in handle &&
    typeof handle.writeQueueSize === 'number'
  );
}
