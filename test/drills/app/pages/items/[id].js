// A row. `item 17 v3` is row 17 in its version 3.
import { notFound, page } from 'coherent-render-server';
import { z } from 'zod';

export default page({
  params: { id: z.coerce.number().int().positive() },
  load: async ({ params, db }) => (await db.byId('items', params.id)) ?? notFound(),
  view: ({ id, version }) => ({ p: `item ${id} v${version}` }),
});
