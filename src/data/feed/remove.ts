// Takes everything of ours out of a database: the replication slots (which keep the log, until the disk is full), the
// publications, event triggers, and the schema with its tables. What is not there is not missed.

import { SqlConnection } from './connections.ts';
import { FeedRightsError, FleetRunsError } from './errors.ts';
import { PUBLICATION, TRACKED_PUBLICATION } from './install-sql.ts';
import { NO_RIGHTS, sqlState } from './setup.ts';

interface RemoveOptions {
  readonly sql: SqlConnection;
  /** FEED_SLOT, where it is set. */
  readonly slot: string | undefined;
  /** Also while a feed is connected. One that goes on running makes all of it anew. */
  readonly force: boolean;
}

interface Slot {
  readonly name: string;
  readonly reader: number | null;
}

const ANSWER_WITHIN_MS = 60_000;
/** Ten a second. */
const LOOKS = 20;

const DROP = `
DROP EVENT TRIGGER IF EXISTS coherent_definitions;
DROP EVENT TRIGGER IF EXISTS coherent_drops;
DROP EVENT TRIGGER IF EXISTS coherent_before;
DROP PUBLICATION IF EXISTS ${PUBLICATION};
DROP PUBLICATION IF EXISTS ${TRACKED_PUBLICATION};
DROP SCHEMA IF EXISTS coherent CASCADE;`;

/** `remove` on a connection of its own. */
export async function removeFrom(
  url: string,
  options: Omit<RemoveOptions, 'sql'>,
): Promise<readonly string[]> {
  const sql = await SqlConnection.open({ url, answerWithinMs: ANSWER_WITHIN_MS, onLost: () => {} });
  try {
    return await remove({ ...options, sql });
  } finally {
    await sql.close();
  }
}

/** What was taken out, in words. Errors: E_FEED_RUNS, E_FEED_RIGHTS. */
async function remove({ sql, slot, force }: RemoveOptions): Promise<readonly string[]> {
  const slots = await slotsOf(sql, slot);
  const readers = await connected(sql, slots);
  // Those of a server that has just been stopped go in a moment.
  for (let looks = 0; readers.length > 0 && !force; looks++) {
    if (looks === LOOKS) throw new FleetRunsError(readers);
    await sql.query('SELECT pg_sleep(0.1)');
    readers.splice(0, readers.length, ...(await connected(sql, await slotsOf(sql, slot))));
  }
  const there = await objects(sql);
  try {
    if (there.length > 0) await sql.script(`BEGIN; SET LOCAL lock_timeout = 0; ${DROP} COMMIT;`);
    for (const pid of readers) await sql.query('SELECT pg_terminate_backend($1)', [pid]);
    for (const { name } of slots) await dropSlot(sql, name);
  } catch (error) {
    if (sqlState(error) !== NO_RIGHTS) throw error;
    throw new FeedRightsError(
      'take its objects out',
      'Run "coherent-server db remove" with a DATABASE_URL of the role that ran what "db prepare" printed.',
      error,
    );
  }
  return [...slots.map(({ name }) => `replication slot ${name}`), ...there];
}

/** Server processes of feeds. */
async function connected(sql: SqlConnection, slots: readonly Slot[]): Promise<number[]> {
  const { rows } = await sql.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'coherent-feed' AND datname = current_database()
     AND pid <> pg_backend_pid()`,
  );
  const readers = slots.flatMap(({ reader }) => (reader === null ? [] : [reader]));
  return [...new Set([...readers, ...rows.map(({ pid }) => pid)])];
}

async function slotsOf(sql: SqlConnection, slot: string | undefined): Promise<readonly Slot[]> {
  const remembered = await sql.query<{ is: boolean }>(
    `SELECT to_regclass('coherent.feed') IS NOT NULL AS is`,
  );
  const known = remembered.rows[0]?.is === true ? 'OR slot_name IN (SELECT slot FROM coherent.feed)' : '';
  const { rows } = await sql.query<Slot>(
    `SELECT slot_name AS name, active_pid AS reader FROM pg_replication_slots
     WHERE database = current_database() AND plugin = 'pgoutput' AND (slot_name = $1 ${known}
       OR slot_name = 'coherent_' || (SELECT oid FROM pg_database WHERE datname = current_database()))`,
    [slot ?? ''],
  );
  return rows;
}

async function objects(sql: SqlConnection): Promise<string[]> {
  const { rows } = await sql.query<{ what: string }>(
    `SELECT 'event trigger ' || evtname AS what FROM pg_event_trigger WHERE evtname IN ('coherent_definitions', 'coherent_drops', 'coherent_before')
     UNION ALL SELECT 'publication ' || pubname FROM pg_publication WHERE pubname IN ($1, $2)
     UNION ALL SELECT 'schema coherent' WHERE to_regnamespace('coherent') IS NOT NULL`,
    [PUBLICATION, TRACKED_PUBLICATION],
  );
  return rows.map(({ what }) => what);
}

/** Its reader was told to go, which takes it a moment; another one may come. */
async function dropSlot(sql: SqlConnection, name: string): Promise<void> {
  for (;;) {
    const { rows } = await sql.query<{ reader: number | null }>(
      'SELECT active_pid AS reader FROM pg_replication_slots WHERE slot_name = $1',
      [name],
    );
    const [found] = rows;
    if (found === undefined) return;
    if (found.reader !== null)
      await sql.query('SELECT pg_terminate_backend($1), pg_sleep(0.05)', [found.reader]);
    else
      await sql.query(
        'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active',
        [name],
      );
  }
}
