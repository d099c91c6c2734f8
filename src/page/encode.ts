// A body's other encodings, made once and kept beside it.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Bytes } from '../core/units.ts';

const gzipAsync = promisify(gzip);
const brotliAsync = promisify(brotliCompress);

/** Below this a compressed body saves nothing worth its header: it fits a packet as it is. */
export const WORTH_COMPRESSING: Bytes = 1024;

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

/** Names a body: 132 bits of its SHA-256, so two bodies do not meet in practice. */
export function tagOf(identity: Buffer): string {
  return createHash('sha256').update(identity).digest('base64url').slice(0, 22);
}

async function smaller(
  body: Buffer,
  compress: (body: Buffer) => Promise<Buffer>,
): Promise<Buffer | undefined> {
  if (body.length < WORTH_COMPRESSING) return undefined;
  const compressed = await compress(body);
  return compressed.length < body.length ? compressed : undefined;
}

function compressGzip(body: Buffer): Promise<Buffer> {
  return gzipAsync(body);
}

/** Quality 5: smaller than gzip's best at about gzip's cost. 11 would keep the first visitor waiting. */
function compressBrotli(body: Buffer): Promise<Buffer> {
  return brotliAsync(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 5,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  });
}
