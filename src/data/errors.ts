import { CoherentError } from '../core/errors.ts';
import { shapeOf } from './statement-shape.ts';

/** The text of a statement as it may stand in a log: one line, at most 200 characters, no values. */
export function excerpt(sql: string): string {
  const line = shapeOf(sql.slice(0, 2000));
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}

/** There is no answer now, and may be one soon: what a page answers with 503 and Retry-After, or with a stale entry. */
export abstract class DatabaseUnavailableError extends CoherentError {}

/** No connection can be made, or one broke twice. The pool goes on trying by itself with every statement. */
export class DatabaseDownError extends DatabaseUnavailableError {
  readonly code = 'E_DATABASE_DOWN';

  constructor(cause: unknown) {
    const why = cause instanceof Error && cause.message !== '' ? cause.message : String(cause);
    super(
      `The database is not reachable (${why}). Check DATABASE_URL and that the server accepts connections.`,
      { cause },
    );
  }
}

/** All connections stayed busy for as long as a statement may wait for one. */
export class DatabaseBusyError extends DatabaseUnavailableError {
  readonly code = 'E_DATABASE_BUSY';

  constructor(max: number, waitedMs: number, cause?: unknown) {
    super(
      `All ${max} database connections were busy for ${waitedMs} ms. Look at the slow queries first; ` +
        'then raise the pool (DB_POOL_MAX), as far as the server allows.',
      { cause },
    );
  }
}

/** Postgres refused a statement. */
export class QueryError extends CoherentError {
  readonly code: `E_${string}` = 'E_QUERY';
  /** Postgres' own code, such as 42P01 (no such table). */
  readonly sqlState: string;

  constructor(sql: string, sqlState: string, why: string, cause?: unknown) {
    super(`${why} [${sqlState}] in: ${excerpt(sql)}`, { cause });
    this.sqlState = sqlState;
  }
}

/** A parameter that its type cannot hold ('abc' or 2^63 for an integer): usually a visitor's input, not a defect. */
export class BadValueError extends QueryError {
  override readonly code = 'E_BAD_VALUE';
}

/** Behind a pooler a statement of an action would change a session that other clients use next. */
export class NotLocalError extends CoherentError {
  readonly code = 'E_NOT_LOCAL';

  constructor(sql: string, why: string) {
    super(`Behind a connection pooler this statement is refused: it ${why}. Statement: ${excerpt(sql)}`);
  }
}

/** A page's `load` tried to write. Pages only read; writing belongs to an action. */
export class ReadOnlyError extends QueryError {
  override readonly code = 'E_READ_ONLY';
}

/** The statement ran longer than it may, and Postgres stopped it. */
export class QueryTimeoutError extends QueryError {
  override readonly code = 'E_QUERY_TIMEOUT';
}

/** The render's signal aborted; the statement was stopped in the server. */
export class QueryAbortedError extends CoherentError {
  readonly code = 'E_QUERY_ABORTED';

  constructor(sql: string, reason: unknown) {
    super(`The render was aborted while it waited for: ${excerpt(sql)}`, { cause: reason });
  }
}

export class TooManyRowsError extends CoherentError {
  readonly code = 'E_TOO_MANY_ROWS';

  constructor(sql: string, count: number) {
    super(`db.one() got ${count} rows; add a condition or LIMIT 1, or use db.many(): ${excerpt(sql)}`);
  }
}

/** `byId` or `paginate` was asked for a table or column that is not there, or for a table without the key it needs. */
export class UnknownNameError extends CoherentError {
  readonly code = 'E_UNKNOWN_NAME';
}

/** Options of `paginate` that no query can be made of. */
export class BadPageError extends CoherentError {
  readonly code = 'E_BAD_PAGE';
}

/** An `after` cursor that we did not make for this list. A visitor's input: answer 400, or start from the top. */
export class BadCursorError extends CoherentError {
  readonly code = 'E_BAD_CURSOR';

  constructor(why: string, cause?: unknown) {
    super(`The cursor is not one of this list (${why}). Start again without "after".`, { cause });
  }
}
