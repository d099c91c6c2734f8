import type { Header, PageEntry } from '../../cache/entry.ts';
import type { EpochMs } from '../../core/units.ts';

/**
 * The headers of a page that is served beyond its time (RFC 9111, 4 and 5.1): how old it is, and that no cache in
 * between may keep it as if it were new. A fresh page has no Age: it was compared with the purges a moment ago.
 */
export function staleHeaders({ headers, createdMs }: PageEntry, nowMs: EpochMs): readonly Header[] {
  const age = Math.max(0, Math.floor((nowMs - createdMs) / 1000));
  return [
    ...headers
      .filter(([name]) => name !== 'cdn-cache-control')
      .map(
        (header): Header =>
          header[0] === 'cache-control' ? ['cache-control', 'public, max-age=0, must-revalidate'] : header,
      ),
    ['age', String(age)],
  ];
}
