/**
 * The same bytes in memory of their own, for what is kept. zlib, Node's pool and sockets hand out views of larger
 * memory, and a view keeps all of it alive: a compressed body of 400 bytes would hold 16 KiB, and be counted as 400.
 */
export function ownBytes(bytes: Buffer): Buffer {
  // An eighth too much is cheaper than a copy.
  if (bytes.length * 8 >= bytes.buffer.byteLength * 7) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
