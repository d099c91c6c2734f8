import { page } from 'coherent-render-server';
import { z } from 'zod';
import { cardOf, cardView } from '../../card.ts';

export default page({
  params: { id: z.string() },
  cache: { ttlMs: 3_600_000 },
  load: ({ params }) => cardOf(params.id),
  head: ({ id }) => ({ title: `Card ${id}` }),
  view: (card) => cardView(card),
});
