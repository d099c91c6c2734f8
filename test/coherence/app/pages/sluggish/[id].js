// Takes more than twice as long as the bound on staleness.
import { setTimeout as pause } from 'node:timers/promises';
import { page } from 'coherent-render-server';
import { id, one, paragraph } from '../../say.js';

export default page({
  params: { id },
  load: async ({ params, db }) => {
    const row = await db.byId('items', params.id);
    await pause(5000);
    return one(row);
  },
  view: paragraph,
});
