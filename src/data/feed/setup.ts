// Brings a database to the point where its log can be read: the wal level, what install-sql.ts describes, the slot.
// Every step finds out whether it has been done, since several feeds of a fleet start at once.
import pg from 'pg';
import { LOCK_TIMEOUT_MS, type SqlConnection } from './connections.ts';
import { FeedPlacesError, FeedPoolerError, FeedRightsError, ReplicaError, WalLevelError } from './errors.ts';
import {
  eventTriggerSql,
  INSTALLED_VERSION,
  installSql,
  PUBLICATION,
  publishesAll,
  TRACKED_PUBLICATION,
} from './install-sql.ts';

/** Any number that no other program uses: installing is done by one at a time. */
const INSTALL_LOCK = 0x636f_6865;

export const NO_RIGHTS = '42501';
const NOT_PERMITTED = new Set(['28000', '28P01']);
const PROTOCOL_VIOLATION = '08P01';
const NO_PLACE = '53400';
const NO_SENDER = '53300';
const EXISTS_ALREADY = '42710';

export interface Installed {
  /** Changed definitions are told in the log; otherwise they have to be looked for. */
  readonly tellsDefinitions: boolean;
}

/** Errors: E_FEED_WAL_LEVEL, E_FEED_RIGHTS. */
export async function install(sql: SqlConnection): Promise<Installed> {
  const { rows } = await sql.query<{ level: string; replica: boolean }>(
    `SELECT current_setting('wal_level') AS level, pg_is_in_recovery() AS replica`,
  );
  if (rows[0]?.replica === true) throw new ReplicaError();
  const level = rows[0]?.level ?? 'unknown';
  if (level !== 'logical') throw new WalLevelError(level);
  let state = await look(sql);
  if (!state.complete) {
    await installNow(sql);
    state = await look(sql);
  }
  if (!state.triggers) {
    // Where we may not, the catalog is compared instead.
    const made = await inOneTransaction(sql, eventTriggerSql).then(
      () => true,
      (error: unknown) => {
        if (sqlState(error) === NO_RIGHTS) return false;
        throw error;
      },
    );
    return { tellsDefinitions: made };
  }
  return { tellsDefinitions: true };
}

interface State {
  readonly complete: boolean;
  readonly triggers: boolean;
}

async function look(sql: SqlConnection): Promise<State> {
  const { rows } = await sql.query<State>(
    `SELECT (SELECT count(*) FROM pg_publication WHERE (pubname = $1 AND ${publishesAll}) OR pubname = $2) = 2
       AND coalesce(obj_description(to_regnamespace('coherent'), 'pg_namespace') = $3, false) AS complete,
       (SELECT count(*) FROM pg_event_trigger
        WHERE evtname IN ('coherent_definitions', 'coherent_drops', 'coherent_before') AND evtenabled = 'A') = 3 AS triggers`,
    [PUBLICATION, TRACKED_PUBLICATION, `coherent-render-server, version ${INSTALLED_VERSION}`],
  );
  return rows[0] ?? { complete: false, triggers: false };
}

async function installNow(sql: SqlConnection): Promise<void> {
  try {
    await inOneTransaction(sql, installSql);
  } catch (error) {
    if (sqlState(error) !== NO_RIGHTS) throw error;
    throw new FeedRightsError(
      'install its schema and publications',
      'Grant the role CREATE on the database, or have a DBA run the script that "coherent-server db prepare" prints.',
      error,
    );
  }
}

async function inOneTransaction(sql: SqlConnection, text: string): Promise<void> {
  try {
    await sql.script(
      `BEGIN; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(${INSTALL_LOCK});\n${text}\nCOMMIT;`,
    );
  } catch (error) {
    await sql.script('ROLLBACK');
    throw error;
  }
}

export interface SlotState {
  readonly exists: boolean;
  /** It is being read: another feed leads. */
  readonly active: boolean;
  /** Why it cannot be read any more; undefined while it can. */
  readonly lost: string | undefined;
}

export async function slotState(sql: SqlConnection, slot: string): Promise<SlotState> {
  // The reason stands in a column of its own from Postgres 17 on.
  const { rows } = await sql.query<{
    lost: boolean;
    active: boolean;
    reason: string | null;
    plugin: string;
    here: boolean;
  }>(
    `SELECT active, coalesce(wal_status = 'lost', false) OR to_jsonb(s) ->> 'invalidation_reason' IS NOT NULL AS lost,
            to_jsonb(s) ->> 'invalidation_reason' AS reason, coalesce(plugin, '') AS plugin,
            coalesce(database = current_database(), false) AS here
     FROM pg_replication_slots s WHERE slot_name = $1`,
    [slot],
  );
  const row = rows[0];
  if (row === undefined) return { exists: false, active: false, lost: undefined };
  if (row.plugin !== 'pgoutput' || !row.here) {
    throw new FeedRightsError(
      `use the replication slot ${slot}`,
      'It belongs to something else (another plugin or database): set FEED_SLOT to another name.',
    );
  }
  return { exists: true, active: row.active, lost: row.lost ? (row.reason ?? 'its log is gone') : undefined };
}

/** Waits until all transactions that are running have ended, since those cannot be told whole. */
export async function createSlot(sql: SqlConnection, slot: string): Promise<void> {
  try {
    // It waits for every transaction that runs, however long: that blocks no client, and silence-watch.ts says for whom.
    await sql.query('SET lock_timeout = 0');
    await sql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  } catch (error) {
    if (sqlState(error) === EXISTS_ALREADY) return;
    throw replicationFailure(error);
  } finally {
    await sql.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
  }
}

export async function dropSlot(sql: SqlConnection, slot: string): Promise<void> {
  await sql.query(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active',
    [slot],
  );
}

/** What went wrong with reading the log, in words that name the right or the setting. */
export function replicationFailure(error: unknown): unknown {
  const state = sqlState(error);
  const message = error instanceof Error ? error.message : '';
  if (
    state === NO_RIGHTS ||
    (state !== undefined && NOT_PERMITTED.has(state) && /replication/i.test(message))
  ) {
    return new FeedRightsError(
      `read the change log (${message})`,
      'As a superuser: ALTER ROLE the_role_of_DATABASE_URL REPLICATION; and allow its connections in pg_hba.conf.',
      error,
    );
  }
  // Of pgbouncer, before its version 1.23.
  if (state === PROTOCOL_VIOLATION && error instanceof Error && /startup parameter/.test(message))
    return new FeedPoolerError(error);
  if (state === NO_PLACE) return new FeedPlacesError('max_replication_slots', error);
  if (state === NO_SENDER && /wal_senders|standby/i.test(message))
    return new FeedPlacesError('max_wal_senders', error);
  return connectionFailure(error);
}

/** Something has to be changed before the next attempt can be any better. */
export function connectionFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !NOT_PERMITTED.has(sqlState(error) ?? '')) return error;
  return new FeedRightsError(
    `connect (${error.message})`,
    'Check the role and the password of FEED_DATABASE_URL (or DATABASE_URL, where that is not set), and allow its ' +
      "connections in the server's pg_hba.conf.",
    error,
  );
}

export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
