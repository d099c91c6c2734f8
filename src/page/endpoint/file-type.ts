// What a file is, by its first bytes. What a browser says of it goes by the ending of its name, which anybody can choose.
import { Readable } from 'node:stream';
import { fileTypeFromBuffer, supportedMimeTypes } from 'file-type';

/** So many tell nearly all types apart. */
const SAMPLE_BYTES = 4100;

export interface Begun {
  readonly first: Buffer;
  /** All of it, from its beginning. */
  readonly whole: Readable;
}

/** Reads the first bytes of a stream. Rejects as the stream fails; so does `whole`. */
export async function begin(stream: Readable): Promise<Begun> {
  const source: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < SAMPLE_BYTES) {
    const next = await source.next();
    if (next.done === true) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  async function* all() {
    try {
      yield* chunks;
      for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
    } finally {
      await source.return?.();
    }
  }
  return { first: Buffer.concat(chunks), whole: Readable.from(all(), { objectMode: false }) };
}

/** Undefined: neither its bytes nor what is `said` tell. `said` counts only for types that bytes have no mark of: text. */
export async function typeOf(first: Buffer, said: string): Promise<string | undefined> {
  const found = await fileTypeFromBuffer(first).catch(() => undefined);
  if (found !== undefined) return found.mime;
  const type = (said.split(';', 1)[0] ?? '').trim().toLowerCase();
  return KNOWN_BY_BYTES.has(type) || type === '' ? undefined : type;
}

const KNOWN_BY_BYTES: ReadonlySet<string> = supportedMimeTypes;
