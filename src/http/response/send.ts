import type { ServerResponse } from 'node:http';
import type { HttpResponse } from './response.ts';

/** Writes an answer in one go. `closing`: the last one on this connection. The visitor may have gone meanwhile. */
export function send(response: ServerResponse, answer: HttpResponse, closing: boolean): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, closing ? [...answer.headers, 'connection', 'close'] : answer.headers);
  if (answer.body === undefined || response.req.method === 'HEAD') response.end();
  else response.end(answer.body);
}
