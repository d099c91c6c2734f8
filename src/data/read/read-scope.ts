import type { KeyRecorder } from '../../core/validity.ts';
import type { Db, KeysetPage, OffsetPage, PaginateBase, Row, SqlValue } from '../db.ts';
import { excerpt, TooManyRowsError } from '../errors.ts';
import type { Observed, Result, StatementObserver } from '../observer.ts';
import type { AbortWatch } from '../pool/abort.ts';
import { isReadFailure } from '../pool/failures.ts';
import type { Batches } from './batch.ts';
import type { PaginateParts } from './include.ts';
import { type PaginateOptions, paginate } from './paginate.ts';
import type { Tables } from './tables.ts';

/** What a read scope needs of the database; `Database` is one. */
export interface Runner {
  readonly tables: Tables;
  readonly batches: Batches;
  readonly observer: StatementObserver | undefined;
  read<R extends object = Row>(
    sql: string,
    params: readonly SqlValue[],
    watch: AbortWatch,
  ): Promise<Result<R>>;
}

/** Of no columns that the analysis expects, so that it relies on nothing that a result would show. */
const UNREAD: Observed = Object.freeze({ rows: [], fields: [] });

/** The reads of one render: its signal stops them, and its key recorder hears what they depend on. */
export class ReadScope implements Db {
  readonly #database: Runner;
  readonly #watch: AbortWatch;
  readonly #keyRecorder: KeyRecorder;

  constructor(database: Runner, watch: AbortWatch, keyRecorder: KeyRecorder) {
    this.#database = database;
    this.#watch = watch;
    this.#keyRecorder = keyRecorder;
  }

  query<R extends object = Row>(sql: string, params: readonly SqlValue[] = []): Promise<readonly R[]> {
    return this.#noted(
      () => excerpt(sql),
      () => this.#query(sql, params, (rows: readonly R[]) => rows),
    );
  }

  /** Made without `await`: of all that a read costs here its promises were the most. */
  #query<R extends object, T>(
    sql: string,
    params: readonly SqlValue[],
    pick: (rows: readonly R[], sql: string) => T,
  ): Promise<T> {
    const { observer } = this.#database;
    return this.#database.read<R>(sql, params, this.#watch).then(
      (result) => {
        const told =
          this.#keyRecorder.isDeaf === true
            ? undefined
            : observer?.onStatement(sql, params, result, this.#keyRecorder);
        return told === undefined ? pick(result.rows, sql) : told.then(() => pick(result.rows, sql));
      },
      async (error: unknown) => {
        await this.#tellUnread(sql, params);
        throw error;
      },
    );
  }

  /** What a read that failed would have read: whatever the page made of the failure depends on it. */
  async #tellUnread(sql: string, params: readonly SqlValue[]): Promise<void> {
    if (this.#watch.signal.aborted || this.#keyRecorder.isDeaf === true) return;
    try {
      await this.#database.observer?.onStatement(sql, params, UNREAD, this.#keyRecorder);
    } catch {
      // The statement's own failure is the one to tell of.
    }
  }

  many<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly R[]> {
    return this.query<R>(sql, params);
  }

  one<R extends object = Row>(sql: string, params: readonly SqlValue[] = []): Promise<R | null> {
    return this.#noted(
      () => excerpt(sql),
      () => this.#query(sql, params, theOnly<R>),
    );
  }

  byId<R extends object = Row>(
    table: string,
    id: string | number | bigint,
    columns?: readonly string[],
  ): Promise<R | null> {
    const caller = { keyRecorder: this.#keyRecorder, watch: this.#watch };
    return this.#noted(
      () => `byId('${table}')`,
      () => this.#database.batches.load(table, id, columns, caller) as Promise<R | null>,
    );
  }

  paginate<R extends object = Row>(options: PaginateBase & { readonly page: number }): Promise<OffsetPage<R>>;
  paginate<R extends object = Row>(
    options: PaginateBase & { readonly after: string | null },
  ): Promise<KeysetPage<R>>;
  paginate(options: PaginateOptions): Promise<unknown> {
    const parts: PaginateParts = {
      tables: this.#database.tables,
      // The list goes the way of any statement, to the observer too ...
      list: (sql, params) => this.#query(sql, params, (rows: readonly Row[]) => rows),
      // ... what belongs to its rows is read for all of them at once, and told of as what each row asked for.
      related: async (sql, params) => (await this.#database.read(sql, params, this.#watch)).rows,
      observer: this.#database.observer,
      keyRecorder: this.#keyRecorder,
    };
    return this.#noted(
      () => `paginate('${options.table}')`,
      () => paginate(options, parts),
    );
  }

  /** `work`, noted as a read of the render: that it failed, or had not ended when `load` returned, is known of the page. */
  #noted<T>(what: () => string, work: () => Promise<T>): Promise<T> {
    const end = this.#keyRecorder.reading?.(what);
    const working = work();
    // Also where the page has stopped waiting: a read that fails then must not end the process.
    working.then(
      () => end?.(),
      (error: unknown) => end?.(isReadFailure(error) ? error : undefined),
    );
    return working;
  }
}

function theOnly<R>(rows: readonly R[], sql: string): R | null {
  if (rows.length > 1) throw new TooManyRowsError(sql, rows.length);
  return rows[0] ?? null;
}
