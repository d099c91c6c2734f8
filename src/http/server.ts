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
import { SlowReaders } from './slow-readers.ts';

export interface PageServerOptions {
  readonly handler: RequestHandler;
  readonly clock: Clock;
  readonly limits?: Limits;
}

/** So many of the oldest connections are asked whether they are idle, when a new one finds no place. */
const ASKED_FOR_ROOM = 100;

export interface ConnectionStats {
  readonly open: number;
  /** With an answer under way, those of the shortcut aside. */
  readonly inFlight: number;
  /** Closed to make room, new ones and idle ones. */
  readonly refused: number;
  /** Cut off because their visitors took nothing. */
  readonly slowReaders: number;
}

/** How long connections without a request in flight are left open: one may be on its way. */
const GRACE_MS: Milliseconds = 100;

export class PageServer {
  /** Node's own, for those who stand before it (the shortcut). */
  readonly http: Server;
  readonly #handler: RequestHandler;
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #connections = new Set<Socket>();
  readonly #maxConnections: number;
  readonly #slowReaders: SlowReaders;
  #refused = 0;
  /** Responses in flight, by connection. One whose bytes wait for a slow reader is in flight. */
  readonly #inFlight = new Map<Socket, Set<ServerResponse>>();
  readonly #lastRequest = new WeakMap<Socket, IncomingMessage>();
  /** It drains, and the moment for requests on their way is over. */
  #isEnding = false;

  constructor({ handler, clock, limits = DEFAULT_LIMITS }: PageServerOptions) {
    this.#handler = handler;
    this.#clock = clock;
    this.#maxConnections = limits.maxConnections;
    this.#slowReaders = new SlowReaders({
      clock,
      connections: this.#connections,
      sendTimeoutMs: limits.sendTimeoutMs,
      checkEveryMs: limits.connectionsCheckingMs,
    });
    this.http = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.connectionsCheckingMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      // The handler refuses what has none, with the headers that every answer of ours has.
      requireHostHeader: false,
    });
    this.http.on('connection', (socket: Socket) => this.#connected(socket));
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
    this.#slowReaders.start();
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
    this.#slowReaders.close();
    // `close` calls it. What is idle is ended by `drain`.
    this.http.closeIdleConnections = () => {};
    return new Promise((resolve) => this.http.close(() => resolve()));
  }

  stats(): ConnectionStats {
    return {
      open: this.#connections.size,
      inFlight: this.#inFlight.size,
      refused: this.#refused,
      slowReaders: this.#slowReaders.cut,
    };
  }

  /**
   * Not Node's own `maxConnections`: in a cluster a worker that is full would hand the connection back, and with all
   * of them full it would go round for ever.
   */
  #connected(socket: Socket): void {
    if (this.#connections.size >= this.#maxConnections) {
      this.#refused += 1;
      const idle = this.#idle();
      if (idle === undefined) {
        socket.destroy();
        return;
      }
      this.#connections.delete(idle);
      idle.destroy();
    }
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
  }

  /** The first of the oldest connections that has no answer under way. A visitor's browser opens it again. */
  #idle(): Socket | undefined {
    let asked = 0;
    for (const socket of this.#connections) {
      if (!this.#inFlight.has(socket) && socket.writableLength === 0) return socket;
      asked += 1;
      if (asked === ASKED_FOR_ROOM) return undefined;
    }
    return undefined;
  }

  #cut(): void {
    for (const socket of this.#connections) socket.destroy();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    this.#lastRequest.set(socket, request);
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

  /**
   * An answer now would be taken for that of a request before it, so those are finished first. Where the bytes are the
   * body of a request, that request has its answer: another one would be taken for that of the next.
   */
  #unreadable(error: ParseError, socket: Socket): void {
    if (error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const isInBody = this.#lastRequest.get(socket)?.complete === false;
    const end = () => (isInBody ? socket.destroySoon() : endWith(socket, statusOf(error)));
    const waiting = this.#inFlight.get(socket);
    const last = waiting === undefined ? undefined : [...waiting].at(-1);
    if (last === undefined) end();
    else last.once('close', end);
  }
}
