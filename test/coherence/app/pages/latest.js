// The five items of the highest versions.
import { page } from 'coherent-render-server';
import { items, paragraph } from '../say.js';

export default page({
  load: async ({ db }) =>
    items(await db.query('select id, version from items order by version desc, id limit 5')),
  view: paragraph,
});
