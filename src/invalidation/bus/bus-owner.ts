import { type DatabaseIdentity, identityName, serverName } from '../../core/database-identity.ts';

/** Whose purges a bus carries. */
export interface BusOwner {
  /** In the names of all that is shared: two databases never meet under one, whatever else they share. */
  readonly name: string;
  /** The run of the server that statements of this process reach. The feed vouches for one of these. */
  readonly server: string;
}

export function ownerOf(identity: DatabaseIdentity | undefined): BusOwner | undefined {
  return identity && { name: identityName(identity), server: serverName(identity) };
}
