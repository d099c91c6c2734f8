// What a page was made from, told to the caches in front, so that a purge can be passed on to them: Surrogate-Key as
// CDNs know it, and Cache-Groups (RFC 9875), which is the same as a standard.
import type { Header } from '../../cache/entry.ts';
import { asRows } from '../../core/row-keys.ts';
import { surrogateKey } from '../../core/surrogate-key.ts';
import type { Bytes, DependencyKey } from '../../core/units.ts';

/** Both headers together; proxies give up on a head of 8 KiB, and others have things to say in it, too. */
const MAX_BYTES: Bytes = 6 * 1024;

/** Undefined: too many to name. Leaving some out would leave pages in a cache that a purge must reach. */
export function surrogateHeaders(keys: readonly DependencyKey[]): readonly Header[] | undefined {
  if (keys.length === 0) return [];
  // Headers have little room, and every change of a row purges its own key, too.
  const names = asRows(keys).map(surrogateKey);
  const spaced = names.join(' ');
  const groups = names.map((name) => `"${name}"`).join(', ');
  if (spaced.length + groups.length > MAX_BYTES) return undefined;
  return [
    ['surrogate-key', spaced],
    ['cache-groups', groups],
  ];
}
