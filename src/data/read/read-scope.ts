import type { KeySink } from '../../core/validity.ts';
import type { Db, KeysetPage, OffsetPage, PaginateBase, Row, SqlValue } from '../db.ts';
import { excerpt, TooManyRowsError } from '../errors.ts';
import type { Observed, Result, StatementObserver } from '../observer.ts';
import type { AbortWatch } from '../pool/abort.ts';
import { isReadFailure } from '../pool/failures.ts';
import type { Batches } from './batch.ts';
import type { PaginateParts } from './include.ts';
import { type PaginateOptions, paginate } from './paginate.ts';
import type { Tables } from './tables.ts';

/** What a session needs of the database; `Database` is one. */
export interface Runner {
  readonly tables: Tables;
  readonly batches: Batches;
  readonly observer: StatementObserver | undefined;
  run<R extends object = Row>(
    sql: string,
    params: readonly SqlValue[],
    options: { readonly watch: AbortWatch; readonly leavesNothing?: boolean },
  ): Promise<Result<R>>;
}

/** Of no columns that the analysis expects, so that it relies on nothing that a result would show. */
const UNREAD: Observed = Object.freeze({ rows: [], fields: [] });

/** The reads of one render: its signal stops them, and its sink hears what they depend on. */
export class Session implements Db {
  readonly #database: Runner;
  readonly #watch: AbortWatch;
  readonly #sink: KeySink;

  constructor(database: Runner, watch: AbortWatch, sink: KeySink) {
    this.#database = database;
    this.#watch = watch;
    this.#sink = sink;
  }

  query<R extends object = Row>(sql: string, params: readonly SqlValue[] = []): Promise<readonly R[]> {
    return this.#noted(
      () => excerpt(sql),
      () => this.#query<R>(sql, params),
    );
  }

  async #query<R extends object>(sql: string, params: readonly SqlValue[]): Promise<readonly R[]> {
    const { observer } = this.#database;
    let result: Result<R & Row>;
    try {
      const checked = observer?.check?.(sql) ?? false;
      const leavesNothing = typeof checked === 'boolean' ? checked : await checked;
      result = await this.#database.run<R & Row>(sql, params, { watch: this.#watch, leavesNothing });
    } catch (error) {
      await this.#tellUnread(sql, params);
      throw error;
    }
    if (observer !== undefined && this.#sink.isDeaf !== true)
      await observer.onStatement(sql, params, result, this.#sink);
    return result.rows;
  }

  /** What a read that failed would have read: whatever the page made of the failure depends on it. */
  async #tellUnread(sql: string, params: readonly SqlValue[]): Promise<void> {
    if (this.#watch.signal.aborted || this.#sink.isDeaf === true) return;
    try {
      await this.#database.observer?.onStatement(sql, params, UNREAD, this.#sink);
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
      async () => {
        const rows = await this.#query<R>(sql, params);
        if (rows.length > 1) throw new TooManyRowsError(sql, rows.length);
        return rows[0] ?? null;
      },
    );
  }

  byId<R extends object = Row>(
    table: string,
    id: string | number | bigint,
    columns?: readonly string[],
  ): Promise<R | null> {
    const caller = { sink: this.#sink, watch: this.#watch };
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
      list: (sql, params) => this.#query(sql, params),
      // ... what belongs to its rows is read for all of them at once, and told of as what each row asked for.
      related: (sql, params) => this.#silent(sql, params),
      observer: this.#database.observer,
      sink: this.#sink,
    };
    return this.#noted(
      () => `paginate('${options.table}')`,
      () => paginate(options, parts),
    );
  }

  /** `work`, noted as a read of the render: that it failed, or had not ended when `load` returned, is known of the page. */
  #noted<T>(what: () => string, work: () => Promise<T>): Promise<T> {
    const end = this.#sink.reading?.(what);
    const working = work();
    // Also where the page has stopped waiting: a read that fails then must not end the process.
    working.then(
      () => end?.(),
      (error: unknown) => end?.(isReadFailure(error) ? error : undefined),
    );
    return working;
  }

  async #silent(sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> {
    const leavesNothing = (await this.#database.observer?.check?.(sql)) ?? false;
    return (await this.#database.run(sql, params, { watch: this.#watch, leavesNothing })).rows;
  }
}
