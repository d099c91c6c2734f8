import { page } from 'coherent-render-server';
import { paragraph } from '../say.js';

export default page({
  load: async ({ db }) => `t0=${(await db.one('select sum(version)::int as total from groups')).total} `,
  view: paragraph,
});
