// The pool of one worker, and how a statement runs on it.
//
// Life of a statement: a connection is taken (at most connectTimeoutMs) -> the statement runs under its
// prepared name -> the connection goes back. What may come in between:
//  - the render's signal aborts: the caller is told at once; the connection goes back when the server has
//    stopped the statement, or is closed when it does not
//  - a plan has gone stale: once more under a new name
//  - the connection breaks: reads run once more on another, because sessions cannot write (see #prepare)
import pg from 'pg';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { type Tracing, untraced } from '../core/trace.ts';
import type { Milliseconds } from '../core/units.ts';
import type { KeySink } from '../core/validity.ts';
import { AbortWatch } from './abort.ts';
import { Batches } from './batch.ts';
import type { Db, Row, SqlValue } from './db.ts';
import { excerpt, QueryAbortedError, QueryError, QueryTimeoutError } from './errors.ts';
import { connectFailure, isConnectionLoss, isSilence, isStalePlan, queryFailure } from './failures.ts';
import { IDENTITY_SQL, PoolIdentity, readIdentity } from './identity.ts';
import { abortable, Lease, stopped } from './lease.ts';
import { MAX_NAMES, StatementNames } from './names.ts';
import type { Result, StatementObserver } from './observer.ts';
import { poolSizeFor, type ServerLimits } from './pool-size.ts';
import { Session } from './session.ts';
import { SlowQueries, type SlowQuery } from './slow.ts';
import { spanOf } from './statement-span.ts';
import { StatementUsage } from './statement-usage.ts';
import { Tables } from './tables.ts';
import { Transaction } from './transaction.ts';
import { toParameter, typeParsers } from './values.ts';
import { type WritableDb, WritingSession } from './writing-session.ts';

export interface DatabaseOptions {
  readonly connectionString: string;
  readonly logger: Logger;
  readonly clock: Clock;
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
  readonly observer?: StatementObserver;
  readonly trace?: Tracing;
  readonly onSlowQuery?: (query: SlowQuery) => void;
  /** Every statement that ended, for the figures. */
  readonly onStatementEnd?: (durationMs: Milliseconds, failed: boolean) => void;
}

