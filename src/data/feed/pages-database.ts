// The database that pages are read from, as DATABASE_URL reaches it: the feed asks it where its log ends. Pages may go
// through a pooler, to a name that is pointed elsewhere, to a standby, while the feed streams from another address; what
// the feed has read says nothing of such a database. So each answer names its server, and one that is not the followed one
// ends the term.
//
// A connection of its own: nothing is set on it (a pooler would hand that on to others), it is made anew every RENEW_MS,
// since one that stands may still lead to where the address led before, and when it fails. While it cannot be had, nothing
// is fresh, and purges go on.
import pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import { type DatabaseIdentity, serverName } from '../../core/database-identity.ts';
import type { Milliseconds } from '../../core/units.ts';
import { IDENTITY_SQL, readIdentity } from '../pool/identity.ts';
import { FeedRightsError, OtherDatabaseError, ReplicaError } from './errors.ts';
import { type Lsn, parseLsn } from './lsn.ts';
import { NO_RIGHTS, sqlState } from './setup.ts';

export interface PagesDatabaseOptions {
  readonly url: string;
  /** Whose log is read. */
  readonly followed: DatabaseIdentity;
  readonly clock: Clock;
  readonly answerWithinMs: Milliseconds;
}

const RENEW_MS: Milliseconds = 2_000;

const END_OF_LOG = `
  SELECT i.*, CASE WHEN NOT "isStandby" THEN pg_current_wal_insert_lsn()::text END AS lsn FROM (${IDENTITY_SQL}) i`;

export class PagesDatabase {
  readonly #options: PagesDatabaseOptions;
  #client: pg.Client | undefined;
  #openedAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: PagesDatabaseOptions) {
    this.#options = options;
  }

  /** Errors: E_FEED_DATABASE, E_FEED_REPLICA, E_FEED_RIGHTS; those of the network and the server. */
  async endOfLog(): Promise<Lsn> {
    const { followed } = this.#options;
    const row = await this.#ask();
    const found = readIdentity(row);
    if (found.isStandby) throw new ReplicaError();
    if (serverName(found) !== serverName(followed)) throw new OtherDatabaseError(found, followed);
    return parseLsn(row.lsn);
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #ask(): Promise<{ readonly lsn: string }> {
    const { clock } = this.#options;
    if (clock.monotonic() - this.#openedAt > RENEW_MS) this.#drop();
    try {
      this.#client ??= await this.#open();
      const { rows } = await this.#client.query<{ lsn: string }>(END_OF_LOG);
      return rows[0] ?? { lsn: '0/0' };
    } catch (error) {
      this.#drop();
      if (sqlState(error) !== NO_RIGHTS) throw error;
      throw new FeedRightsError(
        'ask which database DATABASE_URL reaches',
        'GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() TO its role.',
        error,
      );
    }
  }

  async #open(): Promise<pg.Client> {
    const { url, clock, answerWithinMs } = this.#options;
    const client = new pg.Client({
      connectionString: url,
      application_name: 'coherent-feed',
      connectionTimeoutMillis: answerWithinMs,
      query_timeout: answerWithinMs,
      keepAlive: true,
    });
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined;
    });
    await client.connect().catch((error: unknown) => {
      client.end().catch(() => {});
      throw error;
    });
    this.#openedAt = clock.monotonic();
    if (this.#closed) client.end().catch(() => {});
    return client;
  }

  /** Its other end may be gone, so its goodbye is not awaited. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    client.end().catch(() => {});
    client.connection.stream.destroy();
  }
}
