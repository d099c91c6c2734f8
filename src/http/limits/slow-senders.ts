// Senders too slow to wait for. A request whose body does not come holds a place; one that sends a byte now and then would hold it
// for ever. Two limits, looked at together every while:
//
//   by time       the whole request within `requestTimeoutMs`: all that is read before it is answered
//   by progress   uploads, which may take an hour on a slow line: in each span of `requestTimeoutMs` as many bytes as the slowest line
//                 sends. A span in which we did not read (the author's sink was slow) is not the sender's fault
//
// Not Node's own `requestTimeout`, which is one for all requests and cuts off an upload in its middle.
import type { IncomingMessage } from 'node:http';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Connection, Connections } from '../../core/connections.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';

/** Slower than the slowest line that anybody still uses. */
const MIN_BYTES_PER_SECOND = 512;

const byProgress = new WeakSet<IncomingMessage>();

/** From now on its body may take as long as it wants, as long as it comes. */
export function limitByProgress(request: IncomingMessage): void {
  byProgress.add(request);
}

export interface SlowSendersOptions {
  readonly clock: Clock;
  readonly connections: Pick<Connections, 'receiving' | 'expire'>;
  readonly requestTimeoutMs: Milliseconds;
  readonly checkEveryMs: Milliseconds;
}

interface Span {
  readonly sinceMs: Milliseconds;
  readonly readBytes: Bytes;
}

export class SlowSenders {
  readonly #options: SlowSendersOptions;
  readonly #spans = new WeakMap<IncomingMessage, Span>();
  #timer: Timer | undefined;

  constructor(options: SlowSendersOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, checkEveryMs } = this.#options;
    this.#timer = clock.after(checkEveryMs, () => {
      for (const connection of this.#options.connections.receiving()) this.#check(connection);
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #check(connection: Connection): void {
    const { request, socket } = connection;
    if (request === undefined) return;
    const { clock, connections, requestTimeoutMs } = this.#options;
    const nowMs = clock.monotonic();
    const span = this.#spans.get(request);
    const readBytes = socket.bytesRead;
    const isOurFault = byProgress.has(request) && request.readableFlowing !== true;
    if (span === undefined || isOurFault) this.#spans.set(request, { sinceMs: nowMs, readBytes });
    else {
      const spanMs = nowMs - span.sinceMs;
      if (spanMs < requestTimeoutMs) return;
      const isEnough = readBytes - span.readBytes >= (MIN_BYTES_PER_SECOND * spanMs) / 1000;
      if (byProgress.has(request) && isEnough) this.#spans.set(request, { sinceMs: nowMs, readBytes });
      else connections.expire(connection);
    }
  }
}
