import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { described, description, fortunes, headersOf, item, port } from './database-pages.mjs';

const store = bentostore()
  .useL1Layer(memoryDriver({ maxSize: '100mb', maxItems: 1_000_000 }))
  .useL2Layer(redisDriver({ connection: new Redis({ path: process.env.REDIS_SOCKET }) }));
const cache = new BentoCache({ default: 'pages', stores: { pages: store } });
const kept = (key, factory) => cache.getOrSet({ key, ttl: '1h', factory });

const part = (id) => kept(`description:${id}`, () => description(id));
const PAGES = {
  item: (id) => kept(`item:${id}`, () => item(id)),
  described: (id) => kept(`described:${id}`, () => described(id, part)),
  fortunes,
};

const app = Fastify();
app.post('/forget', async () => {
  await cache.clear();
  return 'forgotten';
});
app.get('/:kind/:id?', async (request, reply) => {
  const { kind, id } = request.params;
  const html = await PAGES[kind]?.(Number(id));
  if (html === undefined) return reply.code(404).send();
  const body = Buffer.from(html);
  const headers = headersOf(kind, body);
  reply.headers(headers);
  if (request.headers['if-none-match'] === headers.etag) return reply.code(304).send();
  return reply.send(body);
});
await app.listen({ port, host: '127.0.0.1' });
