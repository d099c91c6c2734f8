import { notFound, page } from 'coherent-render-server';
import { z } from 'zod';
import { noteLoad } from '../../renders.ts';

/** A page of one row, for benchmarks in which the database changes. */
export default page({
  params: { id: z.coerce.number().int() },
  cache: { ttlMs: 3_600_000 },
  load: async ({ params, db }) => {
    noteLoad(params.id);
    const row = await db.one<{ version: number }>('select version from stock where id = $1', [params.id]);
    return row ?? notFound();
  },
  head: () => ({ title: 'Stock' }),
  view: ({ version }) => ({ p: `version=${version}` }),
});
