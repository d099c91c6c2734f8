import type { Bytes, DependencyKey } from '../../core/units.ts';
import type { Cached, FragmentEntry, PageEntry } from '../entry.ts';

// What V8 keeps beside the bytes themselves, found by filling a heap (test/cache/memory-truth.test.ts holds the sum true).
const OBJECT_BYTES: Bytes = 360;
const FRAGMENT_BYTES: Bytes = 80;
const STRING_BYTES: Bytes = 32;
const BUFFER_BYTES: Bytes = 250;
const HEADER_BYTES: Bytes = 64;
const HOLE_BYTES: Bytes = 72;

/** What a key and its entry take in memory, the containers around them included. */
export type Weigh<V extends Cached> = (key: string, value: V) => Bytes;

export const weighPage: Weigh<PageEntry> = (key, page) => {
  let bytes = weighCommon(key, page.keys) + weighString(page.tag);
  for (const [name, value] of page.headers) bytes += HEADER_BYTES + weighString(name) + weighString(value);
  for (const body of [page.identity, page.gzip, page.brotli]) {
    if (body !== undefined) bytes += BUFFER_BYTES + body.length;
  }
  for (const { name, props } of page.holes ?? [])
    bytes += HOLE_BYTES + weighString(name) + weighString(props);
  return bytes + weighTexts(page.assets);
};

export const weighFragment: Weigh<FragmentEntry> = (key, { keys, html, scripts, assets }) =>
  FRAGMENT_BYTES + weighCommon(key, keys) + weighString(html) + weighTexts(scripts) + weighTexts(assets);

function weighCommon(key: string, keys: readonly DependencyKey[]): Bytes {
  return OBJECT_BYTES + weighString(key) + weighTexts(keys);
}

/** Each string, the pointer to it, and its slot. */
function weighTexts(texts: readonly string[] = []): Bytes {
  let bytes = 0;
  for (const text of texts) bytes += weighString(text) + 12;
  return bytes;
}

function weighString(text: string): Bytes {
  return STRING_BYTES + (isOneByte(text) ? text.length : text.length * 2);
}

/** V8 stores a text of Latin-1 in one byte a character, any other in two. */
function isOneByte(text: string): boolean {
  return !/[^\0-\xff]/.test(text);
}
