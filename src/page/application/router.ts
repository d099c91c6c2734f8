// File routes: `index`, `users/[id]`, `docs/[...rest]`. A tree of segments in which a static name goes before
// a parameter and a parameter before a rest, at every level. A match visits each node of the tree at most once.
import { ApplicationError } from '../errors.ts';

export interface Route {
  /** The template, such as `/users/[id]`: the page's name in keys, logs and metrics. */
  readonly template: string;
  /** Below pages/, without extension; for messages. */
  readonly file: string;
  /** Names of the parameters, in the order they stand in the path. */
  readonly names: readonly string[];
}

export interface Match<R extends Route> {
  readonly route: R;
  /** Decoded values by name; a rest is its segments joined by '/', which no segment can contain. */
  readonly params: Readonly<Record<string, string>>;
}

interface Branch<R> {
  readonly fixed: Map<string, Branch<R>>;
  param: Branch<R> | undefined;
  rest: R | undefined;
  here: R | undefined;
}

const PARAM = /^\[([A-Za-z][A-Za-z0-9_]*)\]$/;
const REST = /^\[\.\.\.([A-Za-z][A-Za-z0-9_]*)\]$/;

/** `users/[id]` (a file below pages/, without extension) as a route. Throws E_APPLICATION when it is not one. */
export function routeOf(file: string): Route {
  const segments = file.split('/');
  if (segments.at(-1) === 'index') segments.pop();
  const names: string[] = [];
  for (const [at, segment] of segments.entries()) {
    const rest = REST.exec(segment);
    const name = rest?.[1] ?? PARAM.exec(segment)?.[1];
    if (rest !== null && at !== segments.length - 1) {
      throw new ApplicationError(`pages/${file}: '${segment}' must be the last part of the route.`);
    }
    if (name === undefined) {
      assertStaticName(file, segment);
      continue;
    }
    if (names.includes(name))
      throw new ApplicationError(`pages/${file}: the parameter '${name}' stands there twice.`);
    names.push(name);
  }
  return { template: `/${segments.join('/')}`, file, names };
}

function assertStaticName(file: string, segment: string): void {
  if (segment.startsWith('_')) {
    throw new ApplicationError(
      `pages/${file}: '${segment}' is not a name this server knows. Directly in pages/ it knows _404, _error and _layout, in any folder _guard; no route starts with '_'.`,
    );
  }
  if (segment === '' || /[[\]\\%?#\s]/.test(segment) || segment.startsWith('.')) {
    throw new ApplicationError(
      `pages/${file}: '${segment}' is no part of a route. Write a plain name, [name] or [...name].`,
    );
  }
}

export class Router<R extends Route> {
  readonly #root: Branch<R> = branch();

  /** Throws E_APPLICATION when two of `routes` answer the same addresses. */
  constructor(routes: Iterable<R>) {
    for (const route of routes) this.#add(route);
  }

  match(segments: readonly string[]): Match<R> | undefined {
    const values: string[] = [];
    const route = find(this.#root, segments, 0, values);
    if (route === undefined) return undefined;
    const params: Record<string, string> = {};
    for (const [at, name] of route.names.entries()) params[name] = values[at] ?? '';
    return { route, params };
  }

  #add(route: R): void {
    let at = this.#root;
    for (const segment of route.template.split('/')) {
      if (segment === '') continue;
      if (REST.test(segment)) {
        if (at.rest !== undefined) throw taken(at.rest, route);
        at.rest = route;
        return;
      }
      if (PARAM.test(segment)) {
        at.param ??= branch();
        at = at.param;
        continue;
      }
      const next = at.fixed.get(segment) ?? branch();
      at.fixed.set(segment, next);
      at = next;
    }
    if (at.here !== undefined) throw taken(at.here, route);
    at.here = route;
  }
}

function find<R>(at: Branch<R>, segments: readonly string[], depth: number, values: string[]): R | undefined {
  const segment = segments[depth];
  if (segment === undefined) return at.here;
  const fixed = at.fixed.get(segment);
  if (fixed !== undefined) {
    const found = find(fixed, segments, depth + 1, values);
    if (found !== undefined) return found;
  }
  if (at.param !== undefined) {
    values.push(segment);
    const found = find(at.param, segments, depth + 1, values);
    if (found !== undefined) return found;
    values.pop();
  }
  if (at.rest === undefined) return undefined;
  values.push(segments.slice(depth).join('/'));
  return at.rest;
}

function branch<R>(): Branch<R> {
  return { fixed: new Map(), param: undefined, rest: undefined, here: undefined };
}

function taken(first: Route, second: Route): ApplicationError {
  return new ApplicationError(
    `pages/${first.file} and pages/${second.file} answer the same addresses (${second.template}). Remove one of the two files.`,
  );
}
