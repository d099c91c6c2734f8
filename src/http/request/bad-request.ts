// The status for bytes that are no request: Node's parser gives up and hands us the bare socket.
import type { ParseError } from '../../core/connections.ts';
import { MAX_TARGET_LENGTH } from './target.ts';

export function statusOf(error: ParseError): number {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  if (error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413;
  if (error.code !== 'HPE_HEADER_OVERFLOW') return 400;
  const firstLine = error.rawPacket?.indexOf('\n') ?? 0;
  const beganHere = /^[A-Z]{3,7} \//.test(error.rawPacket?.toString('latin1', 0, 9) ?? '');
  return beganHere && (firstLine === -1 || firstLine > MAX_TARGET_LENGTH) ? 414 : 431;
}
