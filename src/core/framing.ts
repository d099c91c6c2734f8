import type { IncomingMessage } from 'node:http';

/**
 * The status for a request of which it is not certain where it ends (RFC 9112, 6.1 and 6.3); undefined: it is. Node's
 * parser tells of some only after the request was handed on, and one request would get two answers. What comes behind
 * such a request may be anything: its answer ends the connection.
 */
export function framingFault({ headers, httpVersion }: IncomingMessage): 400 | 501 | undefined {
  const coding = headers['transfer-encoding']?.toLowerCase();
  if (coding === undefined) return undefined;
  // HTTP/1.0 knows no chunks: a proxy before us may have read another body than we would.
  if (httpVersion === '1.0') return 400;
  if (coding === 'chunked') return undefined;
  return coding.endsWith('chunked') ? 501 : 400;
}
