import { type DatabaseIdentity, serverName } from '../../core/database-identity.ts';
import { CoherentError } from '../../core/errors.ts';

/** The feed cannot work on this database until something is changed there. */
export abstract class FeedUnavailableError extends CoherentError {}

/** The server does not write the log that changes can be read from. */
export class WalLevelError extends FeedUnavailableError {
  readonly code = 'E_FEED_WAL_LEVEL';

  constructor(found: string) {
    super(
      `Postgres runs with wal_level = ${found}, so its changes cannot be followed. Turn it on with ` +
        "ALTER SYSTEM SET wal_level = 'logical'; and a restart of Postgres (pg_ctl restart).",
    );
  }
}

/** The server is a copy of another one: the log of changes, and the right to write, are with that one. */
export class ReplicaError extends FeedUnavailableError {
  readonly code = 'E_FEED_REPLICA';

  constructor() {
    super(
      'DATABASE_URL (or FEED_DATABASE_URL) names a standby, which may be behind and whose log cannot be followed, so ' +
        'nothing read from it is trusted. Name the primary.',
    );
  }
}

/** Pages are read from one server and changes from another: what the one says is no word about the other. */
export class OtherDatabaseError extends FeedUnavailableError {
  readonly code = 'E_FEED_DATABASE';

  constructor(pages: DatabaseIdentity, followed: DatabaseIdentity) {
    super(
      `DATABASE_URL reaches ${serverName(pages)}, and the change feed reads the log of ${serverName(followed)} (system ` +
        'identifier, database, timeline, start of the server): nothing made of the one is trusted by the word of the ' +
        'other. Point DATABASE_URL and FEED_DATABASE_URL at the same primary and database.',
    );
  }
}

/** What a running fleet lives on was to be taken out. */
export class FleetRunsError extends CoherentError {
  readonly code = 'E_FEED_RUNS';

  constructor(pids: readonly number[]) {
    super(
      `A change feed is connected to this database (server processes ${pids.join(', ')}). Stop every server of the fleet ` +
        'first: one that runs makes all of it anew. --force takes it out all the same.',
    );
  }
}

/** The role of DATABASE_URL lacks a right that the feed needs. */
export class FeedRightsError extends FeedUnavailableError {
  readonly code = 'E_FEED_RIGHTS';

  constructor(what: string, remedy: string, cause?: unknown) {
    super(`The change feed may not ${what}. ${remedy}`, { cause });
  }
}

/** A pooler hands out sessions that others have used, and passes no log on. */
export class FeedPoolerError extends FeedUnavailableError {
  readonly code = 'E_FEED_POOLER';

  constructor(cause: Error) {
    super(
      `The change feed reached a pooler that passes no log on (${cause.message}). Leave DATABASE_URL as it is for pages, and ` +
        'set FEED_DATABASE_URL to the address of the Postgres server itself.',
      { cause },
    );
  }
}

/** All places that Postgres has for readers of its log are taken. */
export class FeedPlacesError extends FeedUnavailableError {
  readonly code = 'E_FEED_PLACES';

  constructor(setting: 'max_replication_slots' | 'max_wal_senders', cause: unknown) {
    super(`Postgres has no place left for the change feed: raise ${setting} and restart Postgres.`, {
      cause,
    });
  }
}
