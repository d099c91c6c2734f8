// What a page was made from, told to the caches in front, so that a purge can be passed on to them: Surrogate-Key as
// CDNs know it, and Cache-Groups (RFC 9875), which is the same as a standard.
import type { Header } from '../cache/entry.ts';
import type { Bytes, DependencyKey } from '../core/units.ts';

/** Both headers together; proxies give up on a head of 8 KiB, and others have things to say in it, too. */
const MAX_BYTES: Bytes = 6 * 1024;

/** Undefined: too many to name. Leaving some out would leave pages in a cache that a purge must reach. */
export function surrogateHeaders(keys: readonly DependencyKey[]): readonly Header[] | undefined {
  if (keys.length === 0) return [];
  const names = keys.map(surrogateKey);
  const spaced = names.join(' ');
  const groups = names.map((name) => `"${name}"`).join(', ');
  if (spaced.length + groups.length > MAX_BYTES) return undefined;
  return [
    ['surrogate-key', spaced],
    ['cache-groups', groups],
  ];
}

/** A dependency key as one word of visible ASCII without quotes: everything else is percent-encoded, injectively. */
function surrogateKey(key: DependencyKey): string {
  let name = '';
  for (const byte of Buffer.from(key, 'utf8')) {
    const isPlain =
      byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25 && byte !== 0x5c && byte !== 0x2c;
    name += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return name;
}
