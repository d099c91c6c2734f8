import type { KeySink } from '../core/validity.ts';
import type { AbortWatch } from './abort.ts';
import type { Batches } from './batch.ts';
import type { Db, KeysetPage, OffsetPage, PaginateBase, Row, SqlValue } from './db.ts';
import { TooManyRowsError } from './errors.ts';
import type { Result, StatementObserver } from './observer.ts';
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
    options: { readonly watch: AbortWatch },
  ): Promise<Result<R>>;
}

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

  async query<R extends object = Row>(sql: string, params: readonly SqlValue[] = []): Promise<readonly R[]> {
    const result = await this.#database.run<R & Row>(sql, params, { watch: this.#watch });
    const { observer } = this.#database;
    if (observer !== undefined) await observer.onStatement(sql, params, result, this.#sink);
    return result.rows;
  }

  many<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly R[]> {
    return this.query<R>(sql, params);
  }

  async one<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<R | null> {
    const rows = await this.query<R>(sql, params);
    if (rows.length > 1) throw new TooManyRowsError(sql, rows.length);
    return rows[0] ?? null;
  }

  async byId<R extends object = Row>(
    table: string,
    id: string | number | bigint,
    columns?: readonly string[],
  ): Promise<R | null> {
    return (await this.#database.batches.load(table, id, columns, {
      sink: this.#sink,
      watch: this.#watch,
    })) as R | null;
  }

  paginate<R extends object = Row>(options: PaginateBase & { readonly page: number }): Promise<OffsetPage<R>>;
  paginate<R extends object = Row>(
    options: PaginateBase & { readonly after: string | null },
  ): Promise<KeysetPage<R>>;
  paginate(options: PaginateOptions): Promise<unknown> {
    return paginate(options, {
      tables: this.#database.tables,
      // The list goes the way of any statement, to the observer too ...
      list: (sql, params) => this.query(sql, params),
      // ... what belongs to its rows is read for all of them at once, and told of as what each row asked for.
      related: (sql, params) => this.#silent(sql, params),
      observer: this.#database.observer,
      sink: this.#sink,
    });
  }

  async #silent(sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> {
    return (await this.#database.run(sql, params, { watch: this.#watch })).rows;
  }
}
