import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const body = readFileSync(process.env.BODY);
/** Beside these two: flat, name and value. */
const more = JSON.parse(process.env.HEADERS ?? '[]');
const headers = ['content-type', 'text/html; charset=utf-8', 'content-length', String(body.length), ...more];
createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
