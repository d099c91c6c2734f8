// What a session of ours is like: read only, with a limit for statements, values written in one way, and one search_path. Nothing
// is compiled (jit) there: for the statement that reads the catalog that took 9 s of CPU instead of 0.1 s.
//
// The search_path is the one that the worker's first connection had of its role and database. Names of dependency keys were
// resolved with it, so no later connection may read by another: `ALTER DATABASE ... SET search_path` counts from the next
// reload of the server. Behind a pooler another client may have left any path behind: what counts is the reset value.
import type pg from 'pg';
import type { Milliseconds } from '../../core/units.ts';
import { BadValueError } from '../errors.ts';
import type { ConnectionKind } from './connection.ts';
import { SERVER_STARTED_AT } from './identity.ts';

/** `none`: sessions are ours. `transaction`: a pooler may be there. `auto`: found out with each connection. */
export type Pooler = 'auto' | 'none' | 'transaction';

interface Settings {
  readonly statementTimeoutMs: Milliseconds;
  /** Undefined: as the role and database have it. */
  readonly searchPath: string | undefined;
}

/**
 * The number of the process, as the connection was told at its start and as the process says itself: a pooler tells its
 * clients numbers of its own. Settings are made only where they agree, so that no session of others is touched.
 */
const LOOK = `
  SELECT reset_val AS "searchPath", own.is AS "isPrivate",
         CASE WHEN own.is THEN
           set_config('statement_timeout', $2, false) || set_config('default_transaction_read_only', 'on', false) ||
           set_config('jit', 'off', false) || set_config('datestyle', 'ISO', false) || set_config('intervalstyle', 'postgres', false) ||
           set_config('search_path', coalesce($3, reset_val), false) END
  FROM pg_settings, (SELECT $4::bool OR ($5::bool AND pg_backend_pid() = $1::int) AS is) own WHERE name = 'search_path'`;

interface Look {
  readonly isPrivate: boolean;
  readonly searchPath: string;
}

export async function isNewConnectionPrivate(
  client: pg.ClientBase,
  pooler: Pooler,
  { statementTimeoutMs, searchPath }: Settings,
  withinMs: Milliseconds,
): Promise<Look> {
  const told: unknown = Reflect.get(client, 'processID');
  const pid = typeof told === 'number' ? told : 0;
  const timeout = String(Math.round(statementTimeoutMs));
  const values = [pid, timeout, searchPath ?? null, pooler === 'none', pooler === 'auto'];
  const [row] = await asked<Look>(client, { text: LOOK, values }, withinMs);
  if (row === undefined) throw new Error('pg_settings has no search_path.');
  return row;
}

/** One statement of a new connection, under a limit of its own: another client may have left a shorter one behind. */
export async function asked<R extends pg.QueryResultRow>(
  client: pg.ClientBase,
  query: pg.QueryConfig,
  withinMs: Milliseconds,
): Promise<R[]> {
  const limit = { query_timeout: withinMs };
  // Waited for: a pooler that takes no transactions says so and hangs up, and what is written then would hide its word.
  await client.query({
    text: `BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.ceil(withinMs)}`,
    ...limit,
  });
  const running = client.query<R>({ ...query, ...limit });
  const ended = client.query({ text: 'COMMIT', ...limit });
  const settled = await Promise.allSettled([running, ended]);
  for (const each of settled) if (each.status === 'rejected') throw each.reason;
  return (await running).rows;
}

export function privateSession(settings: Settings): ConnectionKind {
  const reset = `${RESET}; SELECT ${made(settings, false)}`;
  return { isPrivate: true, settings: '', serverStartedAt: undefined, reset };
}

/** `serverStartedAt`: of the server that the pooler led to when the connection was new. */
export function pooledSession(settings: Settings, serverStartedAt: string | undefined): ConnectionKind {
  return {
    isPrivate: false,
    settings: `; SELECT ${made(settings, true)}, ${SERVER_STARTED_AT} AS "serverStartedAt"`,
    serverStartedAt,
    reset: '',
  };
}

function made({ statementTimeoutMs, searchPath }: Settings, isLocal: boolean): string {
  const values = [
    ['statement_timeout', String(Math.round(statementTimeoutMs))],
    ['jit', 'off'],
    ['datestyle', 'ISO'],
    ['intervalstyle', 'postgres'],
    ...(searchPath === undefined ? [] : [['search_path', searchPath]]),
    ...(isLocal ? [] : [['default_transaction_read_only', 'on']]),
  ];
  return values
    .map(([name, value]) => `set_config('${name}', ${literal(value ?? '')}, ${isLocal})`)
    .join(', ');
}

/** Names of an application's own settings: `app.user_id`. */
const SETTING = /^[a-z_][a-z0-9_]{0,30}\.[a-z_][a-z0-9_]{0,30}$/i;

export type LocalSettings = Readonly<Record<string, string>>;

/** SQL that makes them for one transaction. Errors: `E_BAD_VALUE` for a value that Postgres takes no text of. */
export function localSettings(settings: LocalSettings): string {
  const made = Object.entries(settings).map(([name, value]) => {
    if (!SETTING.test(name))
      throw new Error(`'${name}' is no setting of an application: 'app.user_id' is one.`);
    if (value.includes('\0'))
      throw new BadValueError('set_config', '22021', `the value of ${name} holds a NUL character`);
    return `set_config('${name}', ${literal(value)}, true)`;
  });
  return made.length === 0 ? '' : `; SELECT ${made.join(', ')}`;
}

function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** DISCARD ALL without the plans that were prepared by us. */
const RESET = [
  'CLOSE ALL',
  'SET SESSION AUTHORIZATION DEFAULT',
  'RESET ALL',
  'UNLISTEN *',
  'SELECT pg_advisory_unlock_all()',
  'DISCARD TEMP',
  'DISCARD SEQUENCES',
  `DO $$ DECLARE it text; BEGIN
     FOR it IN SELECT name FROM pg_prepared_statements WHERE from_sql LOOP EXECUTE format('DEALLOCATE %I', it); END LOOP;
   END $$`,
].join('; ');
