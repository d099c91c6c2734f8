/**
 * Which database this is, and which of its lives: a clone of it, a restored copy or the standby that took over from it
 * may hold the same tables, and other rows.
 */
export interface DatabaseIdentity {
  /** Of the cluster of databases: made by initdb, shared by physical copies. 64 bits, so a text. */
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  /** Grows with each promotion: two servers that were one until then differ in it. */
  readonly timeline: number;
  /** It copies another server, and may be behind it: no change feed speaks for it. */
  readonly isStandby: boolean;
  /** When this run of the server began, in microseconds: a copy of its disk shares all of the above, but not this. */
  readonly serverStartedAt: string;
}

/**
 * `7314865012345678901-16384-1`: fit for the names of keys, channels and files. What is kept outside of a process goes by
 * it. It outlives a restart of the server.
 */
export function identityName({
  systemIdentifier,
  databaseOid,
  timeline,
  isStandby,
}: DatabaseIdentity): string {
  return `${systemIdentifier}-${databaseOid}-${timeline}${isStandby ? '-standby' : ''}`;
}

/** `7314865012345678901-16384-1@1764525600000000`: this run of this server. The change feed vouches for one of these. */
export function serverName(identity: DatabaseIdentity): string {
  return `${identityName(identity)}@${identity.serverStartedAt}`;
}
