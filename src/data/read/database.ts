// What a worker reads and writes with: a pool of connections, and the two ways over them. reads.ts tells how a statement that reads
// runs, transactions.ts how those run that may write.
import type { Clock } from '../../core/clock.ts';
import { DeadlineWheel } from '../../core/deadline-wheel.ts';
import type { Logger } from '../../core/log.ts';
import { type Tracing, untraced } from '../../core/trace.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { KeyRecorder } from '../../core/validity.ts';
import type { Db, Row, SqlValue } from '../db.ts';
import type { Result, StatementObserver } from '../observer.ts';
import { AbortWatch } from '../pool/abort.ts';
import { PoolIdentity } from '../pool/identity.ts';
import { Pool } from '../pool/pool.ts';
import { type LocalSettings, localSettings, type Pooler } from '../pool/session-settings.ts';
import type { Transaction } from '../transaction.ts';
import { Batches } from './batch.ts';
import { ReadScope, type Runner } from './read-scope.ts';
import { type ReadOptions, Reads } from './reads.ts';
import { SlowQueries, type SlowQuery } from './slow.ts';
import { StatementAccount } from './statement-account.ts';
import { StatementUsage } from './statement-usage.ts';
import { Tables } from './tables.ts';
import { Transactions } from './transactions.ts';
import { type WritableDb, WriteScope } from './write-scope.ts';

export interface DatabaseOptions {
  readonly connectionString: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Of the process; by default one of its own. */
  readonly wheel?: DeadlineWheel;
  /** Connections of this worker at most. Default 20; fewer if the server does not allow it (see `workers`). */
  readonly max?: number;
  /** How many workers share the server; with it `max` is checked against the server's limits. */
  readonly workers?: number;
  readonly idleTimeoutMs?: Milliseconds;
  /** How long to wait for a connection, whether one must be opened or become free. Default 2 s. */
  readonly connectTimeoutMs?: Milliseconds;
  /** Postgres stops a statement after this. Default 10 s. */
  readonly statementTimeoutMs?: Milliseconds;
  readonly slowQueryMs?: Milliseconds;
  readonly applicationName?: string;
  /** Whether a pooler stands before the database. Default: found out. */
  readonly pooler?: Pooler;
  readonly observer?: StatementObserver;
  readonly trace?: Tracing;
  readonly onSlowQuery?: (query: SlowQuery) => void;
  /** Every statement that ended, for the figures. */
  readonly onStatementEnd?: (durationMs: Milliseconds, failed: boolean) => void;
}

export interface ReadScopeOptions {
  readonly signal: AbortSignal;
  readonly keyRecorder: KeyRecorder;
  /** Settings that hold for each statement's transaction and no longer, such as `app.user_id` for row-level security. */
  readonly local?: LocalSettings | undefined;
}

/** So much longer than the server's own limit we wait for its answer before we call the connection dead. */
const SILENCE_MS: Milliseconds = 2000;

export class Database {
  readonly slow: SlowQueries;
  readonly usage = new StatementUsage();
  /** Which database the statements reach. */
  readonly identity = new PoolIdentity();
  readonly tables: Tables;
  readonly observer: StatementObserver | undefined;
  /** The byId calls of all sessions. */
  readonly batches: Batches;
  readonly #pool: Pool;
  readonly #reads: Reads;
  readonly #transactions: Transactions;

  constructor(options: DatabaseOptions) {
    const { clock, logger, workers, statementTimeoutMs = 10_000, connectTimeoutMs = 2000 } = options;
    this.observer = options.observer;
    this.slow = new SlowQueries(options.slowQueryMs ?? 100);
    this.tables = new Tables(this, clock);
    this.batches = new Batches(
      this.tables,
      (sql, params, watch) => this.read(sql, params, watch).then(({ rows }) => rows),
      options.observer,
    );
    this.#pool = new Pool({
      identity: this.identity,
      connectionString: options.connectionString,
      logger,
      clock,
      wheel: options.wheel ?? new DeadlineWheel(clock),
      max: options.max ?? 20,
      workers,
      idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
      connectTimeoutMs,
      statementTimeoutMs,
      applicationName: options.applicationName ?? 'coherent-render-server',
      pooler: options.pooler ?? 'auto',
    });
    const account = new StatementAccount({
      clock,
      logger,
      trace: options.trace ?? untraced,
      usage: this.usage,
      slow: this.slow,
      onSlowQuery: options.onSlowQuery,
      onStatementEnd: options.onStatementEnd,
    });
    const ways = {
      clock,
      pool: this.#pool,
      account,
      connectTimeoutMs,
      answerWithinMs: statementTimeoutMs + SILENCE_MS,
    };
    this.#reads = new Reads({ ...ways, onStalePlan: () => this.tables.forget() });
    this.#transactions = new Transactions(ways);
  }

  /** Open connections, those of them without work, and statements that wait for one. */
  get counts(): {
    readonly max: number;
    readonly total: number;
    readonly idle: number;
    readonly waiting: number;
  } {
    return this.#pool.counts;
  }

  /** The reads of one render. They stop when `signal` aborts, and add their keys to `key recorder`. */
  readScope({ signal, keyRecorder, local }: ReadScopeOptions): Db {
    const runner = local === undefined ? this : this.#withLocal(localSettings(local));
    return new ReadScope(runner, AbortWatch.of(signal), keyRecorder);
  }

  /** The reads and transactions of one action. They stop when `signal` aborts. */
  writeScope(signal: AbortSignal): WritableDb {
    return new WriteScope(this, signal);
  }

  /** The schema has changed, or may have: nothing is read by what was known of it. */
  schemaChanged(): void {
    this.tables.forget();
    this.#reads.schemaChanged();
  }

  /**
   * Runs `work` between BEGIN and COMMIT, with the right to write; rolls back when it throws. Nothing is tried
   * twice in here. Errors: those of `Db`, and whatever `work` throws.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#transactions.run(work, signal);
  }

  /** One statement of the server's own outside of any transaction, such as VACUUM. */
  command(sql: string, params: readonly SqlValue[] = []): Promise<void> {
    return this.#transactions.command(sql, params);
  }

  /** One statement of a page: the observer looks at it before it runs. */
  read<R extends object = Row>(
    sql: string,
    params: readonly SqlValue[],
    watch: AbortWatch,
  ): Promise<Result<R>> {
    return this.#checked(sql, (leavesNothing) => this.run<R>(sql, params, { watch, leavesNothing }));
  }

  /** Runs it once the observer has looked at it. */
  #checked<T>(sql: string, run: (leavesNothing: boolean) => Promise<T>): Promise<T> {
    try {
      const checked = this.observer?.check?.(sql) ?? false;
      return typeof checked === 'boolean' ? run(checked) : checked.then(run);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Reads under settings of their own. They share no statement with other renders, whose settings are others. */
  #withLocal(local: string): Runner {
    const { tables, observer } = this;
    const read: Runner['read'] = (sql, params, watch) =>
      this.#checked(sql, () => this.run(sql, params, { watch, local }));
    const batches = new Batches(
      tables,
      (sql, params, watch) => read(sql, params, watch).then(({ rows }) => rows),
      observer,
    );
    return { tables, observer, read, batches };
  }

  /** One statement that reads, of the server's own, or one that was looked at. */
  run<R extends object = Row>(
    sql: string,
    params: readonly SqlValue[] = [],
    options: ReadOptions = {},
  ): Promise<Result<R>> {
    return this.#reads.run<R>(sql, params, options);
  }

  /** Waits until statements in flight have ended and closes every connection. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}
