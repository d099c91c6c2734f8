// From a request to what a page may see: its declared parameters, parsed, and the headers it named. Nothing
// else reaches `load`, and the cache key is made of exactly this, so no unkeyed input can reach a cached page.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type HostInput, type HostSchema, readHost } from '../definitions/host-input.ts';
import { isList, MAX_LIST_VALUES } from '../definitions/list.ts';
import type { Shape } from '../definitions/schemas.ts';
import { type Chosen, NOTHING_CHOSEN, type PageVariants } from '../definitions/variants.ts';

export interface Inputs {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly variants: Chosen;
  /** Where the page is another one for each host. */
  readonly host?: HostInput | undefined;
}

export const NO_INPUTS: Inputs = Object.freeze({
  params: Object.freeze({}),
  query: Object.freeze({}),
  headers: Object.freeze({}),
  variants: NOTHING_CHOSEN,
});

/** A path that does not parse names nothing: 404. A query that does not parse is a mistake to tell of: 400. An unknown host: 421. */
export interface Rejected {
  readonly rejected: 404 | 400 | 421;
  readonly reason: string;
}

export interface RawInputs {
  readonly params: Readonly<Record<string, string>>;
  /** Without the '?'. */
  readonly query: string;
  /** The value of a request header, undefined when absent. */
  readonly header: (name: string) => string | undefined;
}

export interface Declared {
  readonly params: Shape;
  readonly query: Shape;
  readonly vary: readonly string[];
  /** Absent: it comes in no variants. */
  readonly variants?: PageVariants | undefined;
  /** Of the application. `isInput`: the page is another one for each host. */
  readonly host?: { readonly schema: HostSchema; readonly isInput: boolean } | undefined;
}

const MAX_HEADER_LENGTH = 256;
/** As of forms. Each costs, and no link needs so many. */
const MAX_PAIRS = 1000;

/** A promise only where a schema answers with one. */
export function parseInputs(
  declared: Declared,
  raw: RawInputs,
): Inputs | Rejected | Promise<Inputs | Rejected> {
  if (declared.host === undefined) return parseRest(declared, raw, undefined);
  const { schema, isInput } = declared.host;
  const asked = raw.header('host');
  // No request has asked: a page that is the same for all hosts is rendered again, or warmed.
  if (asked === undefined && !isInput) return parseRest(declared, raw, undefined);
  const host = readHost(schema, asked);
  const goOn = (read: HostInput | undefined) =>
    read === undefined ? UNKNOWN_HOST : parseRest(declared, raw, isInput ? read : undefined);
  return host instanceof Promise ? host.then(goOn) : goOn(host);
}

const UNKNOWN_HOST: Rejected = Object.freeze({
  rejected: 421,
  reason: 'This server does not answer for that host.',
});

function parseRest(
  declared: Declared,
  raw: RawInputs,
  host: HostInput | undefined,
): Inputs | Rejected | Promise<Inputs | Rejected> {
  const query = readQuery(raw.query, declared.query);
  if (typeof query === 'string') return { rejected: 400, reason: query };
  const headers: Record<string, string> = {};
  for (const name of declared.vary) {
    const value = raw.header(name) ?? '';
    headers[name] = value.length > MAX_HEADER_LENGTH ? '' : value;
  }
  const variants = declared.variants?.choose(raw.header) ?? NOTHING_CHOSEN;
  const params = parseShape(declared.params, raw.params);
  const parsedQuery = parseShape(declared.query, query);
  const join = (p: ParsedShape, q: ParsedShape): Inputs | Rejected => {
    if (p.wrong !== undefined) return { rejected: 404, reason: 'No page has this address.' };
    if (q.wrong !== undefined)
      return { rejected: 400, reason: `The query parameter '${q.wrong}' has a value that is not allowed.` };
    return Object.freeze({
      params: p.values,
      query: q.values,
      headers: Object.freeze(headers),
      variants,
      ...(host !== undefined && { host }),
    });
  };
  if (params instanceof Promise || parsedQuery instanceof Promise) {
    return Promise.all([params, parsedQuery]).then(([p, q]) => join(p, q));
  }
  return join(params, parsedQuery);
}

/**
 * The declared parameters of a query, decoded. Others are dropped unread, so tracking parameters make no
 * entries of their own. A declared one that comes twice is refused: which of the two counts is what a proxy
 * in front, this server and a page could each see differently; unless it is a `list()`. A string is the reason to refuse.
 */
function readQuery(query: string, declared: Shape): Record<string, string | string[]> | string {
  const found: Record<string, string | string[]> = {};
  if (query === '' || isEmpty(declared)) return found;
  const pairs = query.split('&', MAX_PAIRS + 1);
  if (pairs.length > MAX_PAIRS) return `The query has more than ${MAX_PAIRS} parameters.`;
  for (const pair of pairs) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decodeForm(at === -1 ? pair : pair.slice(0, at));
    if (name === undefined || !Object.hasOwn(declared, name)) continue;
    const value = decodeForm(at === -1 ? '' : pair.slice(at + 1));
    if (value === undefined) return `The query parameter '${name}' is not percent-encoded properly.`;
    // Postgres takes no NUL in text; no person types one.
    if (value.includes('\0')) return `The query parameter '${name}' holds a NUL character.`;
    if (isList(declared[name])) {
      const held = Object.hasOwn(found, name) ? found[name] : undefined;
      if (!Array.isArray(held)) found[name] = [value];
      else if (held.push(value) > MAX_LIST_VALUES)
        return `The query parameter '${name}' is given more than ${MAX_LIST_VALUES} times.`;
      continue;
    }
    if (Object.hasOwn(found, name)) return `The query parameter '${name}' is given more than once.`;
    found[name] = value;
  }
  return found;
}

function isEmpty(declared: Shape): boolean {
  for (const _ in declared) return false;
  return true;
}

const ENCODED = /[%+]/;

function decodeForm(text: string): string | undefined {
  // Nearly all names, of which there may be thousands.
  if (!ENCODED.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

interface ParsedShape {
  readonly values: Readonly<Record<string, unknown>>;
  /** The first parameter that its schema refused. */
  readonly wrong: string | undefined;
}

function parseShape(
  shape: Shape,
  raw: Readonly<Record<string, string | readonly string[]>>,
): ParsedShape | Promise<ParsedShape> {
  const names = Object.keys(shape);
  // A parameter may be called `toString`: what every object has is not what the visitor gave.
  const given = (name: string) => (Object.hasOwn(raw, name) ? raw[name] : undefined);
  const results = names.map((name) => shape[name]?.['~standard'].validate(given(name)));
  if (results.some((result) => result instanceof Promise)) {
    return Promise.all(results).then((settled) => collect(names, settled));
  }
  return collect(names, results);
}

type Result = StandardSchemaV1.Result<unknown>;

function collect(
  names: readonly string[],
  results: readonly (Result | Promise<Result> | undefined)[],
): ParsedShape {
  const values: Record<string, unknown> = {};
  for (const [at, name] of names.entries()) {
    const result = results[at];
    if (result === undefined || result instanceof Promise || result.issues !== undefined)
      return { values, wrong: name };
    values[name] = deepFreeze(result.value);
  }
  return { values: Object.freeze(values), wrong: undefined };
}

/** Plain objects and arrays only; what else a schema may make (a Date) is the page's own. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
