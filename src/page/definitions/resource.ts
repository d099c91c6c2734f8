// Declares a resource: an answer that is no page, the same for everybody, made from the database. It is keyed, cached,
// compressed and purged exactly as a page is.
import { declaring } from '../../core/declarations.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Node } from '../../render/element.ts';
import type { NotFound, Redirect } from '../definitions/outcome.ts';
import type { CachePolicy, LoadContext } from '../definitions/page.ts';
import type { Shape } from '../definitions/schemas.ts';

type JsonType = 'json' | 'application/json' | `application/${string}+json`;
type MarkupType = 'xml' | 'rss' | 'atom' | `${string}/xml` | `${string}+xml` | 'text/html';
/** A short name, or any media type. */
export type ResourceType = JsonType | MarkupType | 'text' | 'csv' | `${string}/${string}`;

/** JSON: what JSON.stringify takes. Markup: nodes, where text is escaped, most often of `xml`. Others: text or bytes as they are. */
type BodyOfType<T extends ResourceType> = T extends JsonType
  ? object | string | number | boolean | null
  : T extends MarkupType
    ? Node
    : string | Uint8Array;

type Shown<Props> = NoInfer<Exclude<Props, NotFound | Redirect>>;

export interface ResourceDefinition<P extends Shape, Q extends Shape, Props, T extends ResourceType> {
  /** Default `json`. */
  readonly type?: T;
  readonly params?: P;
  readonly query?: Q;
  readonly cache?: CachePolicy;
  readonly renderTimeoutMs?: Milliseconds;
  /** 'anywhere': scripts of pages of other sites may read it (CORS). Default 'this-site'. */
  readonly from?: 'this-site' | 'anywhere';
  readonly load: (
    context: LoadContext<P, Q>,
  ) => Promise<Props | NotFound | Redirect> | Props | NotFound | Redirect;
  /** Default: what `load` answered, as JSON. */
  readonly body?: (props: Shown<Props>) => BodyOfType<NoInfer<T>>;
  /** Default 200. Of others than 200, 404 and 410 nothing is kept. */
  readonly status?: (props: Shown<Props>) => number;
  /** Beside those of every answer: `link`, `content-language`. */
  readonly headers?: (props: Shown<Props>) => Readonly<Record<string, string>>;
}

declare const props: unique symbol;
const madeHere: unique symbol = Symbol('coherent.resource');

/** As the renderer takes it: whatever its `load` answers, its other functions take. */
export interface AnyResource {
  readonly type: ResourceType;
  readonly params: Shape;
  readonly query: Shape;
  readonly cache: CachePolicy | undefined;
  readonly renderTimeoutMs: Milliseconds | undefined;
  readonly from: 'this-site' | 'anywhere';
  readonly load: (context: LoadContext<Shape, Shape>) => unknown;
  readonly body: ((props: unknown) => unknown) | undefined;
  readonly status: ((props: unknown) => number) | undefined;
  readonly headers: ((props: unknown) => Readonly<Record<string, string>>) | undefined;
}

/** Made by `resource()` only. */
export interface Resource<Props = unknown> {
  readonly [madeHere]: true;
  readonly definition: AnyResource;
  readonly [props]?: Props;
}

type NoShape = Readonly<Record<never, never>>;

/**
 * Declares what a file in `pages/` answers to GET in the place of a page: its default export, or its export `resource`.
 * Write `load` before `body`.
 *
 * @example
 *     export default resource({
 *       query: { after },
 *       from: 'anywhere',
 *       load: ({ query, db }) => db.paginate({ table: 'posts', columns: ['id', 'title'], orderBy: [], pageSize: 50, ...query }),
 *       body: ({ rows, next }) => ({ posts: rows, next }),
 *     });
 */
export function resource<
  const P extends Shape = NoShape,
  const Q extends Shape = NoShape,
  Props = unknown,
  const T extends ResourceType = 'json',
>(definition: ResourceDefinition<P, Q, Props, T>): Resource<Props> {
  declaring('resource()');
  const { type = 'json', params = {}, query = {}, from = 'this-site', ...rest } = definition;
  const given = { cache: undefined, renderTimeoutMs: undefined, body: undefined, status: undefined };
  const complete = { ...given, headers: undefined, ...rest, type, params, query, from };
  // Its inputs are made by its own schemas, and its props by its own load.
  return Object.freeze({ [madeHere]: true as const, definition: Object.freeze(complete) as AnyResource });
}

export function isResource(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && madeHere in value;
}
