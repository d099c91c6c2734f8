// A render that eats the heap.
import { page } from 'coherent-render-server';

export default page({
  cache: { ttlMs: 0 },
  load: () => {
    const eaten = [];
    for (;;) eaten.push(new Array(10_000).fill(eaten.length));
  },
  view: (text) => ({ p: text }),
});
