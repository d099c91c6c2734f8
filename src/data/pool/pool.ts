// The connections of one worker: opened as they are needed, looked at once when they are new, and not trusted any more when
// another of them has fallen silent.
import pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import type { DatabaseIdentity } from '../../core/database-identity.ts';
import type { DeadlineWheel } from '../../core/deadline-wheel.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { QueryAbortedError } from '../errors.ts';
import { type AbortWatch, pause } from './abort.ts';
import { Connection, type ConnectionKind } from './connection.ts';
import { abortable } from './connection-lease.ts';
import { connectFailure, isConnectionLoss, isPassingConnectFailure, isSilence } from './failures.ts';
import { IDENTITY_SQL, type PoolIdentity, readIdentity } from './identity.ts';
import { IdleConnections } from './idle-connections.ts';
import { Outage } from './outage.ts';
import { poolSizeFor, type ServerLimits } from './pool-size.ts';
import {
  asked,
  isNewConnectionPrivate,
  type Pooler,
  pooledSession,
  privateSession,
} from './session-settings.ts';
import { typeParsers } from './values.ts';

export interface PoolOptions {
  readonly connectionString: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly max: number;
  readonly workers?: number | undefined;
  readonly idleTimeoutMs: Milliseconds;
  readonly connectTimeoutMs: Milliseconds;
  readonly statementTimeoutMs: Milliseconds;
  readonly applicationName: string;
  readonly pooler: Pooler;
  /** Told by every new connection, and behind a pooler by every transaction, which server it reaches. */
  readonly identity: PoolIdentity;
}

