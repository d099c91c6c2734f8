import { RedirectError } from '../errors.ts';

const BASE = 'http://this-site.invalid';
/** What an absolute address must look like as written: parsers also take `https:host`, `https:\host` and ` https://host`. */
const ABSOLUTE = /^https?:\/\/[^/\\]/i;

/**
 * A page's redirect as a header value. A path stays on this site whatever it holds. The URL parser decides, and about
 * the *result*: `/.//elsewhere.example` is harmless as it stands, and normalised it is `//elsewhere.example`, which
 * names another host to the next reader. Errors: `E_REDIRECT`.
 */
export function safeLocation(location: unknown): string {
  if (typeof location !== 'string')
    throw new RedirectError(`redirect(): its address is of type ${typeof location}; it takes text.`);
  return location.startsWith('/') ? localPath(location) : absoluteAddress(location);
}

function localPath(location: string): string {
  const url = parsed(location, BASE);
  const result = `${url.pathname}${url.search}${url.hash}`;
  if (url.origin !== BASE || result.startsWith('//') || parsed(result, BASE).origin !== BASE)
    throw new RedirectError(`redirect(): '${shown(location)}' looks like a path and leads to another host.`);
  return result;
}

function absoluteAddress(location: string): string {
  const url = parsed(location);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new RedirectError(`redirect(): '${shown(location)}' must be http or https.`);
  if (!ABSOLUTE.test(location))
    throw new RedirectError(
      `redirect(): '${shown(location)}' is no address as it is written. Write 'https://', then the host.`,
    );
  if (url.username !== '' || url.password !== '')
    throw new RedirectError(
      `redirect(): '${shown(location)}' has a user name before its host, which is how addresses are disguised. Leave it out.`,
    );
  return url.href;
}

function parsed(location: string, base?: string): URL {
  if (URL.canParse(location, base)) return new URL(location, base);
  throw new RedirectError(
    `redirect(): '${shown(location)}' is neither a path that starts with '/' nor an absolute address.`,
  );
}

/** It may come from a visitor, and be long. */
function shown(location: string): string {
  return location.length > 200 ? `${location.slice(0, 200)}...` : location;
}
