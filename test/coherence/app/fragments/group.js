import { fragment } from 'coherent-render-server';
import { item } from './item.js';

/** Its own row, and a fragment for each item in it. */
export const group = fragment('group', {
  key: ({ id }) => id,
  load: async ({ key, db }) => {
    const [own, members] = await Promise.all([
      db.one('select version from groups where id = $1', [key]),
      db.query('select id from items where group_id = $1 order by id', [key]),
    ]);
    return { key, version: own?.version, members };
  },
  view: ({ key, version, members }) => ({
    section: { children: [`g${key}=${version} `, members.map((member) => item({ id: member.id }))] },
  }),
});
