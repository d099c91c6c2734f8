// Status and headers that a page or resource gives its answer, by its props. They are kept with it: nothing of a visitor is in them.
import type { Header } from '../../cache/entry.ts';
import { AnswerError } from '../errors.ts';

/** Written by the server: they frame the message, say how long it may be kept, or name a visitor. */
const OURS = new Set([
  ...['age', 'cache-control', 'cache-groups', 'cache-status', 'cdn-cache-control', 'connection'],
  ...['content-encoding', 'content-length', 'content-type', 'date', 'etag', 'expires', 'keep-alive'],
  ...['set-cookie', 'surrogate-control', 'surrogate-key', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['vary', 'content-security-policy', 'clear-site-data', 'location', 'x-content-type-options'],
  ...['access-control-allow-origin', 'access-control-allow-credentials', 'strict-transport-security'],
]);
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** What Node writes as it is, ends no line and is read alike by everybody. */
const VALUE = /^[\t\x20-\x7e]*$/;
const WITHOUT_BODY = new Set([204, 205, 304]);

/** Errors: `E_ANSWER`. */
export function ownHeaders(template: string, given: Readonly<Record<string, string>>): readonly Header[] {
  return Object.entries(given).map(([written, value]) => {
    const name = written.toLowerCase();
    if (!NAME.test(name))
      throw new AnswerError(template, `headers has '${written}', which is no name of one`);
    if (OURS.has(name))
      throw new AnswerError(template, `headers has '${name}', which the server writes itself`);
    if (typeof value !== 'string' || !VALUE.test(value))
      throw new AnswerError(template, `the header '${name}' holds what no header can: percent-encode it`);
    return [name, value];
  });
}

/** Errors: `E_ANSWER`. */
export function ownStatus(template: string, status: number): number {
  const isRedirect = status >= 300 && status < 400;
  if (Number.isInteger(status) && status >= 200 && status <= 599 && !isRedirect && !WITHOUT_BODY.has(status))
    return status;
  throw new AnswerError(
    template,
    `status is ${status}; give 200, 404, 410 or another that has a body. For redirects answer redirect() in load`,
  );
}
