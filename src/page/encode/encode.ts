// A body's other encodings, made once and kept beside it.
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type BrotliOptions,
  brotliCompress,
  brotliCompressSync,
  constants,
  gzip,
  gzipSync,
  type ZlibOptions,
} from 'node:zlib';
import { ownBytes } from '../../core/own-bytes.ts';
import type { Bytes } from '../../core/units.ts';

export type Encoding = 'br' | 'gzip' | 'identity';

const gzipAsync = promisify(gzip);
const brotliAsync = promisify(brotliCompress);

/** Below this a compressed body saves nothing worth its header: it fits a packet as it is. */
export const WORTH_COMPRESSING: Bytes = 1024;

/** Up to here a quick compression is over before a thread of the pool would have begun it. */
const AT_ONCE: Bytes = 64 * 1024;

export interface Encoded {
  readonly gzip: Buffer | undefined;
  readonly brotli: Buffer | undefined;
}

/** In the thread pool, both at once. Undefined where it saves nothing. */
export async function encode(identity: Buffer): Promise<Encoded> {
  const [gzipped, brotli] = await Promise.all([
    smaller(identity, compressGzip),
    smaller(identity, compressBrotli),
  ]);
  return { gzip: gzipped, brotli };
}

/** At the end of the tag of a draft (encodings.ts). */
export const DRAFT = '-q';

/** Names a body: 132 bits of its SHA-256, so two bodies do not meet in practice. */
export function tagOf(identity: Buffer): string {
  return hash('sha256', identity, 'base64url').slice(0, 22);
}

/** A sixth of the CPU of `encode`, for a quarter more bytes. Undefined where it saves nothing. */
export function encodeQuickly(
  body: Buffer,
  encoding: 'br' | 'gzip',
): Buffer | undefined | Promise<Buffer | undefined> {
  const kept = (compressed: Buffer) => (compressed.length < body.length ? ownBytes(compressed) : undefined);
  if (encoding === 'br') {
    const options = brotliOptions(QUICK_BROTLI, body);
    return body.length <= AT_ONCE
      ? kept(brotliCompressSync(body, options))
      : brotliAsync(body, options).then(kept);
  }
  return body.length <= AT_ONCE ? kept(gzipSync(body, QUICK_GZIP)) : gzipAsync(body, QUICK_GZIP).then(kept);
}

const QUICK_GZIP: ZlibOptions = { level: 1 };
const QUICK_BROTLI = 1;
/** Smaller than gzip's best at about gzip's cost. 11 would cost fifty times as much for a further seventh. */
const BROTLI = 5;

async function smaller(
  body: Buffer,
  compress: (body: Buffer) => Promise<Buffer>,
): Promise<Buffer | undefined> {
  if (body.length < WORTH_COMPRESSING) return undefined;
  const compressed = await compress(body);
  return compressed.length < body.length ? ownBytes(compressed) : undefined;
}

function compressGzip(body: Buffer): Promise<Buffer> {
  return gzipAsync(body);
}

function compressBrotli(body: Buffer): Promise<Buffer> {
  return brotliAsync(body, brotliOptions(BROTLI, body));
}

function brotliOptions(quality: number, body: Buffer): BrotliOptions {
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  };
}
