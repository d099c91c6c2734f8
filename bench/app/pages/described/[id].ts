import { fragment, notFound, page } from 'coherent-render-server';
import { z } from 'zod';
import { type Item, itemView } from '../../item.ts';

const description = fragment('description', {
  key: (id: number) => id,
  load: ({ key, db }) => db.byId<{ text: string; version: number }>('descriptions', key, ['text', 'version']),
  view: (row) =>
    row && {
      section: { className: 'description', children: [{ p: row.text }, { small: `version ${row.version}` }] },
    },
  cache: { ttlMs: 3_600_000 },
});

/** A page of one row with a fragment of another one. */
export default page({
  params: { id: z.coerce.number().int() },
  cache: { ttlMs: 3_600_000 },
  load: async ({ params, db }) =>
    (await db.one<Item>('select id, name, price, version from items where id = $1', [params.id])) ??
    notFound(),
  head: ({ name }) => ({ title: name }),
  view: (item) => itemView(item, description(item.id)),
});
