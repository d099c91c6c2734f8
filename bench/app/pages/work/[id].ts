import { createHash } from 'node:crypto';
import { page } from 'coherent-render-server';
import { z } from 'zod';
import { cardOf, cardView } from '../../card.ts';

/** So much that a page takes some milliseconds of CPU. */
const ROUNDS = 2000;

export default page({
  params: { id: z.string() },
  cache: { ttlMs: 3_600_000 },
  load: ({ params }) => {
    let digest = params.id;
    for (let round = 0; round < ROUNDS; round++) digest = createHash('sha256').update(digest).digest('hex');
    return { ...cardOf(params.id), digest };
  },
  head: ({ digest }) => ({ title: digest }),
  view: (card) => cardView(card),
});
