import { escapeHtml } from '../../render/escape.ts';
import type { PageResponse } from './page-request.ts';

/**
 * What stands in the place of a page that was begun and came to another end, behind a layout that is sent already:
 * the way to where it redirects, or a few words that no search engine should keep.
 */
export function streamFailure({ entry, errorId }: Pick<PageResponse, 'entry' | 'errorId'>): string {
  const { status, headers } = entry;
  const location = headers.find(([name]) => name === 'location')?.[1];
  if (location !== undefined) {
    const to = escapeHtml(location);
    return `<meta http-equiv="refresh" content="0;url=${to}"><p><a href="${to}">${to}</a></p>`;
  }
  // Made from a newer layout than the one that was sent; it is cached now.
  if (status === 200) return '<meta http-equiv="refresh" content="0">';
  const reference = errorId === undefined ? '' : `, reference <code>${escapeHtml(errorId)}</code>`;
  const title = status === 404 ? 'Not found' : 'Something went wrong';
  return `<meta name="robots" content="noindex"><h1>${title}</h1><p>Error ${status}${reference}.</p>`;
}
