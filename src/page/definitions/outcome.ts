import { RedirectError } from '../errors.ts';

const kind = Symbol('coherent.outcome');

const REDIRECTS = [301, 302, 303, 307, 308] as const;
type RedirectStatus = (typeof REDIRECTS)[number];

/** The page's data is not there: answered with the application's `_404` page and status 404. */
export interface NotFound {
  readonly [kind]: 'not-found';
}

/** Answered by a guard: the visitor may not see it. 403, with the application's `_error` page. */
export interface Forbidden {
  readonly [kind]: 'forbidden';
}

export interface Redirect {
  readonly [kind]: 'redirect';
  readonly location: string;
  /** Undefined: what fits where it was answered. */
  readonly status: RedirectStatus | undefined;
}

/** What was sent cannot be taken: the page is shown again with these messages, with status 422. */
export interface Invalid {
  readonly [kind]: 'invalid';
  readonly errors: Readonly<Record<string, string>>;
}

export function notFound(): NotFound {
  return { [kind]: 'not-found' };
}

/** Answered by a guard. Where that a page exists is itself a secret, answer notFound(). */
export function forbidden(): Forbidden {
  return { [kind]: 'forbidden' };
}

/**
 * Sends the visitor elsewhere: a path or an absolute URL. Unless told, a page's `load` answers 307 (kept here as pages are,
 * and gone with the next purge), an action 303 (the browser asks for the other address with GET). Browsers keep a
 * permanent one, 308, for good: no purge reaches it. Errors: `E_REDIRECT`.
 *
 * @example return redirect(`/posts/${post.id}`, { permanent: true });
 */
export function redirect(
  location: string,
  how?: RedirectStatus | { readonly permanent?: boolean },
): Redirect {
  if (typeof how === 'object')
    return { [kind]: 'redirect', location, status: how.permanent === true ? 308 : undefined };
  if (how === undefined || REDIRECTS.includes(how)) return { [kind]: 'redirect', location, status: how };
  throw new RedirectError(
    `redirect(): ${String(how)} is no status of a redirect. Give ${REDIRECTS.join(', ')}, or { permanent: true }.`,
  );
}

/** Answered by an action. `errors`: a message by field, in the visitor's words; `view` gets them with what was typed. */
export function invalid(errors: Readonly<Record<string, string>>): Invalid {
  return { [kind]: 'invalid', errors };
}

export function isNotFound(value: unknown): value is NotFound {
  return typeof value === 'object' && value !== null && (value as NotFound)[kind] === 'not-found';
}

export function isForbidden(value: unknown): value is Forbidden {
  return typeof value === 'object' && value !== null && (value as Forbidden)[kind] === 'forbidden';
}

export function isRedirect(value: unknown): value is Redirect {
  return typeof value === 'object' && value !== null && (value as Redirect)[kind] === 'redirect';
}

export function isInvalid(value: unknown): value is Invalid {
  return typeof value === 'object' && value !== null && (value as Invalid)[kind] === 'invalid';
}
