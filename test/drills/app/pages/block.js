// An event loop that does not turn any more.
import { page } from 'coherent-render-server';

export default page({
  cache: { ttlMs: 0 },
  load: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000),
  view: (text) => ({ p: text }),
});
