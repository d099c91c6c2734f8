import { page } from 'coherent-render-server';
import { id, items, paragraph } from '../../say.js';

export default page({
  params: { id },
  load: async ({ params, db }) => {
    const rows = await db.query(
      `select g.version as group_version, i.id, i.version
       from groups g left join items i on i.group_id = g.id where g.id = $1 order by i.id`,
      [params.id],
    );
    return [`g${params.id}=${rows[0]?.group_version} `, items(rows.filter((row) => row.id !== null))];
  },
  view: paragraph,
});
