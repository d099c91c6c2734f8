import type pg from 'pg';
import type { KeyRecorder } from '../core/validity.ts';
import type { Row, SqlValue } from './db.ts';

/** What a statement gave. */
export interface Result<R extends object = Row> {
  readonly rows: R[];
  readonly rowCount: number | null;
  readonly command: string;
  readonly fields: readonly pg.FieldDef[];
}

/** As much of a result as tells what it was made from: rows by column name, and the columns in their order. */
export interface Observed {
  readonly rows: readonly object[];
  readonly fields: readonly { readonly name: string }[];
}

/**
 * Where the statement analyser hears of every read of a session and adds its keys. It runs before the rows
 * are handed out, so no render can end before its keys are known.
 */
export interface StatementObserver {
  /**
   * Before a statement of a page runs. True: it leaves nothing behind in its session, because no code but Postgres' own
   * runs in it. Errors: E_STATEMENT_REFUSED for one that writes, locks, or says that it changes its session.
   */
  check?(sql: string): boolean | Promise<boolean>;
  onStatement(
    sql: string,
    params: readonly SqlValue[],
    result: Observed,
    keyRecorder: KeyRecorder,
  ): void | Promise<void>;
}
