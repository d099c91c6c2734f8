import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { KeyRecorder } from '../../core/validity.ts';
import type { Db, Row, SqlValue } from '../db.ts';
import { AbortWatch } from '../pool/abort.ts';
import type { Transaction } from '../transaction.ts';
import { ReadScope, type Runner } from './read-scope.ts';

/** Reads as in `load` (each statement by itself), and transactions, which may write. */
export interface WritableDb extends Db {
  /**
   * Runs `work` between BEGIN and COMMIT; rolls back when it throws. What it reads it reads through its own argument.
   * Nothing is tried twice. Errors: those of `Db`, and whatever `work` throws.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * The rows of a statement as they are read, some hundred at a time, from one snapshot: for exports that are larger than
   * memory. It holds a connection from the first row until the last, or until the loop is left. Errors: those of `Db`.
   *
   * @example for await (const order of db.stream<Order>('select * from orders')) ...
   */
  stream<R extends object = Row>(sql: string, params?: readonly SqlValue[]): AsyncIterable<R>;
}

/** What a write scope needs of the database; `Database` is one. */
export interface WritingRunner extends Runner {
  transaction<T>(work: (transaction: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** So many rows of a cursor are fetched at once. */
const CURSOR_ROWS = 500;

/** What an action reads ends in no cache. */
const NO_KEY_RECORDER: KeyRecorder = Object.freeze({ add: () => {}, untracked: () => {}, isDeaf: true });

/** The reads and writes of one action. */
export class WriteScope extends ReadScope implements WritableDb {
  readonly #database: WritingRunner;
  readonly #signal: AbortSignal;

  constructor(database: WritingRunner, signal: AbortSignal) {
    super(database, AbortWatch.of(signal), NO_KEY_RECORDER);
    this.#database = database;
    this.#signal = signal;
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#database.transaction(work, this.#signal);
  }

  async *stream<R extends object = Row>(sql: string, params: readonly SqlValue[] = []): AsyncGenerator<R> {
    const rows = new PassThrough({ objectMode: true, highWaterMark: CURSOR_ROWS });
    this.transaction((tx) => readInto(rows, tx, sql, params)).then(
      () => rows.end(),
      (error: unknown) => rows.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    try {
      yield* rows;
    } finally {
      rows.destroy();
    }
  }
}

/** Rejects where the reader has left: the transaction ends, and its connection is free. */
async function readInto(
  rows: PassThrough,
  tx: Transaction,
  sql: string,
  params: readonly SqlValue[],
): Promise<void> {
  await tx.execute('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  await tx.execute(`DECLARE coherent_stream NO SCROLL CURSOR FOR ${sql}`, params);
  for (;;) {
    const batch = await tx.query(`FETCH ${CURSOR_ROWS} FROM coherent_stream`);
    for (const row of batch) {
      if (rows.destroyed) throw new Error('The reader of the rows has left.');
      if (!rows.write(row)) await Promise.race([once(rows, 'drain'), once(rows, 'close')]);
    }
    if (batch.length < CURSOR_ROWS) return;
  }
}
