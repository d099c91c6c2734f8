// Conditional requests (RFC 9110, 13.1.2): does the visitor already hold the representation we would send?

/** Some thirty of our tags. Browsers send one, caches in front a few; each costs, and what is not found is sent. */
const MAX_LENGTH = 1024;

const OPAQUE_TAG = /(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;
const LIST = /^(?:[\t ,]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")+[\t ,]*$/;

/**
 * True when `ifNoneMatch` names `etag` (quoted) or is `*`. The comparison is weak, as the RFC asks of
 * If-None-Match: `W/"a"` and `"a"` are the same. A header that is not a list of tags matches nothing, so
 * the answer is the full page; so is one that is too long.
 */
export function matchesTag(ifNoneMatch: string, etag: string): boolean {
  // What browsers send nearly always; spares the regular expressions.
  if (ifNoneMatch === etag) return true;
  if (ifNoneMatch.length > MAX_LENGTH) return false;
  const value = ifNoneMatch.trim();
  if (value === '*') return true;
  const quoted = etag.startsWith('W/') ? etag.slice(2) : etag;
  // A page that has changed since: not in the list, whatever the list is worth.
  if (!value.includes(quoted) || !LIST.test(value)) return false;
  const wanted = quoted.slice(1, -1);
  for (const [, tag] of value.matchAll(OPAQUE_TAG)) {
    if (tag === wanted) return true;
  }
  return false;
}
