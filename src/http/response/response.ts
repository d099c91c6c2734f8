// From an entry to the answer on the wire: status, headers, body. Pure, so that the ordinary path (respond.ts)
// and a prepared answer (hit.ts) come out byte for byte the same. What is not in here is added by Node in this
// order, after our headers: `Date`, `Connection`, `Keep-Alive`.
import type { PageEntry } from '../../cache/entry.ts';
import { matchesTag } from './conditional.ts';
import { type Encoding, pickEncoding } from './negotiate.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** What a request says that changes how an entry is sent. */
export interface Asked {
  readonly method: 'GET' | 'HEAD';
  /** From EncodingChoice. */
  readonly encodings: readonly Encoding[];
  readonly ifNoneMatch: string | undefined;
  /** Headers that depend on the way here (Front.transport), flat: name, value. */
  readonly transport?: readonly string[] | undefined;
  /** A header that no `Vary` names took part in this answer: no cache in between may give it to others. */
  readonly unkeyed?: boolean;
}

/** What is sent of an entry. Public files that are small enough are sent as such, too. */
export type Sendable = Pick<PageEntry, 'status' | 'headers' | 'identity' | 'gzip' | 'brotli' | 'tag'>;

export interface HttpResponse {
  readonly status: number;
  /** Flat, as `response.writeHead` takes it: name, value, name, value. Lower-case names, no repeats. */
  readonly headers: string[];
  /** Undefined for HEAD and 304. */
  readonly body: Buffer | undefined;
}

const SUFFIX: Record<Encoding, string> = { identity: '', gzip: '-gz', br: '-br' };

/** The entity tag of one encoding of an entry, quoted. Each encoding has its own: the bytes differ. */
export function etagOf(entry: Sendable, encoding: Encoding): string {
  return `"${entry.tag}${SUFFIX[encoding]}"`;
}

export function bodyOf(entry: Sendable, encoding: Encoding): Buffer {
  if (encoding === 'br') return entry.brotli ?? entry.identity;
  if (encoding === 'gzip') return entry.gzip ?? entry.identity;
  return entry.identity;
}

/** `cacheStatus` is undefined for failures, which no cache had a part in (RFC 9211, 2). Only a 200 can become a 304: conditions ask about a success (RFC 9110, 13.2.1). */
export function pageResponse(entry: Sendable, asked: Asked, cacheStatus: string | undefined): HttpResponse {
  const { transport = [] } = asked;
  const encoding = pickEncoding(entry, asked.encodings);
  const etag = etagOf(entry, encoding);
  if (entry.status === 200 && asked.ifNoneMatch !== undefined && matchesTag(asked.ifNoneMatch, etag)) {
    return {
      status: 304,
      headers: [...notModifiedHeaders(headersFor(entry, asked), etag, cacheStatus), ...transport],
      body: undefined,
    };
  }
  const body = bodyOf(entry, encoding);
  return {
    status: entry.status,
    headers: [
      ...pageHeaders(headersFor(entry, asked), encoding, etag, body.length, cacheStatus),
      ...transport,
    ],
    body: asked.method === 'HEAD' ? undefined : body,
  };
}

/** For one visitor: no ETag, since it is kept nowhere, and so no 304, whatever was asked. */
export function personalResponse(
  entry: Sendable,
  { method, encodings, transport = [] }: Asked,
  cacheStatus: string | undefined,
): HttpResponse {
  const encoding = pickEncoding(entry, encodings);
  const body = bodyOf(entry, encoding);
  const headers = [
    ...entry.headers.flat(),
    ...(encoding === 'identity' ? [] : ['content-encoding', encoding]),
    ...['content-length', String(body.length)],
    ...(cacheStatus === undefined ? [] : ['cache-status', cacheStatus]),
    ...SECURITY_HEADERS,
    ...transport,
  ];
  return { status: entry.status, headers, body: method === 'HEAD' ? undefined : body };
}

/** For caches alone: an answer that none may keep has none of them. */
const OF_CACHES = new Set(['cdn-cache-control', 'surrogate-control', 'cache-control']);

function headersFor({ headers }: Sendable, { unkeyed }: Asked): Sendable['headers'] {
  if (unkeyed !== true) return headers;
  return [...headers.filter(([name]) => !OF_CACHES.has(name)), ['cache-control', 'no-store']];
}

/** Pages of one route have one list of headers: it is laid flat once. */
const laidFlat = new WeakMap<Sendable['headers'], readonly string[]>();

function flat(headers: Sendable['headers']): readonly string[] {
  let known = laidFlat.get(headers);
  if (known === undefined) {
    known = headers.flat();
    laidFlat.set(headers, known);
  }
  return known;
}

function pageHeaders(
  entryHeaders: Sendable['headers'],
  encoding: Encoding,
  etag: string,
  length: number,
  cacheStatus: string | undefined,
): string[] {
  const headers = [...flat(entryHeaders)];
  if (encoding !== 'identity') headers.push('content-encoding', encoding);
  headers.push('content-length', String(length), 'etag', etag);
  if (cacheStatus !== undefined) headers.push('cache-status', cacheStatus);
  headers.push(...SECURITY_HEADERS);
  return headers;
}

/** What RFC 9110, 15.4.5 asks a 304 to repeat; the rest the visitor's cache keeps from the 200. */
const REPEATED = new Set([
  'cache-control',
  'cdn-cache-control',
  'vary',
  'age',
  'surrogate-key',
  'cache-groups',
]);

function notModifiedHeaders(
  entryHeaders: Sendable['headers'],
  etag: string,
  cacheStatus: string | undefined,
): string[] {
  const headers: string[] = [];
  for (const [name, value] of entryHeaders) if (REPEATED.has(name)) headers.push(name, value);
  headers.push('etag', etag);
  if (cacheStatus !== undefined) headers.push('cache-status', cacheStatus);
  return headers;
}
