import { CoherentError } from '../core/errors.ts';

/** A saved purge clock cannot be used: cut, damaged, or of another size. The clock then starts a new epoch. */
export class ClockSnapshotError extends CoherentError {
  readonly code = 'E_CLOCK_SNAPSHOT';

  constructor(why: string) {
    super(
      `The saved purge clock cannot be read (${why}). Start a new epoch: older entries are then rendered again.`,
    );
  }
}

/** The bus was closed; a purge published now would reach no worker. */
export class BusClosedError extends CoherentError {
  readonly code = 'E_BUS_CLOSED';

  constructor() {
    super('The purge bus is closed: publish before the server shuts down.');
  }
}

/** What to do where Redis answers, and says no; by the first word of its answer. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  READONLY: 'REDIS_URL names a replica: name the primary, or its sentinels',
  NOAUTH: 'put user and password into REDIS_URL',
  WRONGPASS: 'correct user and password in REDIS_URL',
  NOPERM: 'allow this user the keys, channels and commands of docs/guides/redis.md',
  MISCONF: 'it cannot save to its disk, and takes no writes until it can: see its log',
  LOADING: 'it loads its data, and will answer when it has',
  CLUSTERDOWN: 'part of the cluster is missing: see CLUSTER INFO',
  OOM: 'it is full, and evicts nothing: raise its maxmemory',
};

/** Redis did not take the purge, or it is unknown whether it did. Publishing again is safe. */
export class BusUnavailableError extends CoherentError {
  readonly code = 'E_BUS_UNAVAILABLE';
  /** It did answer. */
  readonly isRefusal: boolean;

  constructor(cause: unknown) {
    const reply = cause instanceof Error && cause.name === 'ReplyError' ? cause.message : undefined;
    const wayOut = WAYS_OUT[reply?.split(' ', 1)[0] ?? ''] ?? 'see docs/guides/redis.md';
    super(
      reply === undefined
        ? 'The purge bus cannot reach Redis: check REDIS_URL and the server, then publish again.'
        : `Redis refuses the purge bus (${reply.slice(0, 200)}): ${wayOut}.`,
      { cause },
    );
    this.isRefusal = reply !== undefined;
  }
}

/** No statement has reached the database yet, so it is unknown whose purges these are. */
export class DatabaseUnknownError extends CoherentError {
  readonly code = 'E_DATABASE_UNKNOWN';

  constructor() {
    super(
      'Which database this server serves is not known yet, or has just changed, so it has no purge bus: check DATABASE_URL. Try again when the database has been reached.',
    );
  }
}

/** Two change feeds take turns on one bus: a copy of a database is served beside the original, over one Redis. */
export class RivalFeedsError extends CoherentError {
  readonly code = 'E_RIVAL_FEEDS';

  constructor(servers: readonly string[]) {
    super(
      `Two change feeds speak for one database on this Redis: of the servers ${servers.join(' and ')} (system ` +
        'identifier, database, timeline, start). One is a copy of the other. Nothing is trusted while both run: give the copy another REDIS_URL.',
    );
  }
}

/** A dependency key that would not fit the bus. */
export class KeyTooLongError extends CoherentError {
  readonly code = 'E_KEY_TOO_LONG';

  constructor(key: string, limit: number) {
    super(`A dependency key has at most ${limit} characters; one has ${key.length}: ${key.slice(0, 40)}...`);
  }
}

/** The application declares dependencies without end: one per row, say. Rows are tracked by themselves. */
export class TooManyEdgesError extends CoherentError {
  readonly code = 'E_TOO_MANY_EDGES';

  constructor(limit: number) {
    super(
      `More than ${limit} dependencies are declared with addDependency: declare them between kinds of data, not for each row.`,
    );
  }
}

/** DATA_DIR cannot be written, and without Redis the purge clock is kept there. */
export class DataFolderError extends CoherentError {
  readonly code = 'E_DATA_DIR';

  constructor(folder: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `DATA_DIR is ${folder}, which cannot be written (${why}). Without Redis the purge clock is kept there: name a folder of this server's own, or set REDIS_URL.`,
      { cause },
    );
  }
}

/** The primary did not answer a worker's question about purges. The worker serves micro-cached pages meanwhile. */
export class RelaySilentError extends CoherentError {
  readonly code = 'E_RELAY_SILENT';

  constructor(limitMs: number) {
    super(`The primary did not answer within ${limitMs} ms: it is overloaded, stopped or gone.`);
  }
}
