// Nobody sends a body with GET for a good reason, but it must not break the connection: what is not read would
// be taken for the next request, and what is read without end keeps a worker busy.
import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../core/units.ts';

/** True: the request says it carries more than may be read. Answer 413 and end the connection. */
export function isBodyTooLarge(request: IncomingMessage, maxBytes: Bytes): boolean {
  const length = request.headers['content-length'];
  return length !== undefined && Number(length) > maxBytes;
}

/** Reads what comes and drops it; ends the connection when it is more than `maxBytes`. */
export function dropBody(request: IncomingMessage, maxBytes: Bytes): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return;
  let readBytes = 0;
  request.on('data', (chunk: Buffer) => {
    readBytes += chunk.length;
    if (readBytes > maxBytes) request.destroy();
  });
  // A client that breaks off in its body is no failure of ours.
  request.on('error', () => {});
}
