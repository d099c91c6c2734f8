// Chooses availability: after an error its old self may be served, and the answer says so.
import { page } from 'coherent-render-server';
import { id, one, paragraph } from '../../say.js';

export default page({
  params: { id },
  cache: { staleIfErrorMs: 600_000 },
  load: async ({ params, db }) => one(await db.byId('items', params.id)),
  view: paragraph,
});
