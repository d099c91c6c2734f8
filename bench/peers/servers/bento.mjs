import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import Fastify from 'fastify';
import { etagOf, HEADERS, port, renderPage } from './page.mjs';

const cache = new BentoCache({
  default: 'pages',
  stores: { pages: bentostore().useL1Layer(memoryDriver({ maxSize: '100mb', maxItems: 1_000_000 })) },
});
const app = Fastify();
for (const kind of ['card', 'slow']) {
  app.get(`/${kind}/:id`, async (request, reply) => {
    const factory = async () => {
      const html = await renderPage(kind, request.params.id);
      return { html, etag: etagOf(html) };
    };
    const { html, etag } = await cache.getOrSet({ key: request.url, ttl: '1h', factory });
    for (let at = 0; at < HEADERS.length; at += 2) reply.header(HEADERS[at], HEADERS[at + 1]);
    reply.header('etag', etag);
    return reply.send(html);
  });
}
await app.listen({ port, host: '127.0.0.1' });
