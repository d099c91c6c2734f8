const kind = Symbol('coherent.outcome');

/** The page's data is not there: answered with the application's `_404` page and status 404. */
export interface NotFound {
  readonly [kind]: 'not-found';
}

export interface Redirect {
  readonly [kind]: 'redirect';
  readonly location: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

export function notFound(): NotFound {
  return { [kind]: 'not-found' };
}

/** Sends the visitor elsewhere. 308 (permanent, cached) unless told; a path or an absolute URL. */
export function redirect(location: string, status: Redirect['status'] = 308): Redirect {
  return { [kind]: 'redirect', location, status };
}

export function isNotFound(value: unknown): value is NotFound {
  return typeof value === 'object' && value !== null && (value as NotFound)[kind] === 'not-found';
}

export function isRedirect(value: unknown): value is Redirect {
  return typeof value === 'object' && value !== null && (value as Redirect)[kind] === 'redirect';
}
