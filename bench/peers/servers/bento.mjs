import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import Fastify from 'fastify';
import { port, renderPage } from './page.mjs';

const cache = new BentoCache({
  default: 'pages',
  stores: { pages: bentostore().useL1Layer(memoryDriver({ maxSize: '100mb', maxItems: 1_000_000 })) },
});
const app = Fastify();
for (const kind of ['card', 'slow']) {
  app.get(`/${kind}/:id`, async (request, reply) => {
    const factory = () => renderPage(kind, request.params.id);
    const html = await cache.getOrSet({ key: request.url, ttl: '1h', factory });
    reply.header('content-type', 'text/html; charset=utf-8');
    return reply.send(html);
  });
}
await app.listen({ port, host: '127.0.0.1' });
