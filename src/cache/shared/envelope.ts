// An entry as bytes, for L2 and L3: bodies raw, every field length-prefixed, a checksum over all.
//
//   "CRE" version kind | length of all | crc32 of what follows | key | epoch | seq | times | keys | the codec's own
//
// The key is inside, so that bytes that lie under a wrong key are found out. Times are lengths relative to the
// moment of writing: hosts do not compare wall clocks. What the reader needs beside the bytes is how much of the
// time to live is left, which the store knows by itself.
import { crc32 } from 'node:zlib';
import type { EpochMs, Milliseconds } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';
import type { Cached } from '../entry.ts';
import { ByteReader, BytesError, ByteWriter } from './bytes.ts';
import type { Codec } from './codec.ts';

const MAGIC = Buffer.from('CRE');
/** Raise it with every change of the layout: bytes of another version are a miss. */
export const ENVELOPE_VERSION = 2;
const CHECKED_FROM = 13;

/** `ageless`: it has longer to live than it was given, or was written before it was made: a clock was set back, and its age is unknown. */
export type Flaw = 'foreign' | 'version' | 'truncated' | 'checksum' | 'key' | 'malformed' | 'ageless';

/** What a store may round its times by. */
const ROUNDING_MS: Milliseconds = 50;

export type Opened<V> = { readonly value: V } | { readonly flaw: Flaw };

export function seal<V extends Cached>(
  codec: Codec<V>,
  key: CacheKey,
  value: V,
  nowMs: EpochMs,
  ttlMs: Milliseconds,
): Buffer {
  const writer = new ByteWriter();
  writer.text(key).text(value.stamp.epoch).double(value.stamp.seq).double(ttlMs);
  for (const atMs of [value.createdMs, value.freshUntilMs, value.staleUntilMs, value.errorUntilMs]) {
    writer.double(atMs - nowMs);
  }
  writer.uint32(value.keys.length);
  for (const dependency of value.keys) writer.text(dependency);
  codec.write(value, writer);
  const checked = writer.finish();
  const head = Buffer.alloc(CHECKED_FROM);
  MAGIC.copy(head);
  head.writeUInt8(ENVELOPE_VERSION, 3);
  head.writeUInt8(codec.kind, 4);
  head.writeUInt32BE(CHECKED_FROM + checked.length, 5);
  head.writeUInt32BE(crc32(checked), 9);
  return Buffer.concat([head, checked]);
}

/** Never throws: whatever the bytes are, they are an entry or they have a flaw. */
export function open<V extends Cached>(
  codec: Codec<V>,
  key: CacheKey,
  bytes: Buffer,
  nowMs: EpochMs,
  remainingMs: Milliseconds,
): Opened<V> {
  if (bytes.length < CHECKED_FROM) return { flaw: 'truncated' };
  if (!bytes.subarray(0, 3).equals(MAGIC)) return { flaw: 'foreign' };
  if (bytes.readUInt8(3) !== ENVELOPE_VERSION) return { flaw: 'version' };
  if (bytes.readUInt8(4) !== codec.kind) return { flaw: 'foreign' };
  if (bytes.readUInt32BE(5) !== bytes.length) return { flaw: 'truncated' };
  if (bytes.readUInt32BE(9) !== crc32(bytes.subarray(CHECKED_FROM))) return { flaw: 'checksum' };
  try {
    return readChecked(codec, key, new ByteReader(bytes, CHECKED_FROM), nowMs, remainingMs);
  } catch (error) {
    if (error instanceof BytesError) return { flaw: 'malformed' };
    throw error;
  }
}

function readChecked<V extends Cached>(
  codec: Codec<V>,
  key: CacheKey,
  reader: ByteReader,
  nowMs: EpochMs,
  remainingMs: Milliseconds,
): Opened<V> {
  if (reader.text() !== key) return { flaw: 'key' };
  const stamp = { epoch: reader.text(), seq: reader.double() };
  const ttlMs = reader.double();
  // Taken for new it would be served as such while purges may be missing and only its age vouches for it.
  if (remainingMs > ttlMs + ROUNDING_MS) return { flaw: 'ageless' };
  const writtenMs = nowMs - Math.max(0, ttlMs - remainingMs);
  const [createdMs, freshUntilMs, staleUntilMs, errorUntilMs] = [0, 0, 0, 0].map(
    () => writtenMs + reader.double(),
  );
  if (
    createdMs === undefined ||
    freshUntilMs === undefined ||
    staleUntilMs === undefined ||
    errorUntilMs === undefined ||
    Number.isNaN(createdMs + freshUntilMs + staleUntilMs + errorUntilMs)
  ) {
    return { flaw: 'malformed' };
  }
  // The clock was set back between its making and its writing.
  if (createdMs > writtenMs + ROUNDING_MS) return { flaw: 'ageless' };
  const keys = reader.list(4, () => reader.text());
  const value = codec.read({ keys, stamp, createdMs, freshUntilMs, staleUntilMs, errorUntilMs }, reader);
  reader.end();
  return { value };
}
