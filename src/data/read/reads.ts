// How a statement that reads runs.
//
// Life of a read: a connection is taken (at most connectTimeoutMs) -> the statement, between BEGIN READ ONLY and ROLLBACK
// unless it is known to leave nothing behind, in one round trip (connection.ts) -> the connection goes back. What may come in between:
//  - the render's signal aborts: the caller is told at once; the connection goes back when the server has
//    stopped the statement, or is closed when it does not
//  - it fails by a plan that was made before: once more by a new one
//  - the connection breaks or falls silent: once more on another, because reads cannot write; and as long as nothing
//    had begun for as long as the database may be away (outage.ts)
//
// Nearly every read finds a connection free and leaves nothing behind: it is one promise and no timer (`#direct`). Where it does not
// succeed it goes on as the others do.
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { SqlValue } from '../db.ts';
import { DatabaseDownError, QueryAbortedError, QueryTimeoutError } from '../errors.ts';
import type { Result } from '../observer.ts';
import { type AbortWatch, pause } from '../pool/abort.ts';
import { Break, type Connection, type ReadLimits, Silence } from '../pool/connection.ts';
import { abortable, ConnectionLease } from '../pool/connection-lease.ts';
import { isConnectionLoss, isSilence, mayBeStalePlan } from '../pool/failures.ts';
import type { ReadQuery } from '../pool/plain-query.ts';
import type { Pool } from '../pool/pool.ts';
import { toParameter } from '../pool/values.ts';
import { MAX_NAMES, PLAN_LIFE_MS, StatementNames } from './names.ts';
import type { StatementAccount } from './statement-account.ts';

export interface ReadOptions {
  readonly watch?: AbortWatch;
  /** No code but Postgres' own runs in it, so that its session is afterwards as it was. */
  readonly leavesNothing?: boolean;
  /** SQL that begins its transaction. */
  readonly local?: string;
}

interface ReadsOptions {
  readonly clock: Clock;
  readonly pool: Pool;
  readonly account: StatementAccount;
  readonly connectTimeoutMs: Milliseconds;
  /** The server stops statements itself; this is for a server, or a network, that has gone silent. */
  readonly answerWithinMs: Milliseconds;
  /** What is known of tables may be old: a plan was. */
  readonly onStalePlan: () => void;
}

/** What ROLLBACK does not undo: locks of the session. */
const UNLOCK = '; SELECT pg_advisory_unlock_all()';

