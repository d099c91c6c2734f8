// What the driver threw, in this server's own errors.
import pg from 'pg';
import {
  BadCursorError,
  BadPageError,
  BadValueError,
  DatabaseBusyError,
  DatabaseDownError,
  type DatabaseUnavailableError,
  QueryError,
  QueryTimeoutError,
  ReadOnlyError,
  TooManyRowsError,
} from '../errors.ts';

const QUERY_CANCELED = '57014';
const READ_ONLY_TRANSACTION = '25006';
/** Not supported (a changed result), bad values, unknown statements, names and types, and look-ups in the catalog that fail. */
const STALE_PLAN_CLASSES = new Set(['0A', '22', '26', '42', 'XX']);
/** The server ends this session: told to by an administrator, or going down. */
const SESSION_ENDED = new Set(['57P01', '57P02', '57P03', '57P05']);
const TOO_MANY_CONNECTIONS = '53300';

/** The connection is no more; whether the statement ran is unknown. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!(error instanceof pg.DatabaseError)) {
    // The driver has no class or code for these, only words: "Connection terminated unexpectedly", "Client has
    // encountered a connection error and is not queryable". The rest are errors of a socket: ECONNRESET, EPIPE.
    const code: unknown = Reflect.get(error, 'code');
    return (
      /^(Connection|Client) /.test(error.message) || (typeof code === 'string' && /^E[A-Z]+$/.test(code))
    );
  }
  return error.code !== undefined && (SESSION_ENDED.has(error.code) || error.code.startsWith('08'));
}

/** A connection could not be made, and may be in a moment: no server listens (yet), or a server that starts or ends said so. */
export function isPassingConnectFailure(error: unknown): boolean {
  const one = error instanceof AggregateError ? error.errors[0] : error;
  if (one instanceof Error && one.message === 'Connection terminated due to connection timeout') return false;
  return isConnectionLoss(one);
}

/** The driver gave up waiting for an answer; the connection is of no use any more. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/**
 * Whether a statement that was planned before may fare better when it is planned anew: a plan keeps the types that its
 * parameters had, so after a change of a table it may refuse values, operators and results that are right now.
 */
export function mayBeStalePlan(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return false;
  return STALE_PLAN_CLASSES.has(error.code.slice(0, 2));
}

/**
 * Whether a read that was refused may go otherwise another time, so that what a page makes of it must not be kept. What
 * follows from the page's own inputs, or from the number of rows that were read, is a result like any other.
 */
export function isReadFailure(error: unknown): boolean {
  if (error instanceof BadCursorError) return error.cause instanceof QueryError;
  return !(error instanceof BadPageError || error instanceof TooManyRowsError);
}

/** An error of a statement. */
export function queryFailure(sql: string, error: unknown): Error {
  if (isConnectionLoss(error)) return new DatabaseDownError(error);
  if (!(error instanceof pg.DatabaseError)) return error instanceof Error ? error : new Error(String(error));
  const code = error.code ?? 'XX000';
  if (code === QUERY_CANCELED) return new QueryTimeoutError(sql, code, error.message, error);
  if (code === READ_ONLY_TRANSACTION) {
    return new ReadOnlyError(
      sql,
      code,
      `A page's load must not write (${error.message}); write in an action`,
      error,
    );
  }
  if (code.startsWith('22')) return new BadValueError(sql, code, error.message, error);
  return new QueryError(sql, code, error.message, error);
}

/** An error of getting a connection. */
export function connectFailure(error: unknown, max: number, timeoutMs: number): DatabaseUnavailableError {
  const message = error instanceof Error ? error.message : '';
  const full = error instanceof pg.DatabaseError && error.code === TOO_MANY_CONNECTIONS;
  if (full || message === 'timeout exceeded when trying to connect')
    return new DatabaseBusyError(max, timeoutMs, error);
  // A host with several addresses gives an AggregateError without a message of its own.
  if (error instanceof AggregateError && message === '')
    return new DatabaseDownError(error.errors[0] ?? error);
  return new DatabaseDownError(error);
}
