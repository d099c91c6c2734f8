import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import Fastify from 'fastify';
import { etagOf, HEADERS, port, renderPage } from './page.mjs';

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
    let page = pages.get(request.url);
    if (page === undefined) {
      const html = Buffer.from(await renderPage(kind, request.params.id));
      if (process.env.COMPRESS) await compress(html);
      page = { html, etag: etagOf(html) };
      pages.set(request.url, page);
    }
    for (let at = 0; at < HEADERS.length; at += 2) reply.header(HEADERS[at], HEADERS[at + 1]);
    reply.header('etag', page.etag);
    return reply.send(page.html);
  });
}
await app.listen({ port, host: '127.0.0.1' });
