// A keep-alive connection that reads answers of any framing, and takes them out of their encoding.
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

export class Connection {
  readonly #socket;
  #received = Buffer.alloc(0);
  #isOver = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true);
    this.#socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const over = () => {
      this.#isOver = true;
      this.#wake();
    };
    this.#socket.on('close', over).on('error', over);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Undefined: the connection ended before. */
  async ask(request: string, isHead = false): Promise<Answer | undefined> {
    this.#socket.write(request);
    for (;;) {
      const answer = this.#take(isHead);
      if (answer !== undefined) return answer;
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** As somebody who leaves in the middle. */
  leave(request: string): void {
    this.#socket.write(request, () => setImmediate(() => this.#socket.resetAndDestroy()));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(isHead: boolean): Answer | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const head = this.#received.toString('latin1', 0, end);
    const status = Number(head.slice(9, 12));
    const isEmpty = isHead || status === 304 || status === 204;
    const body = isEmpty ? { bytes: NOTHING, end: end + 4 } : this.#body(head, end + 4);
    if (body === undefined) return undefined;
    this.#received = this.#received.subarray(body.end);
    return { status, head, body: decoded(head, body.bytes) };
  }

  #body(head: string, from: number): { readonly bytes: Buffer; readonly end: number } | undefined {
    if (!/\r\ntransfer-encoding: chunked/i.test(head)) {
      const end = from + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      return this.#received.length < end ? undefined : { bytes: this.#received.subarray(from, end), end };
    }
    const parts: Buffer[] = [];
    for (let at = from; ; ) {
      const lineEnd = this.#received.indexOf('\r\n', at);
      if (lineEnd === -1) return undefined;
      const size = Number.parseInt(this.#received.toString('latin1', at, lineEnd), 16);
      const next = lineEnd + 2 + size + 2;
      if (this.#received.length < next) return undefined;
      if (size === 0) return { bytes: Buffer.concat(parts), end: next };
      parts.push(this.#received.subarray(lineEnd + 2, next - 2));
      at = next;
    }
  }
}

const NOTHING = Buffer.alloc(0);

function decoded(head: string, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  if (/\r\ncontent-encoding: gzip/i.test(head)) return gunzipSync(bytes);
  if (/\r\ncontent-encoding: br/i.test(head)) return brotliDecompressSync(bytes);
  return bytes;
}
