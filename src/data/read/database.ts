// What a worker reads and writes with, and how a statement runs.
//
// Life of a read: a connection is taken (at most connectTimeoutMs) -> the statement, between BEGIN READ ONLY and ROLLBACK
// unless it is known to leave nothing behind, in one round trip (connection.ts) -> the connection goes back. What may come in between:
//  - the render's signal aborts: the caller is told at once; the connection goes back when the server has
//    stopped the statement, or is closed when it does not
//  - it fails by a plan that was made before: once more by a new one
//  - the connection breaks or falls silent: once more on another, because reads cannot write; and as long as nothing
//    had begun for as long as the database may be away (outage.ts)
import { loadModule } from 'libpg-query';
import type pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import { DeadlineWheel } from '../../core/deadline-wheel.ts';
import { CoherentError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type Tracing, untraced } from '../../core/trace.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { KeySink } from '../../core/validity.ts';
import type { Db, Row, SqlValue } from '../db.ts';
import {
  DatabaseDownError,
  excerpt,
  NotLocalError,
  QueryAbortedError,
  QueryError,
  QueryTimeoutError,
} from '../errors.ts';
import type { Result, StatementObserver } from '../observer.ts';
import { AbortWatch, pause } from '../pool/abort.ts';
import { Break, type Connection, Silence } from '../pool/connection.ts';
import { abortable, ConnectionLease } from '../pool/connection-lease.ts';
import { isConnectionLoss, isSilence, mayBeStalePlan, queryFailure } from '../pool/failures.ts';
import { PoolIdentity } from '../pool/identity.ts';
import { Pool } from '../pool/pool.ts';
import { type LocalSettings, localSettings, type Pooler } from '../pool/session-settings.ts';
import { toParameter } from '../pool/values.ts';
import { leftBehind } from '../statement/session-state.ts';
import { Transaction } from '../transaction.ts';
import { Batches } from './batch.ts';
import { MAX_NAMES, PLAN_LIFE_MS, StatementNames } from './names.ts';
import { type Runner, Session } from './read-scope.ts';
import { SlowQueries, type SlowQuery } from './slow.ts';
import { spanOf } from './statement-span.ts';
import { StatementUsage } from './statement-usage.ts';
import { Tables } from './tables.ts';
import { type WritableDb, WritingSession } from './write-scope.ts';

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

export interface SessionOptions {
  readonly signal: AbortSignal;
  readonly sink: KeySink;
  /** Settings that hold for each statement's transaction and no longer, such as `app.user_id` for row-level security. */
  readonly local?: LocalSettings | undefined;
}

interface ReadOptions {
  readonly watch?: AbortWatch;
  /** No code but Postgres' own runs in it, so that its session is afterwards as it was. */
  readonly leavesNothing?: boolean;
  /** SQL that begins its transaction. */
  readonly local?: string;
}

/** So much longer than the server's own limit we wait for its answer before we call the connection dead. */
const SILENCE_MS: Milliseconds = 2000;

