import type { HttpResponse } from '../response/response.ts';
import { SECURITY_HEADERS } from '../response/security-headers.ts';

/** Of an answer that is no page: a browser that shows it runs nothing of it. */
export const NO_DOCUMENT = "default-src 'none'; frame-ancestors 'none'";

/**
 * Throws what `JSON.stringify` throws, of a bigint or a cycle. Not compressed: it may hold what was sent beside what is
 * secret, and lengths tell (BREACH).
 */
export function jsonResponse(
  status: number,
  value: unknown,
  type = 'application/json',
  extra: readonly string[] = [],
): HttpResponse {
  const body = Buffer.from(`${JSON.stringify(value)}\n`, 'utf8');
  const headers = [
    ...['content-type', type, 'content-length', String(body.length), 'cache-control', 'no-store'],
    ...['content-security-policy', NO_DOCUMENT],
    ...extra,
    ...SECURITY_HEADERS,
  ];
  return { status, headers, body };
}
