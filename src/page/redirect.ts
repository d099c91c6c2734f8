import { RedirectError } from './errors.ts';

const BASE = 'http://this-site.invalid';

/**
 * A page's redirect as a header value. A path stays on this site whatever it holds: `//elsewhere.example` and
 * `/\elsewhere.example`, which browsers take for another host, are refused. Errors: `E_REDIRECT`.
 */
export function safeLocation(location: string): string {
  const local = location.startsWith('/');
  let url: URL;
  try {
    url = local ? new URL(location, BASE) : new URL(location);
  } catch {
    throw new RedirectError(
      `redirect(): '${location}' is neither a path that starts with '/' nor an absolute address.`,
    );
  }
  if (local) {
    if (url.origin !== BASE)
      throw new RedirectError(`redirect(): '${location}' looks like a path and leads to another host.`);
    return `${url.pathname}${url.search}${url.hash}`;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new RedirectError(`redirect(): '${location}' must be http or https.`);
  }
  return url.href;
}
