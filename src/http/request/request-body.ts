// There is no good reason to send a body with GET, but it must not break the connection: what is not read would
// be taken for the next request, and what is read without end keeps a worker busy.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bytes } from '../../core/units.ts';

/** True: the request says it carries more than may be read. Answer 413 and end the connection. */
export function isBodyTooLarge(request: IncomingMessage, maxBytes: Bytes): boolean {
  const length = request.headers['content-length'];
  return length !== undefined && Number(length) > maxBytes;
}

/** Reads what comes and drops it; ends the connection when it is more than `maxBytes`. True: a body is announced. */
export function dropBody(request: IncomingMessage, maxBytes: Bytes): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return false;
  let readBytes = 0;
  request.on('data', (chunk: Buffer) => {
    readBytes += chunk.length;
    if (readBytes > maxBytes) request.destroy();
  });
  // A client that breaks off in its body is no failure of ours.
  request.on('error', () => {});
  return true;
}

/**
 * The whole body; 'cut' where the client broke off, or its request was answered meanwhile. Reading ends with the first
 * byte too many. A client that waits to be asked for it (`Expect: 100-continue`) is asked here.
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: Bytes,
): Promise<Buffer | 'too large' | 'cut'> {
  if (expectsContinue(request)) response.writeContinue();
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
    response.on('close', () => resolve('cut'));
  });
}

/** HTTP/1.0 has no 100, and must not get one (RFC 9110, 10.1.1). */
export function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect?.toLowerCase() === '100-continue';
}
