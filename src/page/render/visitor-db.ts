// What code for one visitor reads with. What a statement depends on is not found out, since nothing is kept; and each begins
// with the visitor's settings for row-level security, where the application has any.
import type { KeySink } from '../../core/validity.ts';
import type { Db } from '../../data/db.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import type { Sessions } from './render-context.ts';

export type { Sessions } from './render-context.ts';

type Told = Pick<Arrival, 'rowSettings'>;

const NOTHING_KEPT: KeySink = Object.freeze({ add: () => {}, untracked: () => {}, isDeaf: true });

/** Without `arrival`: as nobody in particular. */
export function visitorDb(sessions: Sessions, signal: AbortSignal, arrival?: Told): Db {
  return sessions.session({ signal, sink: NOTHING_KEPT, local: arrival?.rowSettings });
}

/** The same, as the reads of a render: that one failed is known of it. */
export function visitorSessions(sessions: Sessions, arrival: Told): Sessions {
  const local = arrival.rowSettings;
  return {
    session: ({ signal, sink }) => {
      const { reading } = sink;
      const deaf = reading === undefined ? NOTHING_KEPT : { ...NOTHING_KEPT, reading: reading.bind(sink) };
      return sessions.session({ signal, sink: deaf, local });
    },
  };
}
