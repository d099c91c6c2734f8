// What a client is told of a failure: people a page, in the words of the application; programs problem details (RFC 9457).
import Negotiator from 'negotiator';
import type { PageEntry } from '../../cache/entry.ts';
import type { ErrorProps } from '../../page/definitions/error-page.ts';
import { problem } from '../../page/render/problem.ts';
import type { Failure } from '../../page/request/endpoints.ts';
import { type HttpResponse, pageResponse } from '../response/response.ts';
import { jsonResponse } from './json-response.ts';

export type FailurePages = (props: ErrorProps) => Promise<PageEntry>;

/** Longer than any that a client has a reason to send. */
const MAX_ACCEPT_LENGTH = 512;

/** `accept`: the request's header. Without a preference it is JSON. */
export async function failureResponse(
  { status, id, detail, issues, headers }: Failure,
  accept: string | undefined,
  pages: FailurePages,
): Promise<HttpResponse> {
  if (wantsHtml(accept)) {
    const page = await pages({ status, id, detail });
    const asked = { method: 'GET', encodings: ['identity'], ifNoneMatch: undefined } as const;
    return pageResponse({ ...page, headers: [...page.headers, ...pairs(headers)] }, asked, undefined);
  }
  return jsonResponse(status, problem({ status, id, detail, issues }), 'application/problem+json', headers);
}

function wantsHtml(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > MAX_ACCEPT_LENGTH) return false;
  const negotiator = new Negotiator({ headers: { accept } });
  return negotiator.mediaType(['application/json', 'application/problem+json', 'text/html']) === 'text/html';
}

function pairs(flat: readonly string[]): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (let at = 0; at < flat.length; at += 2) found.push([flat[at] ?? '', flat[at + 1] ?? '']);
  return found;
}
