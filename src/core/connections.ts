// The connections of one HTTP server: what each waits for, which gives way when there are too many, and how each ends.
//
//   idle        no request, or part of a head: waits for the client
//   receiving   a request whose body is not complete: waits for the client
//   busy        a complete request whose answer is not out: waits for us, or for a reader
//   ending      the bytes that came are no HTTP, or the rest of a body did not come: the answers before are finished,
//               then the last word is said. Later bytes are ignored
//
// A connection is never kept for an answer that cannot come. What Node leaves open is done here: it closes only the
// response that is being written when a client resets, not those that wait behind it; it forgets a client that closed
// its sending side with a request on the way; and it has no limit to requests in one pipeline.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from './clock.ts';
import { endWith, LINGER_MS } from './last-word.ts';
import type { Milliseconds } from './units.ts';

export interface ParseError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/** What is known of one connection. */
export interface Connection {
  readonly socket: Socket;
  /** In the order of their requests. One whose bytes wait for a slow reader is among them. */
  readonly responses: ReadonlySet<ServerResponse>;
  /** The request that came last. */
  readonly request: IncomingMessage | undefined;
  /** Since when no answer is under way. */
  readonly idleSinceMs: Milliseconds;
}

/** `nowMs`: monotonic. */
export type GivesWay = (connection: Connection, nowMs: Milliseconds) => boolean;

export interface ConnectionsOptions {
  readonly server: Server;
  readonly clock: Clock;
  readonly max: number;
  /** Which connections give way to a new one when all places are taken: those of the first rule, else of the second, ... */
  readonly givesWay: readonly GivesWay[];
  /** Answers a request that is not complete and will not be, or is one too many; the answer ends the connection. */
  readonly refuse: (request: IncomingMessage, response: ServerResponse, status: 400 | 408 | 503) => void;
  readonly statusOf: (error: ParseError) => number;
}

interface Kept extends Connection {
  readonly responses: Set<ServerResponse>;
  request: IncomingMessage | undefined;
  idleSinceMs: Milliseconds;
  isEnding: boolean;
}

/** So many connections are asked by each rule. */
const ASKED = 100;
/** The first request of a new connection comes in this time. */
const SETTLED_MS: Milliseconds = 1000;
/** Requests of one connection whose answers are not out. Browsers send one at a time, tools a dozen. */
const MAX_PIPELINED = 100;
/** How long a client that closed its sending side has no answer before it is asked whether it is still there, twice. */
const ASK_HALF_CLOSED_MS: Milliseconds = 250;
/** A client that closed its sending side, and for whom nothing has moved in this time, has left. */
const HALF_CLOSED_MS: Milliseconds = 2000;
/** How long connections without a request in flight are left open in a drain: one may be on its way. */
const GRACE_MS: Milliseconds = 100;
/** In a drain the rest of a body is waited for as long as some of it comes in each such span. */
const BODY_SPAN_MS: Milliseconds = 1000;

/** No request is on this connection. */
export function isIdle({ responses, socket }: Connection): boolean {
  return responses.size === 0 && socket.writableLength === 0;
}

/** Idle, and not so new that its request may be the next thing that is read. */
export function isSettled(connection: Connection, nowMs: Milliseconds): boolean {
  return isIdle(connection) && nowMs - connection.idleSinceMs >= SETTLED_MS;
}

