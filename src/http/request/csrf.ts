// Whether a POST comes from a page of this site, so that no other site can make a visitor's browser act in their name (CSRF).
//
// Browsers say it themselves, in headers that no script can set: Sec-Fetch-Site where the page came over TLS or from this
// machine, Origin with every POST. A request with neither comes from no browser of the last years; it is refused, too, so
// that the rule has no hole. Programs that post here send Origin. Nothing is stored for it, and no page carries a token, so
// pages with forms are cached like all others.
import type { IncomingHttpHeaders } from 'node:http';

/** A scheme, a name of 253 characters, a port. */
const MAX_ORIGIN_LENGTH = 300;

/** `publicOrigin`: as visitors type it; behind a proxy that changes Host only this can be compared with. */
export function comesFromHere(headers: IncomingHttpHeaders, publicOrigin: string | undefined): boolean {
  const site = headers['sec-fetch-site'];
  // `none`: the visitor, by a bookmark, say. Sibling domains (`same-site`) are not this site.
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin, host } = headers;
  if (origin === undefined || origin === 'null' || origin.length > MAX_ORIGIN_LENGTH) return false;
  if (publicOrigin !== undefined && origin === publicOrigin) return true;
  // Behind a proxy that ends TLS the scheme is not known here; the host with its port is.
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
