// What an error means to the visitor: their mistake, ours, or something that passes.

export interface ErrorStatus {
  readonly status: 400 | 500 | 503;
  /** Worth trying again soon; answered with Retry-After. */
  readonly retry: boolean;
}

const PASSING = new Set([
  'E_DATABASE_DOWN',
  'E_DATABASE_BUSY',
  'E_QUERY_ABORTED',
  'E_QUERY_TIMEOUT',
  'E_OVERLOADED',
  'E_RENDER_TIMEOUT',
  'E_RENDER_ABANDONED',
  'E_CACHE_CLOSED',
  'E_GUARD',
]);

/** Values that only a visitor can have brought: a number no column holds, a cursor that is none of ours. */
const BAD_INPUT = new Set(['E_BAD_VALUE', 'E_BAD_CURSOR']);

/** Looks through the causes: a query may have failed inside a component, inside a render. */
export function errorStatusOf(error: unknown): ErrorStatus {
  let at = error;
  for (let depth = 0; depth < 10 && at instanceof Error; depth += 1) {
    const code = 'code' in at ? at.code : undefined;
    if (typeof code === 'string') {
      if (PASSING.has(code)) return { status: 503, retry: true };
      if (BAD_INPUT.has(code)) return { status: 400, retry: false };
    }
    at = at.cause;
  }
  return { status: 500, retry: false };
}
