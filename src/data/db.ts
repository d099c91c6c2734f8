// What `load` is given to read with. The pool behind it is src/data/read/database.ts.

/** A value Postgres takes as a parameter. */
export type SqlValue = unknown;

export type Row = Record<string, unknown>;

/** One page of rows by number, with the total. */
export interface OffsetPage<R> {
  readonly rows: readonly R[];
  readonly page: number;
  readonly pageSize: number;
  readonly total: number;
  readonly pages: number;
}

/** One page of rows by cursor. `next` is what to pass as `after` for the following one; null at the end. */
export interface KeysetPage<R> {
  readonly rows: readonly R[];
  readonly next: string | null;
}

/** Rows of another table that belong to each row; read in one more batch, never one by one. */
export interface Include {
  /** The table to read from. */
  readonly table: string;
  /** Its columns that are asked for. */
  readonly columns: readonly string[];
  /** `one`: this table's `by` column names the related row's primary key. `many`: the related table's `by` column names this row. */
  readonly kind: 'one' | 'many';
  readonly by: string;
  /** For `many`: at most so many per row, in this order. */
  readonly limit?: number;
  readonly orderBy?: readonly OrderBy[];
}

export interface OrderBy {
  readonly column: string;
  readonly direction?: 'asc' | 'desc';
}

/** More than equality. Several in one hold together: `{ gte: from, lt: to }`. */
export interface Compared<T> {
  /** One of these. None: nothing matches. */
  readonly in?: readonly T[];
  /** Another value; null: any value. */
  readonly not?: T | null;
  readonly gt?: T;
  readonly gte?: T;
  readonly lt?: T;
  readonly lte?: T;
  /** A pattern of SQL, upper and lower case alike: `%` and `_` are wildcards. */
  readonly ilike?: string;
  /** Text that stands in it somewhere, upper and lower case alike. What a person typed goes here. */
  readonly contains?: string;
}

/** By column: its value, null for none, or a comparison. All of them must hold. Columns that the row shows are typed by it. */
export type Where<R extends object = Row> = {
  readonly [Column in keyof R]?: R[Column] | null | Compared<R[Column]>;
} & { readonly [column: string]: unknown };

export interface PaginateBase<R extends object = Row> {
  readonly table: string;
  readonly columns: readonly string[];
  readonly orderBy: readonly OrderBy[];
  /** What rows must be: `{ topic: 'sky', created_at: { gte: monday }, deleted_at: null }`. */
  readonly where?: Where<R>;
  /** At least one of these must hold, beside `where`. */
  readonly or?: readonly Where<R>[];
  readonly pageSize: number;
  readonly include?: Readonly<Record<string, Include>>;
}

/**
 * Reads of one render. Every statement is prepared once per connection and named by its text; every statement
 * stops, in the server too, when the render's signal aborts. Nothing here can write.
 *
 * Values: int8 (so `count(*)`) is a number, a bigint beyond 2^53; numeric and date are strings; timestamps are Dates
 * (those without a zone read as UTC); json is parsed. A Date as a parameter is sent as UTC.
 *
 * Errors: `E_DATABASE_DOWN`, `E_DATABASE_BUSY` (no connection now: both `DatabaseUnavailableError`), `E_QUERY` (Postgres
 * refused), `E_BAD_VALUE` (a parameter its type cannot hold), `E_READ_ONLY`, `E_QUERY_TIMEOUT`, `E_QUERY_ABORTED`.
 */
export interface Db {
  query<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly R[]>;
  /** The only row, or null. More than one row is an error (`E_TOO_MANY_ROWS`). */
  one<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<R | null>;
  many<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly R[]>;
  /**
   * Calls within one tick become one `= ANY($1)`. A missing row is null, and so is an id that the key's type
   * cannot hold ('abc' or 2^63 for an integer). `columns` default: all. Errors: `E_UNKNOWN_NAME`.
   */
  byId<R extends object = Row>(
    table: string,
    id: string | number | bigint,
    columns?: readonly string[],
  ): Promise<R | null>;
  /**
   * A list by page number with its total, or by cursor. Rows are put in a total order with the primary key.
   * Names are checked against the catalog (`E_UNKNOWN_NAME`). Errors: `E_BAD_PAGE`, `E_BAD_CURSOR`.
   */
  paginate<R extends object = Row>(
    options: PaginateBase<R> & { readonly page: number },
  ): Promise<OffsetPage<R>>;
  paginate<R extends object = Row>(
    options: PaginateBase<R> & { readonly after: string | null },
  ): Promise<KeysetPage<R>>;
}
