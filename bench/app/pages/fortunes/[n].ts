import { page } from 'coherent-render-server';
import { z } from 'zod';

interface Fortune {
  readonly id: number;
  readonly message: string;
}

/** The sample's page of fortunes under many addresses, so that no two requests share a render. */
export default page({
  params: { n: z.coerce.number().int() },
  cache: { ttlMs: 0 },
  load: async ({ db }) => {
    const rows = await db.query<Fortune>('select id, message from fortune');
    const fortunes = [...rows, { id: 0, message: 'Additional fortune added at request time.' }];
    return fortunes.sort((a, b) => (a.message < b.message ? -1 : a.message > b.message ? 1 : 0));
  },
  head: () => ({ title: 'Fortunes' }),
  view: (fortunes) => ({
    table: {
      children: [
        { tr: { children: [{ th: 'id' }, { th: 'message' }] } },
        fortunes.map(({ id, message }) => ({ tr: { children: [{ td: id }, { td: message }] } })),
      ],
    },
  }),
});
