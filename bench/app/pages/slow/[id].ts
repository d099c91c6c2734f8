import { setTimeout } from 'node:timers/promises';
import { page } from 'coherent-render-server';
import { z } from 'zod';
import { cardOf, cardView } from '../../card.ts';
import { countRender } from '../../renders.ts';

/** A page whose data takes 200 ms to come, as after a slow query. */
export default page({
  params: { id: z.string() },
  cache: { ttlMs: 3_600_000 },
  load: async ({ params }) => {
    countRender();
    await setTimeout(200);
    return cardOf(params.id);
  },
  head: ({ id }) => ({ title: `Card ${id}` }),
  view: (card) => cardView(card),
});
