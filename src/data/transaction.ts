import type { Row, SqlValue } from './db.ts';
import { TooManyRowsError } from './errors.ts';

type Run = <R extends object>(
  sql: string,
  params?: readonly SqlValue[],
) => Promise<{ rows: R[]; rowCount: number | null }>;

/** Statements between BEGIN and COMMIT. Not prepared by name: a stale plan could not be tried again in here. */
export class Transaction {
  readonly #run: Run;
  readonly #assert: ((sql: string) => void) | undefined;

  /** `assert` throws for statements that may not run in it. */
  constructor(run: Run, assert?: (sql: string) => void) {
    this.#run = run;
    this.#assert = assert;
  }

  async query<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly R[]> {
    this.#assert?.(sql);
    return (await this.#run<R>(sql, params)).rows;
  }

  async one<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<R | null> {
    const rows = await this.query<R>(sql, params);
    if (rows.length > 1) throw new TooManyRowsError(sql, rows.length);
    return rows[0] ?? null;
  }

  /** How many rows a statement touched. */
  async execute(sql: string, params?: readonly SqlValue[]): Promise<number> {
    this.#assert?.(sql);
    return (await this.#run(sql, params)).rowCount ?? 0;
  }
}
