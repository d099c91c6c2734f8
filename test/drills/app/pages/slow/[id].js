// Takes its time, asks nobody, is never kept: requests that are in flight when something happens.
import { setTimeout as wait } from 'node:timers/promises';
import { page } from 'coherent-render-server';
import { z } from 'zod';

export default page({
  params: { id: z.coerce.number().int().positive() },
  cache: { ttlMs: 0 },
  load: async ({ params, signal }) => {
    if (params.id === 60_000) process.stdout.write('a minute begins\n');
    await wait(params.id, undefined, { signal });
    return params.id;
  },
  view: (id) => ({ p: `slow ${id}` }),
});
