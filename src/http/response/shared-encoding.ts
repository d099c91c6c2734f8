// The bytes of a streamed page in one encoding, compressed once for all who wait for it.
//
//   shell   compressed and flushed when the first visitor is sent it; one that joins later is sent what there is
//   end     the rest of the page, in the same encoder. A visitor who may not have it (a purge came between) gets another
//           end, from an encoder that is fed the shell again: its output goes on where that of the first one stood
//   left    the last visitor has gone: nothing more is compressed
import type { ServerResponse } from 'node:http';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import type { Shell } from '../../page/render/shells.ts';

/**
 * An encoder lives as long as the render takes, so it is its memory that counts: one of quality 4 takes 580 KB, this one
 * 50. What is cached of the page is compressed well.
 */
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 16 };
const GZIP = { level: 1, memLevel: 5, windowBits: 12 };

type Compressed = 'br' | 'gzip';

/** Of the renders under way: who waits for the same one shares its bytes. */
export class SharedEncodings {
  readonly #known = new WeakMap<Shell, Map<Compressed, SharedEncoding>>();

  of(shell: Shell, encoding: Compressed): SharedEncoding {
    const encodings = this.#known.get(shell) ?? new Map<Compressed, SharedEncoding>();
    this.#known.set(shell, encodings);
    const known = encodings.get(encoding);
    if (known !== undefined) return known;
    const shared = new SharedEncoding(encoding, shell.before, () => encodings.delete(encoding));
    encodings.set(encoding, shared);
    return shared;
  }
}

export class SharedEncoding {
  readonly #encoding: Compressed;
  readonly #before: Buffer;
  readonly #onLeft: () => void;
  readonly #visitors = new Set<ServerResponse>();
  readonly #encoders = new Set<Encoder>();
  readonly #shell = new Broadcast();
  readonly #first: Encoder;
  readonly #ends: { readonly rest: Buffer; readonly bytes: Broadcast }[] = [];

  constructor(encoding: Compressed, before: Buffer, onLeft: () => void) {
    this.#encoding = encoding;
    this.#before = before;
    this.#onLeft = onLeft;
    this.#first = this.#encoder(this.#shell);
  }

  /** Sends the shell, whose head is out. */
  join(visitor: ServerResponse): void {
    this.#visitors.add(visitor);
    visitor.once('close', () => this.#leave(visitor));
    this.#shell.add(visitor);
  }

  /** Sends what follows the shell, and ends the answer. */
  async finish(visitor: ServerResponse, rest: Buffer): Promise<void> {
    // Before that the shell is still being sent to it.
    await this.#first.shellIsOut;
    this.#endOf(rest).add(visitor);
  }

  #endOf(rest: Buffer): Broadcast {
    const known = this.#ends.find((end) => end.rest.equals(rest));
    if (known !== undefined) return known.bytes;
    const bytes = new Broadcast();
    const encoder = this.#ends.length === 0 ? this.#first : this.#encoder(undefined);
    this.#ends.push({ rest, bytes });
    void encoder.finish(rest, bytes);
    return bytes;
  }

  #encoder(shell: Broadcast | undefined): Encoder {
    const fail = () => {
      for (const visitor of this.#visitors) visitor.destroy();
    };
    const encoder = new Encoder(this.#encoding, this.#before, shell, fail);
    this.#encoders.add(encoder);
    return encoder;
  }

  #leave(visitor: ServerResponse): void {
    this.#visitors.delete(visitor);
    this.#shell.remove(visitor);
    for (const { bytes } of this.#ends) bytes.remove(visitor);
    if (this.#visitors.size > 0) return;
    for (const encoder of this.#encoders) encoder.destroy();
    this.#onLeft();
  }
}

/** First the shell's bytes come out of it, then those of one end. */
class Encoder {
  readonly shellIsOut: Promise<void>;
  readonly #stream: ReturnType<typeof createBrotliCompress | typeof createGzip>;
  #to: Broadcast | undefined;

  constructor(encoding: Compressed, before: Buffer, shell: Broadcast | undefined, onError: () => void) {
    const stream = encoding === 'br' ? createBrotliCompress({ params: BROTLI }) : createGzip(GZIP);
    this.#stream = stream;
    this.#to = shell;
    stream.on('data', (bytes: Buffer) => this.#to?.write(bytes));
    stream.on('error', onError);
    stream.write(before);
    this.shellIsOut = new Promise((resolve) => {
      // What was flushed may still wait to be read.
      const settle = () => (stream.readableLength === 0 ? resolve() : void stream.once('data', settle));
      stream.flush(settle);
    });
  }

  async finish(rest: Buffer, bytes: Broadcast): Promise<void> {
    await this.shellIsOut;
    if (this.#stream.destroyed) return;
    this.#to = bytes;
    this.#stream.once('end', () => bytes.end());
    this.#stream.end(rest);
  }

  destroy(): void {
    this.#stream.destroy();
  }
}

/** Bytes for several visitors; those who come late are sent what they missed. */
class Broadcast {
  readonly #bytes: Buffer[] = [];
  readonly #visitors = new Set<ServerResponse>();
  #isOver = false;

  add(visitor: ServerResponse): void {
    if (visitor.destroyed) return;
    for (const bytes of this.#bytes) visitor.write(bytes);
    if (this.#isOver) visitor.end();
    else this.#visitors.add(visitor);
  }

  remove(visitor: ServerResponse): void {
    this.#visitors.delete(visitor);
  }

  write(bytes: Buffer): void {
    this.#bytes.push(bytes);
    for (const visitor of this.#visitors) visitor.write(bytes);
  }

  end(): void {
    this.#isOver = true;
    for (const visitor of this.#visitors) visitor.end();
    this.#visitors.clear();
  }
}
