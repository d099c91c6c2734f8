import { page } from 'coherent-render-server';
import { id, one, paragraph } from '../../say.js';

export default page({
  params: { id },
  load: async ({ params, db }) => one(await db.byId('items', params.id)),
  view: paragraph,
});