/** What ROLLBACK does not undo: locks of the session. */
const UNLOCK = '; SELECT pg_advisory_unlock_all()';

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
  readonly #pool: Pool;
  readonly #connectTimeoutMs: Milliseconds;
  readonly #answerWithinMs: Milliseconds;
  readonly #names: StatementNames;
  #schemaChangedAtMs: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(options: DatabaseOptions) {
    const { clock, logger, workers, statementTimeoutMs = 10_000, connectTimeoutMs = 2000 } = options;
    this.#options = options;
    this.#trace = options.trace ?? untraced;
    this.observer = options.observer;
    this.slow = new SlowQueries(options.slowQueryMs ?? 100);
    this.tables = new Tables(this, clock);
    this.batches = new Batches(
      this.tables,
      async (sql, params, watch) => {
        const checked = options.observer?.check?.(sql) ?? false;
        const leavesNothing = typeof checked === 'boolean' ? checked : await checked;
        return (await this.run(sql, params, { watch, leavesNothing })).rows;
      },
      options.observer,
    );
    this.#names = new StatementNames(clock);
    this.#connectTimeoutMs = connectTimeoutMs;
    // The server stops statements itself; this is for a server, or a network, that has gone silent.
    this.#answerWithinMs = statementTimeoutMs + SILENCE_MS;
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

  /** The reads of one render. They stop when `signal` aborts, and add their keys to `sink`. */
  session({ signal, sink, local }: SessionOptions): Db {
    const runner = local === undefined ? this : this.#withLocal(localSettings(local));
    return new Session(runner, AbortWatch.of(signal), sink);
  }

  /** The reads and transactions of one action. They stop when `signal` aborts. */
  writingSession(signal: AbortSignal): WritableDb {
    return new WritingSession(this, signal);
  }

  /** The schema has changed, or may have: nothing is read by what was known of it. */
  schemaChanged(): void {
    this.tables.forget();
    this.#names.renewAll();
    this.#schemaChangedAtMs = this.#options.clock.monotonic();
  }

  /**
   * Runs `work` between BEGIN and COMMIT, with the right to write; rolls back when it throws. Nothing is tried
   * twice in here. Errors: those of `Db`, and whatever `work` throws.
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const watch = signal === undefined ? undefined : AbortWatch.of(signal);
    const lease = await this.#begin(watch);
    const { client, kind } = lease.connection;
    const run = <R extends object>(sql: string, params: readonly SqlValue[] = []) =>
      this.#timed(sql, () =>
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
      // What it did to its session is undone before the next statement comes; nobody waits for that.
      if (lease.held && kind.reset !== '') lease.releaseAfter(this.#reset(lease.connection));
      else lease.release();
    }
  }

  /** One statement of the server's own outside of any transaction, such as VACUUM. */
  async command(sql: string, params: readonly SqlValue[] = []): Promise<void> {
    const lease = new ConnectionLease(await this.#connect(sql, undefined), false);
    try {
      const query = { text: sql, values: params.map(toParameter) };
      await this.#timed(sql, () => this.#execute(lease, query, sql, undefined));
    } finally {
      lease.release();
    }
  }

  /** One statement that reads. `Session` is what pages use; this is for the server's own reads, too. */
  async run<R extends object = Row>(
    sql: string,
    params: readonly SqlValue[] = [],
    options: ReadOptions = {},
  ): Promise<Result<R>> {
    const values = params.map(toParameter);
    return this.#timed(sql, async () => {
      let begun = 0;
      for (let attempt = 0; ; attempt++) {
        try {
          return await this.#attempt<R>(sql, values, options);
        } catch (error) {
          if (!(error instanceof Break || error instanceof Silence)) throw error;
          if (error.hasBegun && ++begun === 2) throw broken(error);
          // The first time it is most often this one connection: the server ended it, or has just come back.
          const waitMs = attempt === 0 ? 0 : this.#pool.outage.waitMs(attempt);
          if (waitMs === undefined) throw broken(error);
          if (waitMs > 0) await pause(this.#options.clock, waitMs, options.watch, sql);
        }
      }
    });
  }

  /** Waits until statements in flight have ended and closes every connection. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Reads under settings of their own. They share no statement with other renders, whose settings are others. */
  #withLocal(local: string): Runner {
    const run: Runner['run'] = (sql, params, { watch }) => this.run(sql, params, { watch, local });
    const read = async (sql: string, params: readonly SqlValue[], watch: AbortWatch) =>
      (await run(sql, params, { watch })).rows;
    const { tables, observer } = this;
    return { tables, observer, run, batches: new Batches(tables, read, observer) };
  }

  async #attempt<R extends object>(sql: string, values: unknown[], options: ReadOptions): Promise<Result<R>> {
    const connection = await this.#connect(sql, options.watch);
    const lease = new ConnectionLease(connection, false);
    const name = this.#names.nameOf(sql);
    const wasPlanned = connection.kind.isPrivate && connection.hasPlanned(name);
    try {
      if (this.#mayBeSpoiled(connection)) await this.#renew(lease);
      return await this.#read<R>(lease, { name, text: sql, values }, options);
    } catch (error) {
      if (!wasPlanned || !mayBeStalePlan(error)) throw error;
      this.tables.forget();
      return await this.#read<R>(lease, { name: this.#names.renew(sql, name), text: sql, values }, options);
    } finally {
      if (connection.planned > MAX_NAMES || connection.isSpoiled) lease.drop();
      lease.release();
    }
  }

  /** Its plain statements ran by what was known of a schema that has changed; or may have, without being told. */
  #mayBeSpoiled({ plainSinceMs }: Connection): boolean {
    if (plainSinceMs === undefined) return false;
    const nowMs = this.#options.clock.monotonic();
    return plainSinceMs <= this.#schemaChangedAtMs || nowMs - plainSinceMs >= PLAN_LIFE_MS;
  }

  async #renew(lease: ConnectionLease): Promise<void> {
    const sentAtMs = this.#options.clock.monotonic();
    try {
      await lease.connection.reset(this.#connectTimeoutMs / 2);
    } catch (error) {
      lease.drop();
      if (!isSilence(error)) throw new Break(false, error);
      this.#pool.distrust(sentAtMs);
      throw new Silence(false);
    }
  }

  /** Rejects with `Break` or `Silence`, E_QUERY_ABORTED, E_QUERY_TIMEOUT, or what Postgres said, as the driver has it. */
  async #read<R extends object>(
    lease: ConnectionLease,
    query: { readonly name: string; readonly text: string; readonly values: unknown[] },
    { watch, leavesNothing = false, local = '' }: ReadOptions,
  ): Promise<Result<R>> {
    const { connection } = lease;
    const { text: sql } = query;
    if (watch?.signal.aborted === true) throw new QueryAbortedError(sql, watch.signal.reason);
    // Half the time, so that those who wait for a connection get one in the place of a silent one. A pooler may have to wait itself.
    const silentAfterMs = this.#connectTimeoutMs / (connection.kind.isPrivate ? 2 : 1);
    const sentAtMs = this.#options.clock.monotonic();
    const limits = { silentAfterMs, answerWithinMs: this.#answerWithinMs };
    const running =
      leavesNothing && connection.kind.isPrivate
        ? connection.plain<R>(query, limits)
        : connection.undone<R>(query, limits, leavesNothing ? '' : UNLOCK, local);
    try {
      return await (watch === undefined ? running : abortable(running, watch, sql));
    } catch (error) {
      if (error instanceof QueryAbortedError) lease.abandon(running);
      else if (error instanceof Silence) {
        lease.drop();
        // Others of that moment may be as dead.
        this.#pool.distrust(sentAtMs);
        if (error.hasBegun) throw new QueryTimeoutError(sql, '57014', error.message, error);
      } else if (error instanceof Break) lease.drop();
      else if (isConnectionLoss(error)) {
        lease.drop();
        throw new Break(true, error);
      }
      throw error;
    }
  }

  /** A statement of a transaction. */
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
    return { query_timeout: this.#answerWithinMs, ...query };
  }

  /** A connection with a transaction begun on it: until then nothing has happened, and another will do. */
  async #begin(watch: AbortWatch | undefined): Promise<ConnectionLease> {
    for (let attempt = 0; ; attempt++) {
      const lease = new ConnectionLease(await this.#connect('BEGIN', watch), true);
      // For what is asked of each statement there: see assertLocal.
      if (!lease.connection.kind.isPrivate) await loadModule();
      const sentAtMs = this.#options.clock.monotonic();
      const text = `BEGIN READ WRITE${lease.connection.kind.settings}`;
      const query = { text, query_timeout: this.#connectTimeoutMs };
      try {
        await this.#timed('BEGIN', () => this.#execute(lease, query, 'BEGIN', watch));
        return lease;
      } catch (error) {
        lease.release();
        const isSilent = error instanceof QueryTimeoutError;
        if (isSilent) this.#pool.distrust(sentAtMs);
        if (!(isSilent || error instanceof DatabaseDownError)) throw error;
        const waitMs = attempt === 0 ? 0 : this.#pool.outage.waitMs(attempt);
        if (waitMs === undefined) throw error;
        if (waitMs > 0) await pause(this.#options.clock, waitMs, watch, 'BEGIN');
      }
    }
  }

  #reset(connection: Connection): Promise<boolean> {
    return connection.reset(this.#connectTimeoutMs).then(
      () => true,
      () => false,
    );
  }

  async #connect(sql: string, watch: AbortWatch | undefined): Promise<Connection> {
    const { clock } = this.#options;
    const startedMs = clock.monotonic();
    const connection = await this.#pool.connect(sql, watch);
    this.usage.connected(clock.monotonic() - startedMs);
    return connection;
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
      throw isOurs(error) ? error : queryFailure(sql, error);
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

/** As it is told to the page. */
function broken({ cause, hasBegun }: Break | Silence): Error {
  return new DatabaseDownError(
    cause ?? new Error(hasBegun ? 'it broke' : 'it took a connection and did not answer'),
  );
}

function isOurs(error: unknown): boolean {
  return error instanceof CoherentError;
}

function assertLocal(sql: string): void {
  const left = leftBehind(sql);
  if (left !== undefined) throw new NotLocalError(sql, left);
}
