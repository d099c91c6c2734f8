// What code for one visitor reads with. What a statement depends on is not found out, since nothing is kept; and each begins
// with the visitor's settings for row-level security, where the application has any.
import type { KeyRecorder } from '../../core/validity.ts';
import type { Db } from '../../data/db.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import type { ReadScopes } from './render-context.ts';

export type { ReadScopes } from './render-context.ts';

type Told = Pick<Arrival, 'rowSettings'>;

const NOTHING_KEPT: KeyRecorder = Object.freeze({ add: () => {}, untracked: () => {}, isDeaf: true });

/** Without `arrival`: for no visitor. */
export function visitorDb(readScopes: ReadScopes, signal: AbortSignal, arrival?: Told): Db {
  return readScopes.readScope({ signal, keyRecorder: NOTHING_KEPT, local: arrival?.rowSettings });
}

/** The same, as the reads of a render: that one failed is known of it. */
export function visitorReadScopes(readScopes: ReadScopes, arrival: Told): ReadScopes {
  const local = arrival.rowSettings;
  return {
    readScope: ({ signal, keyRecorder }) => {
      const { reading } = keyRecorder;
      const deaf =
        reading === undefined ? NOTHING_KEPT : { ...NOTHING_KEPT, reading: reading.bind(keyRecorder) };
      return readScopes.readScope({ signal, keyRecorder: deaf, local });
    },
  };
}