export class Pool {
  readonly outage: Outage;
  readonly #options: PoolOptions;
  readonly #pool: pg.Pool;
  readonly #idle: IdleConnections;
  readonly #connections = new WeakMap<pg.ClientBase, Connection>();
  readonly #kinds = new WeakMap<pg.ClientBase, ConnectionKind>();
  /** Of the first connection; all others get the same: see session-settings.ts. */
  #searchPath: string | undefined;
  #toldOfPath: string | undefined;
  #fitted = false;
  #saidUnknown = false;
  #silentSinceMs: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.outage = new Outage(options.clock, options.connectTimeoutMs);
    this.#idle = new IdleConnections({ ...options, close: ({ client }) => client.release(true) });
    const config: pg.PoolConfig & { readonly pipeline: boolean } = {
      connectionString: options.connectionString,
      max: options.max,
      idleTimeoutMillis: options.idleTimeoutMs,
      connectionTimeoutMillis: options.connectTimeoutMs,
      application_name: options.applicationName,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types: typeParsers,
      pipeline: true,
      onConnect: (client) => this.#look(client),
    };
    this.#pool = new pg.Pool(config);
    // Without these listeners a connection that breaks would end the process.
    this.#pool.on('error', (error) =>
      options.logger.warn({ err: error }, 'an idle database connection broke'),
    );
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** Open connections, those of them without work, and statements that wait for one. */
  get counts() {
    const { totalCount, idleCount, waitingCount, options } = this.#pool;
    const idle = idleCount + this.#idle.size;
    return { max: options.max, total: totalCount, idle, waiting: waitingCount };
  }

  /** One that is free and good now; else `connect` waits for one, or opens it. */
  takeIdle(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.take();
      if (connection === undefined || this.#isGood(connection)) return connection;
      this.#discard(connection);
    }
  }

  /** Waits for one to be free or opened. Errors: E_DATABASE_DOWN, E_DATABASE_BUSY, E_QUERY_ABORTED. */
  async connect(sql: string, watch: AbortWatch | undefined): Promise<Connection> {
    for (let attempt = 0; ; attempt++) {
      if (watch?.signal.aborted === true) throw new QueryAbortedError(sql, watch.signal.reason);
      try {
        return await this.#take(sql, watch);
      } catch (error) {
        if (error instanceof QueryAbortedError) throw error;
        const waitMs = isPassingConnectFailure(error) ? this.outage.waitMs(attempt) : undefined;
        if (waitMs === undefined)
          throw connectFailure(error, this.counts.max, this.#options.connectTimeoutMs);
        await pause(this.#options.clock, waitMs, watch, sql);
      }
    }
  }

  /** One of them has fallen silent since then: those that were not heard later are closed instead of used. */
  distrust(sinceMs: Milliseconds): void {
    if (sinceMs > this.#silentSinceMs)
      this.#options.logger.warn(
        {},
        'a database connection has fallen silent; it and those that were not heard since are closed',
      );
    this.#silentSinceMs = Math.max(this.#silentSinceMs, sinceMs);
  }

  /** Waits until statements in flight have ended and closes every connection. */
  async close(): Promise<void> {
    if (this.#pool.ending) return;
    for (const { client } of this.#idle.drain()) client.release();
    await this.#pool.end();
  }

  async #take(sql: string, watch: AbortWatch | undefined): Promise<Connection> {
    for (;;) {
      const free = this.takeIdle();
      if (free !== undefined) return free;
      const connecting = this.#pool.connect();
      let client: pg.PoolClient;
      try {
        client = await (watch === undefined ? connecting : abortable(connecting, watch, sql));
      } catch (error) {
        // The pool cannot be told to forget us; what it hands out later goes straight back.
        if (error instanceof QueryAbortedError) connecting.then((late) => late.release()).catch(() => {});
        throw error;
      }
      const connection = this.#connectionOf(client);
      if (this.#isGood(connection)) return connection;
      this.#discard(connection);
    }
  }

  #isGood({ client, heardAtMs }: Connection): boolean {
    return heardAtMs > this.#silentSinceMs && !this.#options.identity.isElsewhere(client);
  }

  #discard(connection: Connection): void {
    connection.cut();
    connection.client.release(true);
  }

  /** Its work is done. Where others wait for one the driver's pool hands it on. */
  #giveBack(connection: Connection, isBroken: boolean): void {
    if (isBroken || connection.hasEnded || this.#pool.ending || this.#pool.waitingCount > 0)
      connection.client.release(isBroken);
    else this.#idle.add(connection);
  }

  #connectionEnded(connection: Connection, error: Error | undefined): void {
    if (!this.#idle.remove(connection)) return;
    this.#options.logger.warn({ err: error }, 'an idle database connection broke');
    connection.client.release(true);
  }

  #connectionOf(client: pg.PoolClient): Connection {
    const known = this.#connections.get(client);
    if (known !== undefined) return known;
    const kind = this.#kinds.get(client);
    if (kind === undefined) throw new Error('The pool handed out a connection that it had not looked at.');
    const connection = new Connection(client, kind, {
      clock: this.#options.clock,
      wheel: this.#options.wheel,
      giveBack: (own, isBroken) => this.#giveBack(own, isBroken),
      onEnd: (own, error) => this.#connectionEnded(own, error),
    });
    this.#connections.set(client, connection);
    this.outage.over();
    return connection;
  }

  /** Of every new connection: whose the process behind it is, and what its session shall be. */
  async #look(client: pg.ClientBase): Promise<void> {
    const { statementTimeoutMs, connectTimeoutMs, pooler, logger } = this.#options;
    const settings = { statementTimeoutMs, searchPath: this.#searchPath };
    const found = await isNewConnectionPrivate(client, pooler, settings, connectTimeoutMs);
    this.#searchPath ??= found.searchPath;
    if (found.searchPath !== this.#searchPath && found.searchPath !== this.#toldOfPath) {
      this.#toldOfPath = found.searchPath;
      logger.warn(
        { was: this.#searchPath, now: found.searchPath },
        'the search_path of the role or database has changed; this worker keeps to the one it began with. Reload the server',
      );
    }
    const server = await this.#identify(client);
    const made = { statementTimeoutMs, searchPath: this.#searchPath };
    const kind = found.isPrivate ? privateSession(made) : pooledSession(made, server?.serverStartedAt);
    this.#kinds.set(client, kind);
    if (found.isPrivate) await this.#fit(client);
  }

  async #identify(client: pg.ClientBase): Promise<DatabaseIdentity | undefined> {
    const { identity, logger, connectTimeoutMs } = this.#options;
    try {
      const [row] = await asked(client, { text: IDENTITY_SQL }, connectTimeoutMs);
      const found = readIdentity(row);
      identity.found(client, found);
      return found;
    } catch (error) {
      if (isConnectionLoss(error) || isSilence(error)) throw error;
      if (identity.current !== undefined || !this.#saidUnknown)
        logger.warn(
          { err: error },
          'which database this is cannot be asked, so nothing is trusted that was made of it: ' +
            'GRANT EXECUTE ON FUNCTION pg_control_system() TO the role of DATABASE_URL',
        );
      this.#saidUnknown = true;
      identity.found(client, undefined);
      return undefined;
    }
  }

  /** No more connections than the server allows all workers together. Behind a pooler its limits are not ours. */
  async #fit(client: pg.ClientBase): Promise<void> {
    const { workers, connectTimeoutMs, logger } = this.#options;
    if (this.#fitted || workers === undefined) return;
    const [limits] = await asked<ServerLimits & pg.QueryResultRow>(
      client,
      { text: LIMITS },
      connectTimeoutMs,
    );
    this.#fitted = true;
    if (limits === undefined) return;
    const { max, note } = poolSizeFor(workers, this.#pool.options.max, limits);
    this.#pool.options.max = max;
    if (note !== undefined) logger.warn({ max }, note);
  }
}

const LIMITS = `
  SELECT current_setting('max_connections')::int AS "maxConnections",
         current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true), '0')::int AS "reserved",
         (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS "roleLimit",
         (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS "databaseLimit"`;
