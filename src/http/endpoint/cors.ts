// Which requests an endpoint answers, by where they come from, and what browsers are told of that (the Fetch standard, CORS).
//
// A request that changes something must come from a page of this site, or from an origin that the endpoint names; unless it
// takes requests from anywhere, where nothing in it can speak for a visitor: no cookie and no session reaches the handler.
// GET is answered to all, since people follow links; that scripts of other sites cannot read it is the browser's work.
import type { IncomingHttpHeaders } from 'node:http';
import type { CompleteFrom } from '../../page/endpoint/from.ts';
import { comesFromHere } from '../request/csrf.ts';

/** Headers that a preflight may ask for; more is no browser's. */
const MAX_HEADERS_LENGTH = 1024;
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*$/;
/** Browsers ask again after it. Two hours is the most that any of them takes. */
const PREFLIGHT_SECONDS = '7200';

const CHANGES_NOTHING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request of this method may be run. */
export function mayAct(
  from: CompleteFrom,
  method: string,
  headers: IncomingHttpHeaders,
  publicOrigin: string | undefined,
): boolean {
  if (from === 'anywhere' || CHANGES_NOTHING.has(method)) return true;
  if (from !== 'this-site' && headers.origin !== undefined && from.has(headers.origin)) return true;
  // `none` is what a visitor began by hand, a bookmark or a reload. No page of ours sends such a request.
  return headers['sec-fetch-site'] !== 'none' && comesFromHere(headers, publicOrigin);
}

/** Headers of every answer, errors included. Flat: name, value. `exposed`: names beyond those that scripts can always read. */
export function corsHeaders(
  from: CompleteFrom,
  { origin }: IncomingHttpHeaders,
  exposed: readonly string[] = [],
): readonly string[] {
  if (from === 'this-site') return [];
  const readable = ['access-control-expose-headers', ['x-request-id', 'retry-after', ...exposed].join(', ')];
  if (from === 'anywhere') return ['access-control-allow-origin', '*', ...readable];
  if (origin === undefined || !from.has(origin)) return ['vary', 'origin'];
  return [
    ...['access-control-allow-origin', origin, 'access-control-allow-credentials', 'true', 'vary', 'origin'],
    ...readable,
  ];
}

/** What OPTIONS is answered beside Allow and `corsHeaders`; [] for what is no preflight, or one that is not granted. */
export function preflightHeaders(
  from: CompleteFrom,
  headers: IncomingHttpHeaders,
  methods: readonly string[],
): readonly string[] {
  const { origin, 'access-control-request-method': asked, 'access-control-request-headers': names } = headers;
  if (from === 'this-site' || origin === undefined || asked === undefined) return [];
  if (from !== 'anywhere' && !from.has(origin)) return [];
  const granted = ['access-control-allow-methods', methods.join(', ')];
  granted.push('access-control-max-age', PREFLIGHT_SECONDS);
  if (names !== undefined && names.length <= MAX_HEADERS_LENGTH && HEADER_NAMES.test(names))
    granted.push('access-control-allow-headers', names);
  return granted;
}
