import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import Fastify from 'fastify';
import { port, renderPage } from './page.mjs';

const app = Fastify();
const pages = new Map();
const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

async function compress(html) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: html.length };
  await Promise.all([gzipAsync(html), brotliAsync(html, { params })]);
}

for (const kind of ['card', 'slow']) {
  app.get(`/${kind}/:id`, async (request, reply) => {
    let html = pages.get(request.url);
    if (html === undefined) {
      html = Buffer.from(await renderPage(kind, request.params.id));
      if (process.env.COMPRESS) await compress(html);
      pages.set(request.url, html);
    }
    reply.header('content-type', 'text/html; charset=utf-8');
    return reply.send(html);
  });
}
await app.listen({ port, host: '127.0.0.1' });
