// The reads of renders, watched for the author's sake: which line of theirs runs a statement, how many times in one
// render, and which statement an error belongs to.
import type { Db, KeysetPage, OffsetPage, PaginateBase, Row, SqlValue } from '../../data/db.ts';
import { excerpt } from '../../data/errors.ts';
import type { ReadScopes } from '../../page/render/render-context.ts';
import type { Notices } from './notices.ts';
import { callSite, type Place } from './stack.ts';

export interface WatchedOptions {
  readonly project: string;
  readonly notices: Notices;
  /** Told of each statement that succeeded, with its values. */
  readonly onStatement?: (statement: RanStatement) => void;
}

export interface RanStatement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
  readonly place: Place | undefined;
}

interface Statement {
  readonly sql: string;
  readonly place: Place | undefined;
}

/** As often in one render it is no coincidence. */
const TOO_OFTEN = 5;

const statements = new WeakMap<object, Statement>();

/** The statement whose failure this error is. */
export function statementOf(error: object): Statement | undefined {
  return statements.get(error);
}

export function watched(scopes: ReadScopes, options: WatchedOptions): ReadScopes {
  return { readScope: (of) => new WatchedDb(scopes.readScope(of), options) };
}

class WatchedDb implements Db {
  readonly #db: Db;
  readonly #options: WatchedOptions;
  readonly #times = new Map<string, number>();

  constructor(db: Db, options: WatchedOptions) {
    this.#db = db;
    this.#options = options;
  }

  query<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly R[]> {
    return this.#run(sql, params, () => this.#db.query<R>(sql, params));
  }

  one<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<R | null> {
    return this.#run(sql, params, () => this.#db.one<R>(sql, params));
  }

  many<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly R[]> {
    return this.#run(sql, params, () => this.#db.many<R>(sql, params));
  }

  byId<R extends object = Row>(
    table: string,
    id: string | number | bigint,
    columns?: readonly string[],
  ): Promise<R | null> {
    return this.#noted(`byId('${table}')`, callSite(this.#options.project), () =>
      this.#db.byId<R>(table, id, columns),
    );
  }

  paginate<R extends object = Row>(
    options: PaginateBase<R> & { readonly page: number },
  ): Promise<OffsetPage<R>>;
  paginate<R extends object = Row>(
    options: PaginateBase<R> & { readonly after: string | null },
  ): Promise<KeysetPage<R>>;
  paginate<R extends object = Row>(
    options: PaginateBase<R> & ({ readonly page: number } | { readonly after: string | null }),
  ): Promise<OffsetPage<R> | KeysetPage<R>> {
    return this.#noted<OffsetPage<R> | KeysetPage<R>>(
      `paginate('${options.table}')`,
      callSite(this.#options.project),
      () => ('page' in options ? this.#db.paginate<R>(options) : this.#db.paginate<R>(options)),
    );
  }

  #run<T>(sql: string, params: readonly SqlValue[] = [], read: () => Promise<T>): Promise<T> {
    const place = callSite(this.#options.project);
    this.#count(sql, place);
    return this.#noted(sql, place, async () => {
      const rows = await read();
      this.#options.onStatement?.({ sql, params, place });
      return rows;
    });
  }

  async #noted<T>(sql: string, place: Place | undefined, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (typeof error === 'object' && error !== null) statements.set(error, { sql, place });
      throw error;
    }
  }

  #count(sql: string, place: Place | undefined): void {
    const times = (this.#times.get(sql) ?? 0) + 1;
    this.#times.set(sql, times);
    if (times === TOO_OFTEN)
      this.#options.notices.tell({
        topic: 'n-plus-one',
        place,
        text: `One render ran this statement ${TOO_OFTEN} times and more: ${excerpt(sql)}. Read the rows together (WHERE id = ANY($1)), or with db.byId, which does that by itself.`,
      });
  }
}
