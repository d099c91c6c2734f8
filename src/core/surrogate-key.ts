import type { DependencyKey } from './units.ts';

/**
 * A dependency key as caches in front know it: one word of visible ASCII without quotes; everything else is
 * percent-encoded, injectively. What a page is told to be made from and what is purged must be written alike.
 */
export function surrogateKey(key: DependencyKey): string {
  let name = '';
  for (const byte of Buffer.from(key, 'utf8')) {
    const isPlain =
      byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25 && byte !== 0x5c && byte !== 0x2c;
    name += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return name;
}
