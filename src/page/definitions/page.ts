import { declaring } from '../../core/declarations.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Db } from '../../data/db.ts';
import type { Node } from '../../render/element.ts';
import type { ThrottleRule } from '../../visitor/throttle/rule.ts';
import type { PersonalVisitor } from '../../visitor/visitor.ts';
import type { ActionAnswer, ActionContext, Feedback } from './action.ts';
import type { Head } from './head.ts';
import type { NotFound, Redirect } from './outcome.ts';
import type { Parsed, Shape } from './schemas.ts';
import type { Chosen } from './variants.ts';

/** The means to read, for a page's `load` and a fragment's alike. */
export interface Reading {
  readonly db: Db;
  /** Aborts when the render's time is over or no request waits for it any more. */
  readonly signal: AbortSignal;
  /** Names data that the page depends on beyond what it reads through `db`: `weather:berlin`. */
  readonly dependsOn: (...keys: string[]) => void;
  /** HTTP out, with the render's signal. What it reads is not tracked: name it with `dependsOn` or live by TTL. */
  readonly fetch: typeof globalThis.fetch;
}

/** The means to read, and with them what else a `load` is given. */
export type GiveReading = <More extends object>(more: More) => Reading & More;

/** All that `load` may see: the parsed inputs that form the key, and the means to read. */
export interface LoadContext<P extends Shape, Q extends Shape> extends Reading {
  readonly params: Parsed<P>;
  readonly query: Parsed<Q>;
  /** The request headers named in `cache.vary`, and no others. Absent ones are ''. */
  readonly headers: Readonly<Record<string, string>>;
  /** The values chosen of the variants named in `cache.variants`, by name. */
  readonly variants: Chosen;
  /** With `cache.host`: what the application's `host` schema made of the host. Otherwise ''. */
  readonly host: string;
}

/** What the `load` of a personal page may see: its inputs, the visitor, and the means to read. */
export interface PersonalContext<P extends Shape, Q extends Shape>
  extends Omit<Reading, 'dependsOn'>,
    PersonalVisitor {
  readonly params: Parsed<P>;
  readonly query: Parsed<Q>;
}

/** Defaults in policy.ts. A purge ends all of these times at once. */
export interface CachePolicy {
  /** How long an answer is fresh. Default one minute. 0: never stored. */
  readonly ttlMs?: Milliseconds;
  /** How long after that it may still be served while a new one is made. Default one minute. */
  readonly staleWhileRevalidateMs?: Milliseconds;
  /** How long after `ttlMs` it may be served when making a new one fails. Default 0: an error is shown. */
  readonly staleIfErrorMs?: Milliseconds;
  /**
   * How long caches between this server and the visitor (a CDN, nginx) may answer without asking. Default 0:
   * they ask every time, because a purge does not reach them by itself. Browsers always ask.
   */
  readonly sharedMaxAgeMs?: Milliseconds;
  /** Request headers the page may see; each value makes its own entry. Values over 256 characters read as ''. */
  readonly vary?: readonly string[];
  /** Variants of the application that the page comes in: each value makes its own entry, and nothing else that was sent does. */
  readonly variants?: readonly string[];
  /** The page is another one for each host: of an application with a `host` schema. Default false: the same for all. */
  readonly host?: boolean;
  /** After a purge, while people ask for it, render it again without waiting for the next of them. Default true. */
  readonly refresh?: boolean;
  /** Kept outside the LRU: rendered once, found by a Map, dropped only by a purge. */
  readonly static?: boolean;
}

export interface PageDefinition<
  P extends Shape,
  Q extends Shape,
  Props,
  F extends Shape = Shape,
  Personal extends boolean = boolean,
