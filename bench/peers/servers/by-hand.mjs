import { createServer } from 'node:http';
import { described, fortunes, headersOf, item, port } from './database-pages.mjs';

const PAGES = { item, described, fortunes };

createServer(async (request, response) => {
  const [, kind, id] = request.url.split('/');
  // Nothing is kept that could be forgotten.
  if (kind === 'forget') return response.end();
  const html = await PAGES[kind]?.(Number(id));
  if (html === undefined) return response.writeHead(404).end();
  const body = Buffer.from(html);
  const headers = headersOf(kind, body);
  if (request.headers['if-none-match'] === headers.etag) return response.writeHead(304, headers).end();
  response.writeHead(200, headers);
  response.end(body);
}).listen(port, '127.0.0.1');
