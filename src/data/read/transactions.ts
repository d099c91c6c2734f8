// Statements that may write: between BEGIN and COMMIT, on one connection. Until BEGIN was answered nothing has happened, and another
// connection will do; from then on nothing is tried twice.
import { loadModule } from 'libpg-query';
import type pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { SqlValue } from '../db.ts';
import {
  DatabaseDownError,
  NotLocalError,
  QueryAbortedError,
  QueryError,
  QueryTimeoutError,
} from '../errors.ts';
import type { Result } from '../observer.ts';
import { AbortWatch, pause } from '../pool/abort.ts';
import type { Connection } from '../pool/connection.ts';
import { abortable, ConnectionLease } from '../pool/connection-lease.ts';
import { isConnectionLoss, isSilence, queryFailure } from '../pool/failures.ts';
import type { Pool } from '../pool/pool.ts';
import { toParameter } from '../pool/values.ts';
import { leftBehind } from '../statement/session-state.ts';
import { Transaction } from '../transaction.ts';
import type { StatementAccount } from './statement-account.ts';

interface TransactionsOptions {
  readonly clock: Clock;
  readonly pool: Pool;
  readonly account: StatementAccount;
  readonly connectTimeoutMs: Milliseconds;
  /** The server stops statements itself; this is for a server, or a network, that has gone silent. */
  readonly answerWithinMs: Milliseconds;
}

export class Transactions {
  readonly #options: TransactionsOptions;

  constructor(options: TransactionsOptions) {
    this.#options = options;
  }

  /** See `Database.transaction`. */
  async run<T>(work: (transaction: Transaction) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const watch = signal === undefined ? undefined : AbortWatch.of(signal);
    const lease = await this.#begin(watch);
    const { client, kind } = lease.connection;
    const run = <R extends object>(sql: string, params: readonly SqlValue[] = []) =>
      this.#options.account.timed(sql, () =>
        this.#execute<R>(lease, { text: sql, values: params.map(toParameter) }, sql, watch),
      );
    try {
      const value = await work(new Transaction(run, kind.isPrivate ? undefined : assertLocal));
      const { command } = await run('COMMIT');
      // After a failed statement Postgres answers COMMIT with ROLLBACK, and no error.
      if (command !== 'COMMIT')
        throw new QueryError('COMMIT', '25P02', 'a statement had failed: all was rolled back');
      return value;
    } catch (error) {
      if (lease.held) await client.query(this.#limited({ text: 'ROLLBACK' })).catch(() => lease.drop());
      throw error;
    } finally {
      // What it did to its session is undone before the next statement comes; no statement waits for that.
      if (lease.held && kind.reset !== '') lease.releaseAfter(this.#reset(lease.connection));
      else lease.release();
    }
  }

  /** See `Database.command`. */
  async command(sql: string, params: readonly SqlValue[]): Promise<void> {
    const { account } = this.#options;
    const lease = new ConnectionLease(await this.#connect(sql, undefined), false);
    try {
      const query = { text: sql, values: params.map(toParameter) };
      await account.timed(sql, () => this.#execute(lease, query, sql, undefined));
    } finally {
      lease.release();
    }
  }

  async #execute<R extends object>(
    lease: ConnectionLease,
    query: pg.QueryConfig<unknown[]>,
    sql: string,
    watch: AbortWatch | undefined,
  ): Promise<Result<R>> {
    if (watch?.signal.aborted === true) throw new QueryAbortedError(sql, watch.signal.reason);
    const running: Promise<Result<R>> = lease.connection.client.query(this.#limited(query));
    try {
      return await (watch === undefined ? running : abortable(running, watch, sql));
    } catch (error) {
      if (error instanceof QueryAbortedError) {
        lease.abandon(running);
        throw error;
      }
      if (isSilence(error)) {
        lease.connection.cut();
        lease.drop();
        throw new QueryTimeoutError(sql, '57014', 'the server did not answer in time', error);
      }
      if (isConnectionLoss(error)) lease.drop();
      throw queryFailure(sql, error);
    }
  }

  #limited<Q extends pg.QueryConfig<unknown[]>>(query: Q): Q {
    return { query_timeout: this.#options.answerWithinMs, ...query };
  }

  /** A connection with a transaction begun on it. */
  async #begin(watch: AbortWatch | undefined): Promise<ConnectionLease> {
    const { clock, pool, account, connectTimeoutMs } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const lease = new ConnectionLease(await this.#connect('BEGIN', watch), true);
      // For what is asked of each statement there: see assertLocal.
      if (!lease.connection.kind.isPrivate) await loadModule();
      const sentAtMs = clock.monotonic();
      const text = `BEGIN READ WRITE${lease.connection.kind.settings}`;
      const query = { text, query_timeout: connectTimeoutMs };
      try {
        await account.timed('BEGIN', () => this.#execute(lease, query, 'BEGIN', watch));
        return lease;
      } catch (error) {
        lease.release();
        const isSilent = error instanceof QueryTimeoutError;
        if (isSilent) pool.distrust(sentAtMs);
        if (!(isSilent || error instanceof DatabaseDownError)) throw error;
        const waitMs = attempt === 0 ? 0 : pool.outage.waitMs(attempt);
        if (waitMs === undefined) throw error;
        if (waitMs > 0) await pause(clock, waitMs, watch, 'BEGIN');
      }
    }
  }

  async #connect(sql: string, watch: AbortWatch | undefined): Promise<Connection> {
    const { clock, pool, account } = this.#options;
    const startedMs = clock.monotonic();
    const connection = await pool.connect(sql, watch);
    account.connected(clock.monotonic() - startedMs);
    return connection;
  }

  #reset(connection: Connection): Promise<boolean> {
    return connection.reset(this.#options.connectTimeoutMs).then(
      () => true,
      () => false,
    );
  }
}

function assertLocal(sql: string): void {
  const left = leftBehind(sql);
  if (left !== undefined) throw new NotLocalError(sql, left);
}
