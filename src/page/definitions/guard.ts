import { declaring } from '../../core/declarations.ts';
import type { Db } from '../../data/db.ts';
import type { Visitor } from '../../visitor/visitor.ts';
import type { Forbidden, NotFound, Redirect } from './outcome.ts';

/** All that a guard may decide by. */
export interface GuardContext extends Visitor {
  /** Of the route, as they stand in the address: no schema has seen them. */
  readonly params: Readonly<Record<string, string>>;
  /** The template, such as `/account/orders/[id]`. */
  readonly route: string;
  readonly db: Db;
  /** Aborts when the guard has taken too long. */
  readonly signal: AbortSignal;
}

/** Nothing (undefined): the visitor may pass. */
export type GuardAnswer = Redirect | Forbidden | NotFound | undefined;

export type GuardCheck = (context: GuardContext) => GuardAnswer | Promise<GuardAnswer>;

const madeHere: unique symbol = Symbol('coherent.guard');

/** A guard as the application takes it. Made by `guard()` only. */
export interface Guard {
  readonly [madeHere]: true;
  readonly check: GuardCheck;
}

/**
 * Declares who may see the pages of a folder and of those in it: the default export of `_guard` there. It is asked in every
 * request, before anything of the page is loaded or served from a cache, the guard of the outermost folder first. The pages
 * themselves are kept once, for all who may see them. One that throws, takes too long, or answers anything else is no pass: the
 * request is answered 503.
 *
 * @example export default guard(({ session }) => (session.data === undefined ? redirect('/sign-in') : undefined));
 */
export function guard(check: GuardCheck): Guard {
  declaring('guard()');
  return Object.freeze({ [madeHere]: true as const, check });
}

export function isGuard(value: unknown): value is Guard {
  return typeof value === 'object' && value !== null && madeHere in value;
}
