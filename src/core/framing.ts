import type { IncomingMessage } from 'node:http';

const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]{0,252}[a-z0-9.])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** A name or an address, with or without a port (RFC 9110, 7.2). */
export function isHost(text: string): boolean {
  return HOST.test(text);
}

export function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/**
 * The status for a request of which it is not certain where it ends (RFC 9112, 6.1 and 6.3); undefined: it is. Node's
 * parser tells of some only after the request was handed on, and one request would get two answers. What comes behind
 * such a request may be anything: its answer ends the connection.
 */
export function framingFault({ headers, httpVersion }: IncomingMessage): 400 | 501 | 505 | undefined {
  // Node's parser lets 0.9 and 2.0 pass, and the answer would be HTTP/1.1.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 505;
  const coding = headers['transfer-encoding']?.toLowerCase();
  if (coding === undefined) return undefined;
  // HTTP/1.0 knows no chunks: a proxy before us may have read another body than we would.
  if (httpVersion === '1.0') return 400;
  if (coding === 'chunked') return undefined;
  const last = coding.slice(coding.lastIndexOf(',') + 1).trim();
  return last === 'chunked' ? 501 : 400;
}
