import { notFound, page } from 'coherent-render-server';
import { z } from 'zod';
import { type Item, itemView } from '../../item.ts';

/** A page of one row. */
export default page({
  params: { id: z.coerce.number().int() },
  cache: { ttlMs: 3_600_000 },
  load: async ({ params, db }) =>
    (await db.one<Item>('select id, name, price, version from items where id = $1', [params.id])) ??
    notFound(),
  head: ({ name }) => ({ title: name }),
  view: (item) => itemView(item),
});
