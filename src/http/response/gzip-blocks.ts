// A page with filled holes in gzip, put together of what is compressed already. What lies between the holes is compressed once, each
// piece by itself, as blocks of DEFLATE that refer to nothing outside of the piece; a visitor's bytes go between them as stored
// blocks, not compressed. So no request compresses a page anew, and no byte of a visitor is ever compressed together with
// another: lengths tell nothing of them (BREACH).
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { PageEntry } from '../../cache/entry.ts';
import type { Bytes } from '../../core/units.ts';

/** gzip's own head (RFC 1952, 2.3): DEFLATE, no flags, no time, an unknown system. */
const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** The last block, stored and empty. */
const LAST_BLOCK = Buffer.from([1, 0, 0, 0xff, 0xff]);
const LARGEST_STORED: Bytes = 0xffff;
/** All pieces of pages that a worker keeps compressed for this. */
const MAX_KEPT_BYTES: Bytes = 8 * 1024 * 1024;
/** Beyond, compressing would hold up other requests: such a page is sent as it is. */
export const LARGEST_COMPRESSED: Bytes = 512 * 1024;

/** The pieces of a body: what lies between its holes, and what stands in them, in turn. */
export function piecesOf({ identity, holes = [] }: Pick<PageEntry, 'identity' | 'holes'>): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const hole of holes) {
    pieces.push(identity.subarray(from, hole.from), identity.subarray(hole.from, hole.to));
    from = hole.to;
  }
  pieces.push(identity.subarray(from));
  return pieces;
}

export class GzipBlocks {
  /** By the body: an entry that is compressed better later has the same one. */
  readonly #kept = new LRUCache<Buffer, readonly Buffer[]>({
    maxSize: MAX_KEPT_BYTES,
    sizeCalculation: (blocks) => blocks.reduce((bytes, block) => bytes + block.length + 100, 100),
  });

  /** The pieces of `entry` as blocks, in the same order. */
  of(entry: Pick<PageEntry, 'identity' | 'holes'>): readonly Buffer[] {
    const known = this.#kept.get(entry.identity);
    if (known !== undefined) return known;
    const blocks = piecesOf(entry).map(deflated);
    this.#kept.set(entry.identity, blocks);
    return blocks;
  }
}

/** Ends on a whole byte, and is not the last block. */
function deflated(piece: Buffer): Buffer {
  return piece.length === 0 ? piece : deflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH });
}

/** Stored blocks of bytes, as they are. */
function stored(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += LARGEST_STORED) {
    const part = bytes.subarray(at, at + LARGEST_STORED);
    const head = Buffer.allocUnsafe(5);
    head.writeUInt8(0, 0);
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(~part.length & 0xffff, 3);
    parts.push(head, part);
  }
  return Buffer.concat(parts);
}

/** One answer: what is written of it, block by block, and the sum at its end. */
export class GzipStream {
  #crc = 0;
  #length = 0;

  get head(): Buffer {
    return HEAD;
  }

  /** A piece that lies compressed: of it only the sum is made. */
  piece(plain: Buffer, block: Buffer): Buffer {
    this.#add(plain);
    return block;
  }

  /** A visitor's bytes. */
  own(bytes: Buffer): Buffer {
    this.#add(bytes);
    return stored(bytes);
  }

  end(): Buffer {
    const tail = Buffer.allocUnsafe(8);
    tail.writeUInt32LE(this.#crc >>> 0, 0);
    tail.writeUInt32LE(this.#length >>> 0, 4);
    return Buffer.concat([LAST_BLOCK, tail]);
  }

  #add(bytes: Buffer): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#length += bytes.length;
  }
}
