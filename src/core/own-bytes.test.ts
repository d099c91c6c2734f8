import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { ownBytes } from './own-bytes.ts';

const text = Buffer.from('some words '.repeat(100));

it.each([
  ['brotli', brotliCompressSync(text)],
  ['gzip', gzipSync(text)],
  ['the pool', Buffer.from('small')],
  ['a larger buffer', Buffer.alloc(65_536, 7).subarray(9, 900)],
])('what comes from %s is kept without what is around it', (_, bytes) => {
  expect(bytes.buffer.byteLength).toBeGreaterThan(bytes.length * 2);
  expect(ownBytes(bytes)).toEqual(bytes);
  expect(ownBytes(bytes).buffer.byteLength).toBe(bytes.length);
});

it('leaves alone what is its own already', () => {
  const own = Buffer.allocUnsafeSlow(500);
  expect(ownBytes(own)).toBe(own);
});
