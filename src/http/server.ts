// The HTTP server of a worker. Its life:
//
//   listening   every connection is kept between requests
//   draining    no new connections; each answer says `Connection: close` and ends its own. A connection without a
//               request gets a moment, since one may be on its way; then it ends, once the bytes it still holds
//               are with the visitor's system. At the deadline what is left is cut
//   closed      nothing is left: no socket, no timer
//
// Node's own idea of an idle connection does not serve here: it destroys one whose answer is finished but still
// waits for a slow reader, and knows nothing of answers that the fast path wrote. Each connection is followed by
// core/connections.ts.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { Connections, isIdle, isReceiving, isSettled } from '../core/connections.ts';
import { endWith } from '../core/last-word.ts';
import type { Milliseconds } from '../core/units.ts';
import type { RequestHandler } from './handler.ts';
import { DEFAULT_LIMITS, type Limits } from './limits/limits.ts';
import { SlowReaders } from './limits/slow-readers.ts';
import { SlowSenders } from './limits/slow-senders.ts';
import { Exchange } from './observability/exchange.ts';
import { statusOf } from './request/bad-request.ts';

export interface PageServerOptions {
  readonly handler: RequestHandler;
  readonly clock: Clock;
  readonly limits?: Limits;
}

export interface ConnectionStats {
  readonly open: number;
  /** With an answer under way, those of the fast path aside. */
  readonly inFlight: number;
  /** Closed to make room, new ones and others. */
  readonly refused: number;
  /** Cut off because their visitors took nothing. */
  readonly slowReaders: number;
}

export class PageServer {
  /** Node's own, for those who stand before it (the fast path). */
  readonly http: Server;
  readonly #handler: RequestHandler;
  readonly #clock: Clock;
  readonly #connections: Connections;
  readonly #slowReaders: SlowReaders;
  readonly #slowSenders: SlowSenders;

  constructor({ handler, clock, limits = DEFAULT_LIMITS }: PageServerOptions) {
    this.#handler = handler;
    this.#clock = clock;
    this.http = createServer<typeof IncomingMessage, typeof ServerResponse>({
      ServerResponse: Exchange,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      // By SlowSenders, which tells uploads from other requests.
      requestTimeout: 0,
      connectionsCheckingInterval: limits.connectionsCheckingMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      // The handler refuses what has none, with the headers that every answer of ours has.
      requireHostHeader: false,
    });
    // One more than the handler lets pass: so it sees that there are too many, and the rest costs nothing.
    this.http.maxHeadersCount = limits.maxHeaderCount + 1;
    this.#connections = new Connections({
      server: this.http,
      clock,
      max: limits.maxConnections,
      // Never one whose render is under way: the new one goes.
      givesWay: [isSettled, isReceiving, ({ socket }) => this.#slowReaders.isSlow(socket), isIdle],
      refuse: (_request, response, status) => handler.refuse(response, status),
      statusOf,
    });
    this.#slowReaders = new SlowReaders({
      clock,
      connections: this.#connections,
      sendTimeoutMs: limits.sendTimeoutMs,
      checkEveryMs: limits.connectionsCheckingMs,
    });
    this.#slowSenders = new SlowSenders({
      clock,
      connections: this.#connections,
      requestTimeoutMs: limits.requestTimeoutMs,
      checkEveryMs: limits.connectionsCheckingMs,
    });
    this.http.on('request', (request, response) => this.#request(request, response));
    // The reader of a body says 100 first (request-body.ts); a refusal comes without it.
    this.http.on('checkContinue', (request, response) => this.#request(request, response));
    this.http.on('checkExpectation', (request, response) => this.#request(request, response));
    this.http.on('connect', (_request, socket: Socket) =>
      endWith(socket, 405, 'allow: GET, HEAD, OPTIONS\r\n'),
    );
  }

  /** Errors: Node's own (`EADDRINUSE` ...). */
  listen(options: ListenOptions): Promise<AddressInfo> {
    this.#slowReaders.start();
    this.#slowSenders.start();
    return new Promise((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(options, () => {
        this.http.off('error', reject);
        const address = this.http.address();
        if (typeof address === 'object' && address !== null) resolve(address);
        else reject(new Error('The server listens on a pipe, not on a port.'));
      });
    });
  }

  /**
   * Finishes what is in flight, for at most `deadlineMs`. Resolves when the last connection is closed; before that,
   * `onClosed` is called when nothing new can come any more: no connection, no request on an idle one.
   */
  async drain(deadlineMs: Milliseconds, onClosed: () => void = () => {}): Promise<void> {
    const closed = this.#stopListening();
    this.#connections.drain(onClosed);
    const deadline = this.#clock.after(deadlineMs, () => this.#connections.cut());
    await closed;
    this.#connections.drained();
    deadline.cancel();
  }

  /** Cuts everything off. */
  async close(): Promise<void> {
    const closed = this.#stopListening();
    this.#connections.cut();
    await closed;
  }

  /** Resolves when the last connection is closed. */
  #stopListening(): Promise<void> {
    this.#handler.closing = true;
    this.#slowReaders.close();
    this.#slowSenders.close();
    // `close` calls it. What is idle is ended by `drain`.
    this.http.closeIdleConnections = () => {};
    return new Promise((resolve) => this.http.close(() => resolve()));
  }

  stats(): ConnectionStats {
    const { open, inFlight, refused } = this.#connections;
    return { open, inFlight, refused, slowReaders: this.#slowReaders.cut };
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (this.#connections.began(request, response)) void this.#handler.handle(request, response);
  }
}
