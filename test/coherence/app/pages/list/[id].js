// Ten items by number.
import { page } from 'coherent-render-server';
import { id, items, paragraph } from '../../say.js';

export default page({
  params: { id },
  load: async ({ params, db }) =>
    items(
      await db.query('select id, version from items where id > $1 and id <= $2 order by id', [
        (params.id - 1) * 10,
        params.id * 10,
      ]),
    ),
  view: paragraph,
});