export class Reads {
  readonly #options: ReadsOptions;
  readonly #names: StatementNames;
  readonly #privateLimits: ReadLimits;
  readonly #pooledLimits: ReadLimits;
  #schemaChangedAtMs: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(options: ReadsOptions) {
    const { connectTimeoutMs, answerWithinMs, clock } = options;
    this.#options = options;
    this.#names = new StatementNames(clock);
    // Half the time, so that those who wait for a connection get one in the place of a silent one. A pooler may have to wait itself.
    this.#privateLimits = { silentAfterMs: connectTimeoutMs / 2, answerWithinMs };
    this.#pooledLimits = { silentAfterMs: connectTimeoutMs, answerWithinMs };
  }

  /** The schema has changed, or may have: every statement is planned anew. */
  schemaChanged(): void {
    this.#names.renewAll();
    this.#schemaChangedAtMs = this.#options.clock.monotonic();
  }

  run<R extends object>(sql: string, params: readonly SqlValue[], options: ReadOptions): Promise<Result<R>> {
    const { account, clock } = this.#options;
    const startedMs = clock.monotonic();
    let values: ReadQuery['values'];
    try {
      values = params.map(toParameter);
    } catch (error) {
      return account.timed(sql, () => Promise.reject(error), startedMs);
    }
    const query = { name: this.#names.nameOf(sql, startedMs), text: sql, values };
    if (options.leavesNothing === true && !account.isTraced && options.watch?.signal.aborted !== true) {
      const connection = this.#options.pool.takeIdle();
      if (connection?.kind.isPrivate === true && !this.#mayBeSpoiled(connection, startedMs)) {
        account.connected(0);
        return this.#direct(connection, query, startedMs, options);
      }
      connection?.giveBack(false);
    }
    return account.timed(sql, () => this.#persist(query, options, () => this.#attempt(query, options)));
  }

  /** On a connection that was free. */
  #direct<R extends object>(
    connection: Connection,
    query: ReadQuery,
    startedMs: Milliseconds,
    options: ReadOptions,
  ): Promise<Result<R>> {
    const { account } = this.#options;
    const wasPlanned = connection.hasPlanned(query.name);
    return new Promise((resolve, reject) => {
      let over: PromiseWithEnd | undefined;
      const unwatch = options.watch?.watch((reason) => {
        over = promiseWithEnd();
        new ConnectionLease(connection, false).abandon(over.promise);
        account.ended(query.text, startedMs, true, 0);
        reject(new QueryAbortedError(query.text, reason));
      });
      connection.plain(query, this.#privateLimits, (error, result) => {
        unwatch?.();
        if (over !== undefined) over.end(error);
        else if (result !== undefined) {
          connection.giveBack(isWornOut(connection));
          account.ended(query.text, startedMs, false, result.rows.length);
          resolve(result as Result<R>);
        } else {
          const lease = new ConnectionLease(connection, false);
          const failed = () => Promise.reject(this.#failureOf(lease, query, startedMs, error));
          const first = () => this.#finish<R>(lease, query, wasPlanned, options, failed);
          resolve(account.timed(query.text, () => this.#persist(query, options, first), startedMs));
        }
      });
    });
  }

  /** Again and again, while that makes sense. */
  async #persist<R extends object>(
    query: ReadQuery,
    options: ReadOptions,
    first: () => Promise<Result<R>>,
  ): Promise<Result<R>> {
    const { clock, pool } = this.#options;
    let begun = 0;
    for (let attempt = 0; ; attempt++) {
      try {
        return await (attempt === 0 ? first() : this.#attempt<R>(query, options));
      } catch (error) {
        if (!(error instanceof Break || error instanceof Silence)) throw error;
        if (error.hasBegun && ++begun === 2) throw broken(error);
        // The first time it is most often this one connection: the server ended it, or has just come back.
        const waitMs = attempt === 0 ? 0 : pool.outage.waitMs(attempt);
        if (waitMs === undefined) throw broken(error);
        if (waitMs > 0) await pause(clock, waitMs, options.watch, query.text);
      }
    }
  }

  async #attempt<R extends object>(given: ReadQuery, options: ReadOptions): Promise<Result<R>> {
    const { clock, pool, account } = this.#options;
    const startedMs = clock.monotonic();
    const connection = await pool.connect(given.text, options.watch);
    const nowMs = clock.monotonic();
    account.connected(nowMs - startedMs);
    const lease = new ConnectionLease(connection, false);
    // The schema may have changed while it waited.
    const query = { ...given, name: this.#names.nameOf(given.text, nowMs) };
    const wasPlanned = connection.kind.isPrivate && connection.hasPlanned(query.name);
    return this.#finish(lease, query, wasPlanned, options, async () => {
      if (this.#mayBeSpoiled(connection, nowMs)) await this.#renew(lease);
      return await this.#read<R>(lease, query, options);
    });
  }

  /** What `reading` gives, or the same statement planned anew; the connection goes back. */
  async #finish<R extends object>(
    lease: ConnectionLease,
    query: ReadQuery,
    wasPlanned: boolean,
    options: ReadOptions,
    reading: () => Promise<Result<R>>,
  ): Promise<Result<R>> {
    try {
      return await reading();
    } catch (error) {
      if (!wasPlanned || !mayBeStalePlan(error)) throw error;
      this.#options.onStalePlan();
      const name = this.#names.renew(query.text, query.name, this.#options.clock.monotonic());
      return await this.#read<R>(lease, { ...query, name }, options);
    } finally {
      if (isWornOut(lease.connection)) lease.drop();
      lease.release();
    }
  }

  /** Its plain statements ran by what was known of a schema that has changed; or may have, without being told. */
  #mayBeSpoiled({ plainSinceMs }: Connection, nowMs: Milliseconds): boolean {
    if (plainSinceMs === undefined) return false;
    return plainSinceMs <= this.#schemaChangedAtMs || nowMs - plainSinceMs >= PLAN_LIFE_MS;
  }

  async #renew(lease: ConnectionLease): Promise<void> {
    const { clock, pool, connectTimeoutMs } = this.#options;
    const sentAtMs = clock.monotonic();
    try {
      await lease.connection.reset(connectTimeoutMs / 2);
    } catch (error) {
      lease.drop();
      if (!isSilence(error)) throw new Break(false, error);
      pool.distrust(sentAtMs);
      throw new Silence(false);
    }
  }

  /** Rejects with `Break` or `Silence`, E_QUERY_ABORTED, E_QUERY_TIMEOUT, or what Postgres said, as the driver has it. */
  async #read<R extends object>(
    lease: ConnectionLease,
    query: ReadQuery,
    { watch, leavesNothing = false, local = '' }: ReadOptions,
  ): Promise<Result<R>> {
    const { connection } = lease;
    const { text: sql } = query;
    if (watch?.signal.aborted === true) throw new QueryAbortedError(sql, watch.signal.reason);
    const sentAtMs = this.#options.clock.monotonic();
    const limits = connection.kind.isPrivate ? this.#privateLimits : this.#pooledLimits;
    const running =
      leavesNothing && connection.kind.isPrivate
        ? plain<R>(connection, query, limits)
        : connection.undone<R>(query, limits, leavesNothing ? '' : UNLOCK, local);
    try {
      return await (watch === undefined ? running : abortable(running, watch, sql));
    } catch (error) {
      if (error instanceof QueryAbortedError) lease.abandon(running);
      throw this.#failureOf(lease, query, sentAtMs, error);
    }
  }

  /** As it is told further up. A connection that is of no use any more is dropped. */
  #failureOf(
    lease: ConnectionLease,
    { text: sql }: ReadQuery,
    sentAtMs: Milliseconds,
    error: unknown,
  ): unknown {
    if (error instanceof Silence) {
      lease.drop();
      // Others of that moment may be as dead.
      this.#options.pool.distrust(sentAtMs);
      return error.hasBegun ? new QueryTimeoutError(sql, '57014', error.message, error) : error;
    }
    if (!(error instanceof Break || isConnectionLoss(error))) return error;
    lease.drop();
    return error instanceof Break ? error : new Break(true, error);
  }
}

function plain<R extends object>(
  connection: Connection,
  query: ReadQuery,
  limits: ReadLimits,
): Promise<Result<R>> {
  return new Promise((resolve, reject) => {
    connection.plain(query, limits, (error, result) => {
      if (result === undefined) reject(error);
      else resolve(result as Result<R>);
    });
  });
}

/** It holds as many plans as one may, or a statement has changed its session. */
function isWornOut(connection: Connection): boolean {
  return connection.planned > MAX_NAMES || connection.isSpoiled;
}

/** As it is told to the page. */
function broken({ cause, hasBegun }: Break | Silence): Error {
  return new DatabaseDownError(
    cause ?? new Error(hasBegun ? 'it broke' : 'it took a connection and did not answer'),
  );
}

interface PromiseWithEnd {
  readonly promise: Promise<void>;
  readonly end: (error: Error | null) => void;
}

function promiseWithEnd(): PromiseWithEnd {
  let end: (error: Error | null) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    end = (error) => (error === null ? resolve() : reject(error));
  });
  return { promise, end };
}
