// Nobody sends a body with GET for a good reason, but it must not break the connection: what is not read would
// be taken for the next request, and what is read without end keeps a worker busy.
import type { IncomingMessage } from 'node:http';
import type { Bytes } from '../core/units.ts';

/**
 * True: nobody can say where the body ends (RFC 9112, 6.3). Node's parser says so too, but only after the request was
 * handed on, and one request would get two answers. Answer 400 and end the connection.
 */
export function isBodyUnreadable({ headers }: IncomingMessage): boolean {
  const encoding = headers['transfer-encoding'];
  return encoding !== undefined && encoding.toLowerCase() !== 'chunked';
}

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

/** The whole body; 'cut' where the client broke off. Reading ends with the first byte too many. */
export function readBody(request: IncomingMessage, maxBytes: Bytes): Promise<Buffer | 'too large' | 'cut'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let readBytes = 0;
    request.on('data', (chunk: Buffer) => {
      readBytes += chunk.length;
      if (readBytes <= maxBytes) chunks.push(chunk);
      else {
        request.pause();
        resolve('too large');
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve('cut'));
    request.on('close', () => resolve('cut'));
  });
}
