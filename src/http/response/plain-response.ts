import type { HttpResponse } from './response.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** A short answer in words, for requests that never reach a page. Never cached. */
export function plainResponse(status: number, text: string, extra: readonly string[] = []): HttpResponse {
  const body = Buffer.from(text === '' ? '' : `${text}\n`, 'utf8');
  const headers = [
    ...(text === '' ? [] : ['content-type', 'text/plain; charset=utf-8']),
    ...(status === 204 ? [] : ['content-length', String(body.length)]),
    'cache-control',
    'no-store',
    'content-security-policy',
    "default-src 'none'; frame-ancestors 'none'",
    ...extra,
    ...SECURITY_HEADERS,
  ];
  return { status, headers, body };
}

/** To the one spelling of an address; the same for everybody for ever, so it may be kept. */
export function redirectResponse(location: string): HttpResponse {
  const { status, headers, body } = plainResponse(308, `This address is written ${location}`, [
    'location',
    location,
  ]);
  return { status, headers, body };
}
