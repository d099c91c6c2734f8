// Never kept: tells which worker answers on this connection.
import { page } from 'coherent-render-server';

export default page({
  cache: { ttlMs: 0 },
  load: () => `pid=${process.pid} `,
  view: (text) => ({ p: text }),
});
