// The HTTP server of a worker. Its life:
//
//   listening   every connection is kept between requests
//   draining    no new connections; each answer says `Connection: close`; idle connections end at once. When
//               nothing is in flight any more, or at the deadline, what is left is cut
//   closed      nothing is left: no socket, no timer
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
  /** Responses in flight, by connection. */
  readonly #inFlight = new Map<Socket, Set<ServerResponse>>();
  #onIdle: (() => void) | undefined;

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
    this.#handler.closing = true;
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    const deadline = this.#clock.after(deadlineMs, () => this.http.closeAllConnections());
    let isClosed = false;
    void closed.then(() => {
      isClosed = true;
    });
    while (!isClosed) {
      await Promise.race([this.#idle(), closed]);
      // A request may have been on its way when the connection was told of its end by nobody yet.
      await Promise.race([this.#pause(GRACE_MS), closed]);
      if (this.#inFlight.size === 0) this.http.closeAllConnections();
    }
    deadline.cancel();
  }

  /** Cuts everything off. */
  async close(): Promise<void> {
    await this.drain(0);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const inFlight = this.#inFlight.get(socket) ?? new Set();
    this.#inFlight.set(socket, inFlight.add(response));
    response.once('close', () => {
      inFlight.delete(response);
      if (inFlight.size > 0) return;
      this.#inFlight.delete(socket);
      if (this.#inFlight.size === 0) this.#onIdle?.();
    });
    void this.#handler.handle(request, response);
  }

  #pause(delayMs: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(delayMs, resolve);
    });
  }

  /** Resolves when no response is in flight. */
  #idle(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
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
