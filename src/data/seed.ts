// What an application's seed.ts is given. Run once, by the process that prepares the database (src/embedded/).
import type { Row, SqlValue } from './db.ts';

export interface SeedContext {
  /** Inserts in large batches and moves the progress bar; `total` is how many rows will come. */
  insert(
    table: string,
    columns: readonly string[],
    rows: Iterable<readonly SqlValue[]>,
    total: number,
  ): Promise<void>;
  query<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<readonly R[]>;
}

/** The default export of an application's seed.ts. Runs in one transaction: all of it is there, or nothing. */
export type Seed = (context: SeedContext) => Promise<void>;
