import { application, session } from 'coherent-render-server';
import { z } from 'zod';

/** Who is signed in. The name is shown without asking the database; who they are is asked in every request. */
const visitors = session({
  schema: z.object({ userId: z.number().int(), name: z.string() }),
  valid: async ({ data, issuedAt }, db) => {
    const account = await db.one<{ since: Date }>(
      'select sessions_since as since from accounts where user_id = $1',
      [data.userId],
    );
    return account !== null && issuedAt >= account.since;
  },
});

export default application({ session: visitors });

declare module 'coherent-render-server' {
  interface Register {
    session: typeof visitors;
  }
}
