// Query parameters that may come several times: `?tag=a&tag=b`, as a form with checkboxes sends them.
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** More are no filter of a person's; each is part of a cache key. */
export const MAX_LIST_VALUES = 100;

const madeHere: unique symbol = Symbol('coherent.list');

/** A parameter that may come several times. Made by `list()` only. */
export interface ListSchema<Input, Output> extends StandardSchemaV1<readonly Input[], readonly Output[]> {
  readonly [madeHere]: true;
}

/**
 * Each value through `schema`; none is an empty list. Their order is part of the key: sort them by `transform` where it
 * means nothing. More than 100 are refused with 400.
 *
 * @example page({ query: { tag: list(z.enum(['new', 'sale'])) }, load: ({ query }) => query.tag.length, ... })
 */
export function list<Input, Output>(schema: StandardSchemaV1<Input, Output>): ListSchema<Input, Output> {
  const validate = (given: unknown) => {
    const values = Array.isArray(given) ? given : given === undefined ? [] : [given];
    const results = values.map((value) => schema['~standard'].validate(value));
    if (results.some((result) => result instanceof Promise)) return Promise.all(results).then(joined);
    return joined(results as StandardSchemaV1.Result<Output>[]);
  };
  return Object.freeze({
    [madeHere]: true as const,
    '~standard': { version: 1 as const, vendor: 'coherent-render-server', validate },
  });
}

export function isList(value: unknown): boolean {
  return typeof value === 'object' && value !== null && madeHere in value;
}

function joined<Output>(
  results: readonly StandardSchemaV1.Result<Output>[],
): StandardSchemaV1.Result<readonly Output[]> {
  const value: Output[] = [];
  for (const [at, result] of results.entries()) {
    if (result.issues !== undefined)
      return { issues: result.issues.map((issue) => ({ ...issue, path: [at, ...(issue.path ?? [])] })) };
    value.push(result.value);
  }
  return { value };
}
