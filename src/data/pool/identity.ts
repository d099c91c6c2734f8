// Which database the statements of this process reach. An address does not say: a name is pointed elsewhere, a pooler is
// reconfigured, a standby takes over. So every new connection is asked; and where the statements of one connection may
// reach several servers (a pooler in transaction mode), every transaction.
//
//   unknown     nothing has answered yet, or the last connection could not say
//   known       what the newest connection said; listeners are told of every change
//
// What was read from another server than the current one must not be kept as if it were of this one, so a connection
// that belongs elsewhere is not used again (`isElsewhere`).
import { type DatabaseIdentity, serverName } from '../../core/database-identity.ts';

/** When this run of the server began. SQL. */
export const SERVER_STARTED_AT = '(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text';

/** One row, which `readIdentity` reads. Every role may ask it, unless the server's owner took the right away. */
export const IDENTITY_SQL = `
  SELECT (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier",
         (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS "databaseOid",
         (CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
           ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END)::text AS timeline,
         pg_is_in_recovery() AS "isStandby",
         ${SERVER_STARTED_AT} AS "serverStartedAt"`;

export function readIdentity(row: object | undefined): DatabaseIdentity {
  const { systemIdentifier, databaseOid, timeline, isStandby, serverStartedAt } = (row ?? {}) as Readonly<
    Record<string, unknown>
  >;
  return {
    systemIdentifier: String(systemIdentifier),
    databaseOid: Number(databaseOid),
    timeline: Number(timeline),
    isStandby: isStandby === true || isStandby === 't',
    serverStartedAt: String(serverStartedAt),
  };
}

/** Told of every change; `now` is undefined while it is unknown. */
export type IdentityListener = (
  now: DatabaseIdentity | undefined,
  before: DatabaseIdentity | undefined,
) => void;

/** Of the pool of one process. */
export class PoolIdentity {
  readonly #listeners = new Set<IdentityListener>();
  readonly #serverOf = new WeakMap<object, string>();
  #current: DatabaseIdentity | undefined;
  #currentServer: string | undefined;

  get current(): DatabaseIdentity | undefined {
    return this.#current;
  }

  /** Resolves as soon as it is known: at once where it is. Never rejects. */
  known(): Promise<DatabaseIdentity> {
    if (this.#current !== undefined) return Promise.resolve(this.#current);
    return new Promise((resolve) => {
      const stop = this.onChange((now) => {
        if (now === undefined) return;
        stop();
        resolve(now);
      });
    });
  }

  /** The answer stops listening. */
  onChange(listener: IdentityListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What a connection (or a transaction of it) said just now; undefined when it could not say. */
  found(connection: object, identity: DatabaseIdentity | undefined): void {
    const before = this.#current;
    if (identity === undefined) this.#serverOf.delete(connection);
    else this.#serverOf.set(connection, serverName(identity));
    if (identity && before && serverName(identity) === serverName(before)) return;
    if (identity === before) return;
    this.#current = identity;
    this.#currentServer = identity && serverName(identity);
    for (const listener of this.#listeners) listener(identity, before);
  }

  /** It reaches another server than the newest connection does. */
  isElsewhere(connection: object): boolean {
    const server = this.#serverOf.get(connection);
    return server !== undefined && this.#currentServer !== undefined && server !== this.#currentServer;
  }
}