export interface SessionOptions {
  readonly signal: AbortSignal;
  readonly sink: KeySink;
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
  readonly #options: DatabaseOptions;
  readonly #trace: Tracing;
  readonly #pool: pg.Pool;
  readonly #connectTimeoutMs: Milliseconds;
  readonly #statementTimeoutMs: Milliseconds;
  readonly #names = new StatementNames();
  readonly #prepared = new WeakMap<pg.PoolClient, Set<string>>();
  #fitted = false;
  #saidUnknown = false;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#trace = options.trace ?? untraced;
    this.observer = options.observer;
    this.slow = new SlowQueries(options.slowQueryMs ?? 100);
    this.tables = new Tables(this, options.clock);
    this.batches = new Batches(
      this.tables,
      async (sql, params, watch) => (await this.run(sql, params, { watch })).rows,
      options.observer,
    );
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 2000;
    this.#statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
    this.#pool = new pg.Pool({
      connectionString: options.connectionString,
      max: options.max ?? 20,
      idleTimeoutMillis: options.idleTimeoutMs ?? 30_000,
      connectionTimeoutMillis: this.#connectTimeoutMs,
      // The server stops statements itself; this is for a server, or a network, that has gone silent.
      query_timeout: this.#statementTimeoutMs + SILENCE_MS,
      application_name: options.applicationName ?? 'coherent-render-server',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types: typeParsers,
      onConnect: (client) => this.#prepare(client),
    });
    // Without these listeners a connection that breaks would end the process.
    this.#pool.on('error', (error) =>
      options.logger.warn({ err: error }, 'an idle database connection broke'),
    );
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** Open connections, those of them without work, and statements that wait for one. */
  get counts(): {
    readonly max: number;
    readonly total: number;
    readonly idle: number;
    readonly waiting: number;
  } {
    const { totalCount, idleCount, waitingCount, options } = this.#pool;
    return { max: options.max, total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** The reads of one render. They stop when `signal` aborts, and add their keys to `sink`. */
  session({ signal, sink }: SessionOptions): Db {
    return new Session(this, new AbortWatch(signal), sink);
  }

  /** The reads and transactions of one action. They stop when `signal` aborts. */
  writingSession(signal: AbortSignal): WritableDb {
    return new WritingSession(this, signal);
  }

  /**
   * Runs `work` between BEGIN and COMMIT, with the right to write; rolls back when it throws. Nothing is tried
   * twice in here. Errors: those of `Db`, and whatever `work` throws.
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const watch = signal === undefined ? undefined : new AbortWatch(signal);
    const client = await this.#connect('BEGIN', watch);
    const lease = new Lease(client, true);
    const run = <R extends object>(sql: string, params: readonly SqlValue[] = []) =>
      this.#timed(sql, () =>
        this.#execute<R>(lease, { text: sql, values: params.map(toParameter) }, sql, watch),
      );
    try {
      await run('BEGIN READ WRITE');
      const value = await work(new Transaction(run));
      const { command } = await run('COMMIT');
      // After a failed statement Postgres answers COMMIT with ROLLBACK, and no error.
      if (command !== 'COMMIT')
        throw new QueryError('COMMIT', '25P02', 'a statement had failed: all was rolled back');
      return value;
    } catch (error) {
      if (lease.held) await client.query('ROLLBACK').catch(() => lease.drop());
      throw error;
    } finally {
      lease.release();
    }
  }

  /** One statement on any connection. `Session` is what pages use; this is for the server's own reads. */
  async run<R extends object = Row>(
    sql: string,
    params: readonly SqlValue[] = [],
    options: { readonly watch?: AbortWatch } = {},
  ): Promise<Result<R>> {
    const values = params.map(toParameter);
    return this.#timed(sql, async () => {
      try {
        return await this.#attempt<R>(sql, values, options.watch);
      } catch (error) {
        if (!(error instanceof ConnectionLost) || options.watch?.signal.aborted === true) throw reason(error);
      }
      // Sessions cannot write, so to run it a second time is safe, and most often it works: the server ended
      // this one connection, or has just come back and the others in the pool were from before.
      return await this.#attempt<R>(sql, values, options.watch).catch((error: unknown) => {
        throw reason(error);
      });
    });
  }

  /** Waits until statements in flight have ended and closes every connection. */
  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #attempt<R extends object>(
    sql: string,
    values: unknown[],
    watch: AbortWatch | undefined,
  ): Promise<Result<R>> {
    const lease = new Lease(await this.#connect(sql, watch), false);
    const name = this.#names.nameOf(sql);
    try {
      return await this.#execute<R>(lease, this.#named(lease.client, name, sql, values), sql, watch);
    } catch (error) {
      if (!(error instanceof StalePlan)) throw error;
      this.tables.forget();
      const renewed = this.#names.renew(sql, name);
      return await this.#execute<R>(lease, this.#named(lease.client, renewed, sql, values), sql, watch);
    } finally {
      const plans = this.#prepared.get(lease.client)?.size ?? 0;
      if (plans > MAX_NAMES) lease.drop();
      lease.release();
    }
  }

  #named(client: pg.PoolClient, name: string, text: string, values: unknown[]): pg.QueryConfig<unknown[]> {
    const names = this.#prepared.get(client) ?? new Set();
    this.#prepared.set(client, names.add(name));
    return { name, text, values };
  }

  async #execute<R extends object>(
    lease: Lease,
    query: pg.QueryConfig<unknown[]>,
    sql: string,
    watch: AbortWatch | undefined,
  ): Promise<Result<R>> {
    if (watch?.signal.aborted === true) throw new QueryAbortedError(sql, watch.signal.reason);
    const running: Promise<Result<R>> = lease.client.query(query);
    try {
      return await (watch === undefined ? running : abortable(running, watch, sql));
    } catch (error) {
      if (error instanceof QueryAbortedError) {
        lease.releaseAfter(stopped(lease.client, running));
        throw error;
      }
      if (isSilence(error)) {
        lease.drop();
        throw new QueryTimeoutError(sql, '57014', 'the server did not answer in time', error);
      }
      if (isConnectionLoss(error)) {
        lease.drop();
        throw new ConnectionLost(undefined, { cause: queryFailure(sql, error) });
      }
      if (isStalePlan(error)) throw new StalePlan(undefined, { cause: queryFailure(sql, error) });
      throw queryFailure(sql, error);
    }
  }

  async #connect(sql: string, watch: AbortWatch | undefined): Promise<pg.PoolClient> {
    if (watch?.signal.aborted === true) throw new QueryAbortedError(sql, watch.signal.reason);
    const { clock } = this.#options;
    const startedMs = clock.monotonic();
    const connecting = this.#pool.connect();
    try {
      const client = await (watch === undefined ? connecting : abortable(connecting, watch, sql));
      if (!this.identity.isElsewhere(client)) {
        this.usage.connected(clock.monotonic() - startedMs);
        return client;
      }
      client.release(true);
    } catch (error) {
      if (error instanceof QueryAbortedError) {
        // The pool cannot be told to forget us; what it hands out later goes straight back.
        connecting.then((client) => client.release()).catch(() => {});
        throw error;
      }
      throw connectFailure(error, this.#pool.options.max, this.#connectTimeoutMs);
    }
    return this.#connect(sql, watch);
  }

  /** Every new connection: what a statement may do and how values are written. One round trip, poolers allow it. */
  async #prepare(client: pg.ClientBase): Promise<void> {
    await client.query(
      `SET statement_timeout = ${Math.round(this.#statementTimeoutMs)}; ` +
        "SET default_transaction_read_only = on; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'",
    );
    await this.#identify(client);
    if (this.#fitted || this.#options.workers === undefined) return;
    const found = await client.query<ServerLimits & Row>(LIMITS);
    this.#fitted = true;
    const limits = found.rows[0];
    if (limits === undefined) return;
    const { max, note } = poolSizeFor(this.#options.workers, this.#pool.options.max, limits);
    this.#pool.options.max = max;
    if (note !== undefined) this.#options.logger.warn({ max }, note);
  }

  async #identify(client: pg.ClientBase): Promise<void> {
    try {
      const { rows } = await client.query<Row>(IDENTITY_SQL);
      this.identity.found(client, readIdentity(rows[0]));
    } catch (error) {
      if (isConnectionLoss(error) || isSilence(error)) throw error;
      if (this.identity.current !== undefined || !this.#saidUnknown)
        this.#options.logger.warn(
          { err: error },
          'which database this is cannot be asked, so nothing is trusted that was made of it: ' +
            'GRANT EXECUTE ON FUNCTION pg_control_system() TO the role of DATABASE_URL',
        );
      this.#saidUnknown = true;
      this.identity.found(client, undefined);
    }
  }

  #timed<R extends object>(sql: string, run: () => Promise<Result<R>>): Promise<Result<R>> {
    if (!this.#trace.isOn) return this.#counted(sql, run);
    return spanOf(this.#trace, sql, () => this.#counted(sql, run));
  }

  async #counted<R extends object>(sql: string, run: () => Promise<Result<R>>): Promise<Result<R>> {
    const { clock } = this.#options;
    const start = clock.monotonic();
    let failed = true;
    let rows = 0;
    try {
      const result = await run();
      failed = false;
      // Several statements in one text, as in schema.sql, have a list of results.
      rows = Array.isArray(result) ? 0 : result.rows.length;
      return result;
    } catch (error) {
      throw reason(error);
    } finally {
      const durationMs = clock.monotonic() - start;
      this.#options.onStatementEnd?.(durationMs, failed);
      const slow = this.slow.record(sql, durationMs, clock.now());
      this.usage.ended(sql, { durationMs, failed, rows, slow: slow !== undefined });
      if (slow !== undefined) {
        this.#options.logger.warn({ durationMs: Math.round(durationMs), text: excerpt(sql) }, 'slow query');
        this.#options.onSlowQuery?.(slow);
      }
    }
  }
}

const LIMITS = `
  SELECT current_setting('max_connections')::int AS "maxConnections",
         current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true), '0')::int AS "reserved",
         (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS "roleLimit",
         (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS "databaseLimit"`;

/** Inside this file only: the statement may be tried again. */
class ConnectionLost extends Error {}
class StalePlan extends Error {}

function reason(error: unknown): unknown {
  return error instanceof ConnectionLost || error instanceof StalePlan ? error.cause : error;
}