/** It waits for the rest of a body. */
export function isReceiving({ request }: Connection): boolean {
  return request?.complete === false;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  /** Oldest first. */
  readonly #all = new Map<Socket, Kept>();
  /** That has been idle for the longest time first. */
  readonly #idle = new Set<Kept>();
  readonly #busy = new Set<Kept>();
  #refused = 0;
  /** It drains, and the moment for requests on their way is over. */
  #isEnding = false;
  #drainTimer: Timer | undefined;

  /** Before the server listens. */
  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { server } = options;
    // A client that sends its request and closes its sending side gets its answer. Node has the switch, its types do not.
    Object.assign(server, { httpAllowHalfOpen: true });
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.on('clientError', (error: ParseError, socket: Socket) => this.#unreadable(error, socket));
  }

  get open(): number {
    return this.#all.size;
  }

  /** With an answer under way. */
  get inFlight(): number {
    return this.#busy.size;
  }

  /** Closed to make room, new ones and others. */
  get refused(): number {
    return this.#refused;
  }

  [Symbol.iterator](): IterableIterator<Socket> {
    return this.#all.keys();
  }

  /** Those that wait for the rest of a body. */
  *receiving(): IterableIterator<Connection> {
    // Also those whose answer is out already.
    for (const connection of this.#all.values()) if (isReceiving(connection)) yield connection;
  }

  /** The rest of its body did not come in time. */
  expire(connection: Connection): void {
    const kept = this.#all.get(connection.socket);
    if (kept !== undefined) this.#end(kept, false, 408);
  }

  /** For each request, before it is handled. False: it was refused here. */
  began(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#all.get(request.socket);
    if (connection === undefined) return true;
    const { responses, socket } = connection;
    connection.request = request;
    // Nothing here speaks another protocol, and Node drops what came behind such a request: the client has to send it again.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    responses.add(response);
    this.#sort(connection);
    if (hasBody(request)) this.#lingerAfter(request, socket);
    response.on('close', () => {
      responses.delete(response);
      if (socket.destroyed) return;
      this.#sort(connection);
      // An answer that was begun before the drain has not said that it is the last.
      if (this.#isEnding && responses.size === 0) socket.destroySoon();
    });
    if (responses.size <= MAX_PIPELINED) return true;
    // Reading on would only make the line longer.
    socket.pause();
    if (responses.size === MAX_PIPELINED + 1) this.#options.refuse(request, response, 503);
    return false;
  }

  /**
   * The server listens no more. What is idle ends after a moment, what stalls in its body a little later. `onClosed`: from
   * now on no request comes on a connection that was idle.
   */
  drain(onClosed: () => void): void {
    const { clock } = this.#options;
    this.#drainTimer = clock.after(GRACE_MS, () => {
      this.#isEnding = true;
      for (const { socket, responses } of this.#all.values()) if (responses.size === 0) socket.destroySoon();
      this.#endStalled(new Map());
      onClosed();
    });
  }

  /** The last connection is closed. */
  drained(): void {
    this.#drainTimer?.cancel();
  }

  /** Cuts everything off. */
  cut(): void {
    for (const socket of this.#all.keys()) socket.destroy();
  }

  #endStalled(readBefore: ReadonlyMap<Kept, number>): void {
    const read = new Map<Kept, number>();
    for (const connection of this.#busy) {
      if (!isReceiving(connection)) continue;
      const { bytesRead } = connection.socket;
      if (readBefore.get(connection) === bytesRead) this.#end(connection, false, 408);
      else read.set(connection, bytesRead);
    }
    this.#drainTimer = this.#options.clock.after(BODY_SPAN_MS, () => this.#endStalled(read));
  }

  /**
   * Not Node's own `maxConnections`: in a cluster a worker that is full would hand the connection back, and with all
   * of them full it would go round for ever.
   */
  #connected(socket: Socket): void {
    if (this.#all.size >= this.#options.max) {
      this.#refused += 1;
      const other = this.#toGiveWay();
      if (other === undefined) {
        socket.destroy();
        return;
      }
      this.#forget(other);
      other.socket.destroy();
    }
    const connection: Kept = {
      socket,
      responses: new Set(),
      request: undefined,
      idleSinceMs: this.#options.clock.monotonic(),
      isEnding: false,
    };
    this.#all.set(socket, connection);
    this.#idle.add(connection);
    socket.once('close', () => this.#closed(connection));
    socket.once('end', () => this.#halfClosed(connection));
  }

  #toGiveWay(): Kept | undefined {
    const nowMs = this.#options.clock.monotonic();
    for (const rule of this.#options.givesWay) {
      const matches = (connection: Kept) => rule(connection, nowMs);
      const found = firstOf(this.#idle, matches) ?? firstOf(this.#busy, matches);
      if (found !== undefined) return found;
    }
    // Others are asked for the next one.
    for (const connection of firstFew(this.#busy)) {
      this.#busy.delete(connection);
      this.#busy.add(connection);
    }
    return undefined;
  }

  #sort(connection: Kept): void {
    const isBusy = connection.responses.size > 0;
    if (isBusy) this.#idle.delete(connection);
    else this.#busy.delete(connection);
    (isBusy ? this.#busy : this.#idle).add(connection);
    if (!isBusy) connection.idleSinceMs = this.#options.clock.monotonic();
  }

  #forget(connection: Kept): void {
    this.#all.delete(connection.socket);
    this.#idle.delete(connection);
    this.#busy.delete(connection);
  }

  #closed(connection: Kept): void {
    this.#forget(connection);
    // Node closes the one that had the socket. Those behind it have none, and those that follow them wait for this.
    for (const response of [...connection.responses]) {
      if (response.socket !== null || response.writableFinished) continue;
      response.destroy();
      response.emit('close');
    }
    connection.responses.clear();
  }

  /**
   * Node closes after the last answer. Where the client still sends its body, the system then resets the connection, and
   * the answer is lost with it: so its bytes are taken for a moment (RFC 9112, 9.6).
   */
  #lingerAfter(request: IncomingMessage, socket: Socket): void {
    const close = Object.getPrototypeOf(socket).destroySoon;
    socket.destroySoon = () => {
      if (request.complete || socket.destroyed) {
        close.call(socket);
        return;
      }
      socket.end();
      request.removeAllListeners('data').resume();
      this.#options.clock.after(LINGER_MS, () => socket.destroy());
    };
  }

  /**
   * A client that waits for its answer and one that has left look alike: both have closed their sending side. But the
   * system of one that has left resets the connection when something comes. So the client is sent interim answers: the
   * first draws the reset, and the second fails by it.
   */
  #halfClosed({ socket, responses }: Kept): void {
    const { clock } = this.#options;
    const ask = () => {
      const [first] = responses;
      // HTTP/1.0 knows no interim answers.
      if (first?.headersSent === false && first.req.httpVersion === '1.1' && !socket.destroyed)
        first.writeProcessing();
    };
    if (responses.size === 0) return;
    clock.after(ASK_HALF_CLOSED_MS, () => {
      ask();
      clock.after(ASK_HALF_CLOSED_MS, () => {
        ask();
        this.#cutUnmoved(socket, HALF_CLOSED_MS - 2 * ASK_HALF_CLOSED_MS);
      });
    });
  }

  /** What is sent tells nothing where no reset comes back: the client is given time as long as bytes go out. */
  #cutUnmoved(socket: Socket, spanMs: Milliseconds): void {
    if (socket.destroyed) return;
    const bytesBefore = socket.bytesWritten;
    this.#options.clock.after(spanMs, () => {
      if (socket.writableLength === 0 && socket.bytesWritten === bytesBefore) socket.destroy();
      else this.#cutUnmoved(socket, HALF_CLOSED_MS);
    });
  }

  #unreadable(error: ParseError, socket: Socket): void {
    const connection = this.#all.get(socket);
    if (connection === undefined || error.code === 'ECONNRESET') socket.destroy();
    else this.#end(connection, error.code === 'HPE_INVALID_EOF_STATE', this.#options.statusOf(error));
  }

  /** An answer now would be taken for that of a request before it, so those are finished first. */
  #end(connection: Kept, hasLeft: boolean, status: number): void {
    if (connection.isEnding) return;
    connection.isEnding = true;
    const { socket, responses, request } = connection;
    const waiting = [...responses];
    if (request?.complete !== false) {
      after(waiting.at(-1), () => endWith(socket, status));
      return;
    }
    const own = waiting.at(-1)?.req === request ? waiting.pop() : undefined;
    // Another answer than its own would be taken for that of the next request.
    if (own === undefined) socket.destroySoon();
    else if (hasLeft) after(waiting.at(-1), () => socket.destroy());
    else if (own.headersSent) after(own, () => socket.destroySoon());
    else this.#options.refuse(request, own, status === 408 ? 408 : 400);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  return coding !== undefined || (length !== undefined && length !== '0');
}

function after(response: ServerResponse | undefined, then: () => void): void {
  if (response === undefined) then();
  else response.once('close', then);
}

function firstOf(line: ReadonlySet<Kept>, matches: (connection: Kept) => boolean): Kept | undefined {
  return firstFew(line).find(matches);
}

function firstFew(line: ReadonlySet<Kept>): Kept[] {
  const few: Kept[] = [];
  for (const connection of line) {
    if (few.length === ASKED) break;
    few.push(connection);
  }
  return few;
}
