// A page whose holes are one visitor's, on its way: what stands before the first hole at once, the holes in their order as they
// come to be filled, what lies between them as it is. No cache keeps the answer: it says no-store, has no ETag, and no condition
// is looked at.
//
//   HEAD         its headers alone; no hole is begun
//   HTTP/1.0     in one piece, with its length
//   otherwise    in chunks
import type { ServerResponse } from 'node:http';
import type { PageEntry } from '../../cache/entry.ts';
import type { Filling } from '../../page/request/hole-filler.ts';
import { GzipBlocks, GzipStream, LARGEST_COMPRESSED, piecesOf } from './gzip-blocks.ts';
import type { Encoding } from './negotiate.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

export interface FilledAnswer {
  readonly entry: PageEntry;
  /** The holes that are this visitor's, in their order. */
  readonly fillings: readonly Filling[];
  readonly encodings: readonly Encoding[];
  readonly cacheStatus: string | undefined;
  /** Flat: name, value. */
  readonly transport: readonly string[];
  /** The last one on its connection. */
  readonly closing: boolean;
}

/** Below, compressing saves nothing worth its header. */
const WORTH_COMPRESSING = 1024;

/** What none but the visitor's browser may hear of such an answer. */
const NOT_REPEATED = new Set([
  ...['cache-control', 'cdn-cache-control', 'surrogate-control', 'surrogate-key', 'cache-groups', 'vary'],
]);

export class FilledPages {
  readonly #blocks = new GzipBlocks();

  /** Resolves with the bytes of its body, before compression. Rejects never: a visitor who has gone is left alone. */
  async send(response: ServerResponse, answer: FilledAnswer): Promise<number> {
    const { entry, encodings } = answer;
    const { req } = response;
    const isWhole = req.httpVersionMajor === 1 && req.httpVersionMinor === 0;
    const isLarge = entry.identity.length > LARGEST_COMPRESSED;
    const isSmall = entry.identity.length < WORTH_COMPRESSING;
    const zips = !isWhole && !isLarge && !isSmall && encodings.includes('gzip');
    const headers = headersOf(answer, zips);
    if (req.method === 'HEAD') {
      response.writeHead(entry.status, headers);
      response.end();
      return 0;
    }
    if (isWhole) {
      const body = await filledBody(entry, answer.fillings);
      if (response.destroyed) return 0;
      response.writeHead(entry.status, [...headers, 'content-length', String(body.length)]);
      response.end(body);
      return body.length;
    }
    response.writeHead(entry.status, headers);
    return zips ? this.#zipped(response, answer) : plain(response, answer);
  }

  async #zipped(response: ServerResponse, { entry, fillings }: FilledAnswer): Promise<number> {
    const blocks = this.#blocks.of(entry);
    const zip = new GzipStream();
    const body = new Body(response);
    body.add(zip.head);
    let length = 0;
    for (const [at, piece] of piecesOf(entry).entries()) {
      const filling = fillingAt(entry, fillings, at);
      if (filling === undefined) {
        body.add(zip.piece(piece, blocks[at] ?? NOTHING));
        length += piece.length;
        continue;
      }
      const html = await body.during(filling.html);
      if (html === undefined) return length;
      body.add(zip.own(html));
      length += html.length;
    }
    body.add(zip.end());
    body.end();
    return length;
  }
}

async function plain(response: ServerResponse, { entry, fillings }: FilledAnswer): Promise<number> {
  const body = new Body(response);
  let length = 0;
  let from = 0;
  for (const { hole, html } of fillings) {
    body.add(entry.identity.subarray(from, hole.from));
    const filled = await body.during(html);
    if (filled === undefined) return length;
    body.add(filled);
    length += hole.from - from + filled.length;
    from = hole.to;
  }
  body.add(entry.identity.subarray(from));
  body.end();
  return length + entry.identity.length - from;
}

/** The page in one piece. */
export async function filledBody(entry: PageEntry, fillings: readonly Filling[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  let from = 0;
  for (const { hole, html } of fillings) {
    parts.push(entry.identity.subarray(from, hole.from), await html);
    from = hole.to;
  }
  parts.push(entry.identity.subarray(from));
  return Buffer.concat(parts);
}

/** Holes stand at the odd places among the pieces. */
function fillingAt(
  { holes = [] }: PageEntry,
  fillings: readonly Filling[],
  piece: number,
): Filling | undefined {
  if (piece % 2 === 0) return undefined;
  const hole = holes[(piece - 1) / 2];
  return fillings.find((filling) => filling.hole === hole);
}

const NOTHING = Buffer.alloc(0);

/** Puts together what is there, and writes it before it waits. */
class Body {
  readonly #response: ServerResponse;
  readonly #waiting: Buffer[] = [];

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  add(bytes: Buffer): void {
    if (bytes.length > 0) this.#waiting.push(bytes);
  }

  /** Undefined: the visitor is gone. */
  async during(html: Promise<Buffer>): Promise<Buffer | undefined> {
    const response = this.#response;
    const isTaken = this.#waiting.length === 0 || response.write(Buffer.concat(this.#waiting.splice(0)));
    const filled = await html;
    if (!isTaken && response.writableNeedDrain) await drained(response);
    return response.destroyed ? undefined : filled;
  }

  end(): void {
    if (!this.#response.destroyed) this.#response.end(Buffer.concat(this.#waiting));
  }
}

/** Or the visitor is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

function headersOf({ entry, cacheStatus, transport, closing }: FilledAnswer, zips: boolean): string[] {
  const headers: string[] = [];
  for (const [name, value] of entry.headers) if (!NOT_REPEATED.has(name)) headers.push(name, value);
  headers.push('cache-control', 'private, no-store');
  if (zips) headers.push('content-encoding', 'gzip');
  if (cacheStatus !== undefined) headers.push('cache-status', cacheStatus);
  // A proxy in front is not to hold back what is there until the rest is. nginx takes it out again.
  headers.push('x-accel-buffering', 'no', ...SECURITY_HEADERS, ...transport);
  if (closing) headers.push('connection', 'close');
  return headers;
}
