// What a page's `action` sees and answers. Actions write; pages only read.
import type { Milliseconds } from '../../core/units.ts';
import type { WritableDb } from '../../data/read/write-scope.ts';
import type { Visible } from '../../invalidation/bus/visibility.ts';
import type { WritingVisitor } from '../../visitor/visitor.ts';
import type { Invalid, NotFound, Redirect } from './outcome.ts';
import type { Parsed, Shape } from './schemas.ts';

export interface VisibleOptions {
  /** How long to wait at most. Default 250 ms, at most 30 s. */
  readonly withinMs?: Milliseconds;
}

export interface ActionContext<P extends Shape, Q extends Shape, F extends Shape> extends WritingVisitor {
  readonly params: Parsed<P>;
  readonly query: Parsed<Q>;
  /** What was sent, by the schemas of `form`. */
  readonly form: Parsed<F>;
  readonly db: WritableDb;
  /**
   * Resolves when everything committed until now, by whatever client, is what every worker of every host serves, or when
   * that took too long. It never rejects: the commit has taken place, and what it says is how soon others see it.
   *
   * @example
   *     await db.transaction((tx) => tx.execute('insert into notes (body) values ($1)', [form.body]));
   *     await visible();
   *     return redirect('/notes');
   */
  readonly visible: (options?: VisibleOptions) => Promise<Visible>;
  /** Aborts when the action has taken RENDER_TIMEOUT_MS. It goes on when the visitor leaves. */
  readonly signal: AbortSignal;
  readonly fetch: typeof globalThis.fetch;
}

/** Nothing (undefined): back to the page, as `redirect` to its own address. */
export type ActionAnswer = Redirect | NotFound | Invalid | undefined;

/** What `view` gets when a form was sent that cannot be taken. */
export interface Feedback {
  /** By field, as it was sent; of several values the first. */
  readonly values: Readonly<Record<string, string>>;
  /** By field: the message of its schema, or of `invalid()`. */
  readonly errors: Readonly<Record<string, string>>;
}
