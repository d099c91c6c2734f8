// Why a page will not be kept in production, or not be purged by its data: what an author would otherwise find out from a slow
// site, or from an old page.
import type { PageEntry } from '../../cache/entry.ts';
import type { Rendered } from './no-cache.ts';

/** Undefined: it is kept, and followed. */
export function whyNotKept({ value, store, group, neverKept }: Rendered<PageEntry>): string | undefined {
  if (neverKept) return `${group} is never kept, because its cache.ttlMs is 0: each visit renders it.`;
  if (value.incomplete === true)
    return `${group} is kept for 2 s at most, because a read of it failed or was not awaited.`;
  if (!store && value.status < 500)
    return `${group} answered ${value.status}, which is not kept: each visit renders it.`;
  return undefined;
}
