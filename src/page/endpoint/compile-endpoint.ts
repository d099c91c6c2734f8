import type { Declared } from '../application/inputs.ts';
import { assertParams, assertSchemas } from '../application/route-inputs.ts';
import { type ApplicationKeys, routeKeys } from '../application/route-keys.ts';
import type { Route } from '../application/router.ts';
import { ApplicationError } from '../errors.ts';
import { isBodyKind } from './body.ts';
import type { Endpoint } from './endpoint.ts';
import { type CompleteFrom, completeFrom } from './from.ts';

/** An endpoint as requests find it. */
export interface EndpointRoute extends Route {
  readonly methods: Endpoint['methods'];
  readonly declared: Declared;
  readonly from: CompleteFrom;
}

/** Errors: `E_APPLICATION`, which names the file and the way out. */
export function compileEndpoint(
  route: Route,
  { params, query, from, methods }: Endpoint,
  keys: ApplicationKeys,
): EndpointRoute {
  const file = `pages/${route.file}`;
  if (methods.size === 0)
    throw new ApplicationError(
      `${file}: its endpoint answers no method. Give it GET, POST, PUT, PATCH or DELETE.`,
    );
  assertParams(route, params);
  assertSchemas(file, params, query);
  for (const [name, { body, maxBytes = 1, timeoutMs = 1 }] of methods) {
    if (body !== undefined && !isBodyKind(body)) assertSchemas(file, { [`${name}.body`]: body });
    for (const [option, value] of Object.entries({ maxBytes, timeoutMs }))
      if (!Number.isFinite(value) || value <= 0)
        throw new ApplicationError(`${file}: ${name}.${option} is ${value}; give a number above 0.`);
  }
  return Object.freeze({
    ...route,
    methods,
    declared: { params, query, ...routeKeys(file, undefined, keys).declared },
    from: completeFrom(file, from),
  });
}
