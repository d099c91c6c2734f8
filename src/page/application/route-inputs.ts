// What a route file declares of its inputs, held against its name.

import type { Shape } from '../definitions/schemas.ts';
import { ApplicationError } from '../errors.ts';
import type { Route } from './router.ts';

/** Every `[name]` of the route has a schema, and nothing else has one. Errors: `E_APPLICATION`. */
export function assertParams({ file: path, names, template }: Route, params: Shape): void {
  const file = `pages/${path}`;
  for (const name of names) {
    if (!Object.hasOwn(params, name)) {
      throw new ApplicationError(
        `${file}: the route has [${name}], but the page's params have no schema for '${name}'.`,
      );
    }
  }
  for (const name of Object.keys(params)) {
    if (!names.includes(name)) {
      throw new ApplicationError(
        `${file}: params.${name} is not in the route ${template}. Rename the file or remove it.`,
      );
    }
  }
}

/** Errors: `E_APPLICATION`, where one is no Standard Schema. */
export function assertSchemas(file: string, ...shapes: readonly Shape[]): void {
  for (const [name, schema] of shapes.flatMap((shape) => Object.entries(shape))) {
    if (typeof schema?.['~standard']?.validate !== 'function') {
      throw new ApplicationError(`${file}: '${name}' is not a Standard Schema (zod, valibot, arktype).`);
    }
  }
}
