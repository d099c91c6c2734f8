// The seam between Node's HTTP server and the fast path: one connection, and what must hold on it.
//
// Node's parser hands every request to `parser.onIncoming(request, keepAlive)`, which makes a ServerResponse, wires
// it to the socket and emits 'request'. We stand before it: a request that the fast path can answer is answered with
// one write to the socket and goes no further; every other is handed on untouched, so the ordinary path is Node's
// own in every respect. What Node would have looked after is looked after here:
// - order: we write only when no response is in flight on this socket (`_httpMessage`), so pipelined answers keep
//   their order
// - backpressure: we write only while the socket wants more; else the request is handed on, and Node pauses the
//   connection until it drains
// - idle time: armed as Node arms it after a response, disarmed before a request is handed on
// - the request object: let go at once (`parser.incoming`), as Node does after a response
// hit-proof.ts tries at start-up whether all this is so in the Node that runs.
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Milliseconds } from '../../core/units.ts';

type OnIncoming = (request: IncomingMessage, keepAlive: boolean) => unknown;

/** The part of Node's parser that we stand before. */
interface Parser {
  onIncoming: OnIncoming;
  incoming: IncomingMessage | null;
}

interface HttpSocket extends Socket {
  readonly parser: Parser;
  /** The response that is being written, if any. */
  readonly _httpMessage?: object | null;
}

/** Node gives the client this much longer than announced, so that a request on its way meets an open connection. */
const GRACE_MS: Milliseconds = 1000;
const NOTHING = Buffer.alloc(0);

/** True when it has answered. */
export type TakeRequest = (request: IncomingMessage, connection: HitConnection) => boolean;

export class HitConnection {
  readonly #socket: HttpSocket;
  readonly #idleMs: Milliseconds;
  readonly #busyMs: Milliseconds;
  /** The idle time on this socket is of our making. */
  #armed = false;
  readonly #rearm = (): void => this.#arm();

  /** Undefined where this Node is not built as we think: the connection is then Node's alone. */
  static stand(server: Server, socket: Socket, take: TakeRequest): HitConnection | undefined {
    if (!isHttpSocket(socket)) return undefined;
    const connection = new HitConnection(server, socket);
    const { parser } = socket;
    const node = parser.onIncoming;
    parser.onIncoming = (request, keepAlive) => {
      if (keepAlive && connection.#mayWrite(request) && take(request, connection)) {
        parser.incoming = null;
        return 0;
      }
      connection.#disarm();
      return node(request, keepAlive);
    };
    return connection;
  }

  private constructor(server: Server, socket: HttpSocket) {
    this.#socket = socket;
    this.#idleMs = server.keepAliveTimeout > 0 ? server.keepAliveTimeout + GRACE_MS : 0;
    this.#busyMs = server.timeout;
  }

  /** False: the bytes are not all with the operating system yet and must stay as they are. */
  write(bytes: Buffer, rest: Buffer | undefined): boolean {
    const socket = this.#socket;
    if (rest === undefined) {
      socket.write(bytes);
    } else {
      socket.cork();
      socket.write(bytes);
      socket.write(rest);
      socket.uncork();
    }
    if (socket.writableLength === 0) {
      if (!this.#armed) this.#arm();
      return true;
    }
    // A slow reader: while bytes are on their way the connection is not idle.
    this.#disarm();
    socket.write(NOTHING, this.#rearm);
    return false;
  }

  #mayWrite({ upgrade, httpVersionMinor, httpVersionMajor }: RequestLine): boolean {
    const socket = this.#socket;
    return (
      httpVersionMinor === 1 &&
      httpVersionMajor === 1 &&
      upgrade !== true &&
      (socket._httpMessage === null || socket._httpMessage === undefined) &&
      socket.writable &&
      !socket.writableNeedDrain
    );
  }

  #arm(): void {
    if (this.#idleMs === 0 || this.#socket.destroyed || this.#socket.writableLength !== 0) return;
    this.#armed = true;
    this.#socket.setTimeout(this.#idleMs);
  }

  #disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.#socket.setTimeout(this.#busyMs);
  }
}

interface RequestLine {
  readonly upgrade?: unknown;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
}

function isHttpSocket(socket: Socket): socket is HttpSocket {
  if (!('parser' in socket) || typeof socket.parser !== 'object' || socket.parser === null) return false;
  return (
    'onIncoming' in socket.parser &&
    typeof socket.parser.onIncoming === 'function' &&
    'incoming' in socket.parser
  );
}
