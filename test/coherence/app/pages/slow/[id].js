// Takes its time between reading and answering: whatever commits meanwhile must not be overlooked.
import { setTimeout as pause } from 'node:timers/promises';
import { page } from 'coherent-render-server';
import { id, one, paragraph } from '../../say.js';

export default page({
  params: { id },
  load: async ({ params, db }) => {
    const row = await db.byId('items', params.id);
    await pause(60);
    return one(row);
  },
  view: paragraph,
});
