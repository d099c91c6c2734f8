// The HTTP server of a worker. Its life:
//
//   listening   every connection is kept between requests
//   draining    no new connections; each answer says `Connection: close` and ends its own. A connection without a
//               request gets a moment, since one may be on its way; then it ends, once the bytes it still holds
//               are with the visitor's system. At the deadline what is left is cut
//   closed      nothing is left: no socket, no timer
//
// Node's own idea of an idle connection does not serve here: it destroys one whose answer is finished but still
// waits for a slow reader, and knows nothing of answers that the shortcut wrote.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/units.ts';
import { endWith, type ParseError, statusOf } from './bad-request.ts';
import type { RequestHandler } from './handler.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';

export interface PageServerOptions {
  readonly handler: RequestHandler;
  readonly clock: Clock;
  readonly limits?: Limits;
}

/** How long connections without a request in flight are left open: one may be on its way. */
const GRACE_MS: Milliseconds = 100;

export class PageServer {
  /** Node's own, for those who stand before it (the shortcut). */
  readonly http: Server;
  readonly #handler: RequestHandler;
  readonly #clock: Clock;
  readonly #connections = new Set<Socket>();
  /** Responses in flight, by connection. One whose bytes wait for a slow reader is in flight. */
  readonly #inFlight = new Map<Socket, Set<ServerResponse>>();
  /** It drains, and the moment for requests on their way is over. */
  #isEnding = false;

  constructor({ handler, clock, limits = DEFAULT_LIMITS }: PageServerOptions) {
    this.#handler = handler;
    this.#clock = clock;
    this.http = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.connectionsCheckingMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
    });
    this.http.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.http.on('request', (request, response) => this.#request(request, response));
    // The answer comes at once; nobody is asked to send a body first.
    this.http.on('checkContinue', (request, response) => this.#request(request, response));
    this.http.on('checkExpectation', (request, response) => this.#request(request, response));
    this.http.on('connect', (_request, socket: Socket) =>
      endWith(socket, 405, 'allow: GET, HEAD, OPTIONS\r\n'),
    );
    this.http.on('clientError', (error: ParseError, socket: Socket) => this.#unreadable(error, socket));
  }

  /** Errors: Node's own (`EADDRINUSE` ...). */
  listen(options: ListenOptions): Promise<AddressInfo> {
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

  /** Finishes what is in flight, for at most `deadlineMs`. Resolves when the last connection is closed. */
  async drain(deadlineMs: Milliseconds): Promise<void> {
    const closed = this.#stopListening();
    const grace = this.#clock.after(GRACE_MS, () => {
      this.#isEnding = true;
      for (const socket of this.#connections) this.#endIfIdle(socket);
    });
    const deadline = this.#clock.after(deadlineMs, () => this.#cut());
    await closed;
    grace.cancel();
    deadline.cancel();
  }

  /** Cuts everything off. */
  async close(): Promise<void> {
    const closed = this.#stopListening();
    this.#cut();
    await closed;
  }

  /** Resolves when the last connection is closed. */
  #stopListening(): Promise<void> {
    this.#handler.closing = true;
    // `close` calls it. What is idle is ended by `drain`.
    this.http.closeIdleConnections = () => {};
    return new Promise((resolve) => this.http.close(() => resolve()));
  }

  #cut(): void {
    for (const socket of this.#connections) socket.destroy();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const inFlight = this.#inFlight.get(socket) ?? new Set();
    this.#inFlight.set(socket, inFlight.add(response));
    response.once('close', () => {
      inFlight.delete(response);
      if (inFlight.size > 0) return;
      this.#inFlight.delete(socket);
      // An answer that was begun before the drain has not said that it is the last.
      if (this.#isEnding) this.#endIfIdle(socket);
    });
    void this.#handler.handle(request, response);
  }

  /** `destroySoon` sends what is still to be sent first. */
  #endIfIdle(socket: Socket): void {
    if (!this.#inFlight.has(socket)) socket.destroySoon();
  }

  /** An answer now would be taken for that of a request before it, so those are finished first. */
  #unreadable(error: ParseError, socket: Socket): void {
    if (error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const waiting = this.#inFlight.get(socket);
    const last = waiting === undefined ? undefined : [...waiting].at(-1);
    if (last === undefined) endWith(socket, statusOf(error));
    else last.once('close', () => endWith(socket, statusOf(error)));
  }
}
