/** What a server says about its connections. */
export interface ServerLimits {
  readonly maxConnections: number;
  /** Kept by the server for superusers and for maintenance. */
  readonly reserved: number;
  /** Limits of our role and of our database; -1: none. */
  readonly roleLimit: number;
  readonly databaseLimit: number;
}

export interface PoolSize {
  readonly max: number;
  /** What to tell the operator when it is less than was asked for. */
  readonly note: string | undefined;
}

/** Left over for the change feed, cancel requests' neighbours, migrations, and a person with psql. */
const SPARE = 5;

/**
 * How many connections one worker may open, so that all of them together leave the server room.
 * At least one each: below that a worker could not serve at all.
 */
export function poolSizeFor(workers: number, wanted: number, limits: ServerLimits): PoolSize {
  const ceilings = [limits.maxConnections - limits.reserved, limits.roleLimit, limits.databaseLimit];
  const allowed = Math.min(...ceilings.filter((limit) => limit >= 0));
  const fair = Math.max(1, Math.floor((allowed - SPARE) / workers));
  if (fair >= wanted) return { max: wanted, note: undefined };
  return {
    max: fair,
    note:
      `${workers} workers with ${wanted} database connections each are more than the server allows ` +
      `(${allowed} in all, ${SPARE} kept free): each worker uses at most ${fair}. ` +
      "Raise the server's max_connections, or lower DB_POOL_MAX or WORKERS.",
  };
}
