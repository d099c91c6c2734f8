// The purge clock as bytes, for the disk. A damaged snapshot must be refused: a slot that reads too small would
// call a purged page valid.
//
//   "CPC1" | crc32 of all that follows (4) | slots (4) | seq (4) | epoch length (2) | epoch | purged | expired
import { crc32 } from 'node:zlib';
import { ClockSnapshotError } from '../errors.ts';
import type { ClockState } from './clock-state.ts';

const MAGIC = 0x43504331;
const FIXED_BYTES = 18;

export function encodeSnapshot({ epoch, seq, purged, expired }: ClockState): Buffer {
  const name = Buffer.from(epoch, 'utf8');
  const head = Buffer.alloc(FIXED_BYTES + name.length);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(purged.length, 8);
  head.writeUInt32BE(seq, 12);
  head.writeUInt16BE(name.length, 16);
  name.copy(head, FIXED_BYTES);
  const snapshot = Buffer.concat([head, littleEndian(purged), littleEndian(expired)]);
  snapshot.writeUInt32BE(crc32(snapshot.subarray(8)), 4);
  return snapshot;
}

export function decodeSnapshot(snapshot: Buffer, slots: number): ClockState {
  if (snapshot.length < FIXED_BYTES || snapshot.readUInt32BE(0) !== MAGIC)
    throw new ClockSnapshotError('not a clock');
  if (snapshot.readUInt32BE(4) !== crc32(snapshot.subarray(8))) throw new ClockSnapshotError('checksum');
  if (snapshot.readUInt32BE(8) !== slots) {
    throw new ClockSnapshotError(`${snapshot.readUInt32BE(8)} slots instead of ${slots}`);
  }
  const start = FIXED_BYTES + snapshot.readUInt16BE(16);
  const bytes = slots * 4;
  if (snapshot.length !== start + 2 * bytes) throw new ClockSnapshotError('length');
  return {
    epoch: snapshot.toString('utf8', FIXED_BYTES, start),
    seq: snapshot.readUInt32BE(12),
    purged: fromLittleEndian(snapshot.subarray(start, start + bytes)),
    expired: fromLittleEndian(snapshot.subarray(start + bytes)),
  };
}

function littleEndian(array: Uint32Array): Buffer {
  const bytes = Buffer.from(array.slice().buffer);
  return hostIsBigEndian() ? bytes.swap32() : bytes;
}

/** A copy. Errors: a `RangeError` where the bytes are no whole numbers. */
export function fromLittleEndian(bytes: Buffer): Uint32Array {
  const copy = new Uint8Array(bytes);
  if (hostIsBigEndian()) Buffer.from(copy.buffer).swap32();
  return new Uint32Array(copy.buffer);
}

function hostIsBigEndian(): boolean {
  return new Uint8Array(new Uint32Array([1]).buffer)[0] === 0;
}
