// HTTP as bytes on a socket, for requests that no client library would send.
import { connect } from 'node:net';

export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A connection that stays open between requests, as a browser's does. */
export class RawConnection {
  readonly #socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    this.#socket.on('close', end).on('end', end).on('error', end);
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** The next response, or undefined when the server has closed the connection. */
  async next(isHead = false): Promise<RawResponse | undefined> {
    for (;;) {
      const response = this.#take(isHead);
      if (response !== undefined) return response;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async ask(bytes: string | Buffer, isHead = false): Promise<RawResponse | undefined> {
    this.send(bytes);
    return this.next(isHead);
  }

  /** Resolves when the first bytes of an answer are here, or the connection has ended. */
  async began(): Promise<void> {
    while (this.#received.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when the server has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(isHead: boolean): RawResponse | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const [line = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n');
    const headers = new Map<string, string>();
    for (const header of lines) {
      const at = header.indexOf(':');
      headers.set(header.slice(0, at).toLowerCase(), header.slice(at + 1).trim());
    }
    const status = Number(line.split(' ')[1]);
    const bodyless = isHead || status === 304 || status === 204 || status < 200;
    const length = bodyless ? 0 : Number(headers.get('content-length') ?? 0);
    const total = end + 4 + length;
    if (this.#received.length < total) return undefined;
    const body = this.#received.subarray(end + 4, total);
    this.#received = this.#received.subarray(total);
    return { status, headers, body };
  }
}
