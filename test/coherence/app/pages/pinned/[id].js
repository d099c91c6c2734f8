import { page } from 'coherent-render-server';
import { id, one, paragraph } from '../../say.js';

export default page({
  params: { id },
  cache: { ttlMs: 3_600_000, static: true },
  load: async ({ params, db }) =>
    one(await db.one('select id, version from items where id = $1', [params.id])),
  view: paragraph,
});
