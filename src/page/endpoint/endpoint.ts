// Declares an endpoint: answers that are made for one request and kept nowhere. JSON for programs, webhooks, sign-in
// callbacks, uploads, downloads. What is the same for all and made from the database is a resource, which is cached.
import { declaring } from '../../core/declarations.ts';
import type { Logger } from '../../core/log.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { WritableDb } from '../../data/read/write-scope.ts';
import type { Visible } from '../../invalidation/bus/visibility.ts';
import type { WritingVisitor } from '../../visitor/visitor.ts';
import type { VisibleOptions } from '../definitions/action.ts';
import type { Invalid, NotFound, Redirect } from '../definitions/outcome.ts';
import type { Parsed, Shape } from '../definitions/schemas.ts';
import type { BodyOf, BodyShape } from './body.ts';

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export type EndpointMethod = (typeof METHODS)[number];

/**
 * Whose requests are answered.
 *
 *   'this-site'              pages of this site, and whoever follows a link (GET). The default
 *   ['https://app.example']  those, and scripts of pages of these origins, with their cookies (CORS)
 *   'anywhere'               everybody: pages of all origins, programs. No cookies and no session reach the handler
 */
export type From = 'this-site' | 'anywhere' | readonly string[];

/**
 * What a handler answers: a web `Response` goes out as it is, a plain object or list as JSON (200), nothing as 204.
 * Never cached: every answer carries `cache-control: no-store`.
 */
export type EndpointAnswer = Response | Redirect | NotFound | Invalid | object | undefined;

export interface EndpointContext<P extends Shape, Q extends Shape> {
  readonly params: Parsed<P>;
  readonly query: Parsed<Q>;
  /** A header of the request. From proxies that are not trusted X-Forwarded-* and the like are undefined. */
  readonly header: WritingVisitor['header'];
  readonly db: WritableDb;
  /** As in an action: resolves when everything committed until now is what every worker serves, or that took too long. */
  readonly visible: (options?: VisibleOptions) => Promise<Visible>;
  /**
   * Aborts when the handler has taken `timeoutMs`; once an answer is streamed, when its reader has gone. A handler goes
   * on when its client leaves.
   */
  readonly signal: AbortSignal;
  readonly fetch: typeof globalThis.fetch;
  /** Writes lines that carry the request's id and the route. */
  readonly log: Logger;
}

/** The visitor, with session and cookies: there only where requests cannot come from anywhere. */
type WithVisitor<F extends From> = F extends 'anywhere' ? object : WritingVisitor;

/** `body`: as its schema answers, or as its kind (`raw()`, `stream()`, `signed()`) says. Without one there is none. */
type WithBody<B extends BodyShape | undefined> = B extends BodyShape ? { readonly body: BodyOf<B> } : object;

export type Handler<
  P extends Shape,
  Q extends Shape,
  F extends From = 'this-site',
  B extends BodyShape | undefined = undefined,
> = (
  context: EndpointContext<P, Q> & WithVisitor<F> & WithBody<B>,
) => EndpointAnswer | Promise<EndpointAnswer>;

export interface MethodDefinition<
  P extends Shape,
  Q extends Shape,
  F extends From,
  B extends BodyShape | undefined,
> {
  /** A Standard Schema takes JSON or a form (urlencoded), and refuses with 422 what it does not accept. */
  readonly body?: B;
  /** The largest body. Default 64 KiB; more is 413. */
  readonly maxBytes?: Bytes;
  /** How long the handler may take until 503 is answered, and its signal aborts. Default RENDER_TIMEOUT_MS. */
  readonly timeoutMs?: Milliseconds;
  readonly handler: Handler<P, Q, F, B>;
}

type Method<P extends Shape, Q extends Shape, F extends From, B extends BodyShape | undefined> =
  | Handler<P, Q, F>
  | MethodDefinition<P, Q, F, B>;

export interface EndpointDefinition<
  P extends Shape,
  Q extends Shape,
  F extends From,
  Post extends BodyShape | undefined,
  Put extends BodyShape | undefined,
  Patch extends BodyShape | undefined,
  Delete extends BodyShape | undefined,
> {
  readonly params?: P;
  readonly query?: Q;
  readonly from?: F;
  /** Answers HEAD, too, without the body. */
  readonly GET?: Method<P, Q, F, undefined>;
  readonly POST?: Method<P, Q, F, Post>;
  readonly PUT?: Method<P, Q, F, Put>;
  readonly PATCH?: Method<P, Q, F, Patch>;
  readonly DELETE?: Method<P, Q, F, Delete>;
}

type NoShape = Readonly<Record<never, never>>;

/** As the router takes it: whatever its schemas are, a method is given what they answer. */
export interface AnyMethod extends Omit<MethodDefinition<Shape, Shape, From, undefined>, 'body' | 'handler'> {
  readonly body?: BodyShape | undefined;
  readonly handler: (context: object) => unknown;
}

const madeHere: unique symbol = Symbol('coherent.endpoint');

/** Made by `endpoint()` only. */
export interface Endpoint {
  readonly [madeHere]: true;
  readonly params: Shape;
  readonly query: Shape;
  readonly from: From;
  readonly methods: ReadonlyMap<EndpointMethod, AnyMethod>;
}

/**
 * Declares what a file in `pages/` answers beside pages: its default export, or its export `endpoint` beside a page.
 * OPTIONS, HEAD, 405 with Allow, and CORS preflights are answered by the server.
 *
 * @example
 *     export default endpoint({
 *       params: { id },
 *       from: 'anywhere',
 *       PUT: {
 *         body: z.object({ title: z.string().min(1) }),
 *         handler: async ({ params, body, db, visible }) => {
 *           await db.transaction((tx) => tx.execute('update posts set title = $2 where id = $1', [params.id, body.title]));
 *           await visible();
 *           return { id: params.id, ...body };
 *         },
 *       },
 *     });
 */
export function endpoint<
  const P extends Shape = NoShape,
  const Q extends Shape = NoShape,
  const F extends From = 'this-site',
  const Post extends BodyShape | undefined = undefined,
  const Put extends BodyShape | undefined = undefined,
  const Patch extends BodyShape | undefined = undefined,
  const Delete extends BodyShape | undefined = undefined,
>(definition: EndpointDefinition<P, Q, F, Post, Put, Patch, Delete>): Endpoint {
  declaring('endpoint()');
  const methods = new Map<EndpointMethod, AnyMethod>();
  for (const name of METHODS) {
    const method = definition[name];
    if (method === undefined) continue;
    // Its context is made by its own schemas: what they answer is what its handler takes.
    methods.set(name, (typeof method === 'function' ? { handler: method } : method) as AnyMethod);
  }
  const { params = {}, query = {} } = definition;
  const from: From = definition.from ?? 'this-site';
  return Object.freeze({ [madeHere]: true as const, params, query, from, methods });
}

export function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === 'object' && value !== null && madeHere in value;
}
