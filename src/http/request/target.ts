// The one reading of a request target. Router, page inputs, static files and cache key all see what comes
// out of here, so that no two of them can disagree about what was asked for.
//
// A path is decoded once. What could mean one thing to us and another to a proxy, a file system or a cache in
// front (encoded slashes, backslashes, control bytes, encoded dot segments) is refused; what merely has another
// spelling (`//`, `/./`, `/../`, a slash at the end) is sent to the one spelling we answer.

import { isHost } from '../../core/framing.ts';

/** Longer targets are refused with 414. As many as everybody should take (RFC 9112, 3). */
export const MAX_TARGET_LENGTH = 8000;

export interface Target {
  readonly kind: 'target';
  /** Starts with '/', no empty, `.` or `..` segments, no slash at the end; percent-encoded as it came. */
  readonly path: string;
  /** The path's segments, decoded. [] for '/'. */
  readonly segments: readonly string[];
  /** Raw, without the '?'; '' when there is none. */
  readonly query: string;
}

/** The same resource under its one spelling: a path with query, always starting with a single '/'. */
export interface Elsewhere {
  readonly kind: 'elsewhere';
  readonly location: string;
}

export interface Refused {
  readonly kind: 'refused';
  readonly status: 400 | 414;
  /** For the answer's text; holds nothing of the request. */
  readonly reason: string;
}

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/** `host` is the Host header, undefined only in HTTP/1.0 without one. */
export function parseTarget(raw: string, host: string | undefined): Target | Elsewhere | Refused {
  if (raw.length > MAX_TARGET_LENGTH)
    return refused(414, `The address is longer than ${MAX_TARGET_LENGTH} characters.`);
  if (host !== undefined && !isHost(host)) return refused(400, 'The Host header is not a host name.');
  if (!VISIBLE_ASCII.test(raw))
    return refused(400, 'The address holds characters that must be percent-encoded.');
  if (raw.includes('#')) return refused(400, 'A fragment (#) belongs to the browser and is never sent.');

  let target = raw;
  if (!raw.startsWith('/')) {
    const absolute = ABSOLUTE.exec(raw);
    if (absolute === null) return refused(400, 'The address must start with a slash.');
    const [, authority = '', rest = ''] = absolute;
    if (host === undefined || authority.toLowerCase() !== host.toLowerCase()) {
      return refused(400, 'The address names another host than the Host header.');
    }
    target = rest.startsWith('/') ? rest : `/${rest}`;
  }
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  return parsePath(path, mark === -1 ? '' : target.slice(mark + 1));
}

function parsePath(path: string, query: string): Target | Elsewhere | Refused {
  if (path.includes('\\')) return refused(400, 'A backslash is no part of an address.');
  const kept: string[] = [];
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      kept.pop();
      segments.pop();
      continue;
    }
    const decoded = decodeSegment(segment);
    if (typeof decoded !== 'string') return decoded;
    kept.push(segment);
    segments.push(decoded);
  }
  const canonical = `/${kept.join('/')}`;
  if (canonical !== path)
    return { kind: 'elsewhere', location: query === '' ? canonical : `${canonical}?${query}` };
  return { kind: 'target', path, segments, query };
}

function decodeSegment(segment: string): string | Refused {
  if (!segment.includes('%')) return segment;
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch {
    return refused(400, 'The percent-encoding of the address is malformed.');
  }
  if (decoded === '.' || decoded === '..') return refused(400, 'Dot segments must not be percent-encoded.');
  for (const char of decoded) {
    if (char === '/' || char === '\\') return refused(400, 'An encoded slash is no part of an address.');
    if (char < ' ' || char === '\x7f') return refused(400, 'The address holds control characters.');
  }
  return decoded;
}

function refused(status: Refused['status'], reason: string): Refused {
  return { kind: 'refused', status, reason };
}