> {
  readonly params?: P;
  readonly query?: Q;
  /**
   * For one visitor: `load` is given their session, cookies and headers, and nothing of the page is kept, here or anywhere
   * (`private, no-store`), or shared with another request. Fragments inside see no visitor, and are shared as ever.
   */
  readonly personal?: Personal;
  /** Of a page that is the same for all. A personal one is never kept. */
  readonly cache?: CachePolicy;
  /** After this its render is stopped and answered with 503, in the place of RENDER_TIMEOUT_MS. */
  readonly renderTimeoutMs?: Milliseconds;
  /** The fields that `action` takes. A field that comes several times is a list to its schema, one that does not is undefined. */
  readonly form?: F;
  /**
   * How often `action` may be sent from one address (an IPv6 network counts as one), and for one account that the form
   * names, however many send it; counted for the whole fleet. More is answered 429 with Retry-After, without a statement. An
   * action that checks a password needs both.
   *
   * @example throttle: {
   *   address: { max: 20, withinMs: 60_000 },
   *   account: { max: 5, withinMs: 15 * 60_000, of: ({ form }) => form.email },
   * }
   */
  readonly throttle?: {
    readonly address?: ThrottleRule;
    readonly account?: ThrottleRule & {
      /** The account, in one spelling; undefined: none. What Redis is told is a hash of it. */
      readonly of: (input: {
        readonly form: Parsed<F>;
        readonly params: Parsed<P>;
        readonly query: Parsed<Q>;
      }) => string | undefined;
    };
  };
  /**
   * Answers POST: a form (urlencoded) or JSON of this site's own pages, at most 64 KiB. Never cached, never run twice by
   * the server.
   */
  readonly action?: (context: ActionContext<P, Q, F>) => Promise<ActionAnswer> | ActionAnswer;
  readonly load?: (
    context: Personal extends true ? PersonalContext<P, Q> : LoadContext<P, Q>,
  ) => Promise<Props | NotFound | Redirect> | Props | NotFound | Redirect;
  /** `feedback`: as `view`, when the page is shown again for a form, so that its title can say so. */
  readonly head?: (props: NoInfer<Exclude<Props, NotFound | Redirect>>, feedback?: Feedback) => Head;
  /** Default 200. Of others than 200, 404 and 410 nothing is kept. */
  readonly status?: (props: NoInfer<Exclude<Props, NotFound | Redirect>>) => number;
  /** Beside those of every answer: `link`, `content-language`. They are kept with the page, and the same for everybody. */
  readonly headers?: (
    props: NoInfer<Exclude<Props, NotFound | Redirect>>,
  ) => Readonly<Record<string, string>>;
  /**
   * In the place of `head` for a page that is slow: its head from its inputs alone. A visitor who has to wait for the
   * render is then sent head and layout before `load` has answered, and the rest when it is there. Once that is out
   * the status is 200: notFound(), redirect() and errors can only be told in the page. Inline scripts in the page's own content
   * (not in the layout) do not run in a streamed answer. What is cached is the finished page, as of any other.
   */
  readonly shell?: (
    inputs: Pick<LoadContext<P, Q>, 'params' | 'query' | 'headers' | 'variants' | 'host'>,
  ) => Head;
  /** `feedback`: only when the page is shown again for a form that could not be taken; such a page is never cached. */
  readonly view: (props: NoInfer<Exclude<Props, NotFound | Redirect>>, feedback?: Feedback) => Node;
}

declare const props: unique symbol;
const madeHere: unique symbol = Symbol('coherent.page');

/** A page as the router takes it. Made by `page()` only. */
export interface Page<
  P extends Shape = Shape,
  Q extends Shape = Shape,
  Props = unknown,
  F extends Shape = Shape,
> {
  readonly [madeHere]: true;
  readonly definition: PageDefinition<P, Q, Props, F>;
  readonly [props]?: Props;
}

type NoShape = Readonly<Record<never, never>>;

/**
 * Declares a page: the default export of a file in the application's `pages/`.
 * Write `load` before `head` and `view`: TypeScript reads their types in that order.
 */
export function page<
  const P extends Shape = NoShape,
  const Q extends Shape = NoShape,
  Props = unknown,
  const F extends Shape = NoShape,
  const Personal extends boolean = false,
>(definition: PageDefinition<P, Q, Props, F, Personal>): Page<P, Q, Props, F> {
  declaring('page()');
  return Object.freeze({ [madeHere]: true as const, definition });
}

export function isPage(value: unknown): value is Page {
  return typeof value === 'object' && value !== null && madeHere in value;
}
