// Answers for bytes that are no request: Node's parser gives up and hands us the bare socket.
import type { Socket } from 'node:net';
import type { Milliseconds } from '../core/units.ts';
import { MAX_TARGET_LENGTH } from './target.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
};

/** How long we go on reading after our last word, so that it is not lost with what the client still sends. */
const LINGER_MS: Milliseconds = 1000;

export interface ParseError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

export function statusOf(error: ParseError): number {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  if (error.code !== 'HPE_HEADER_OVERFLOW') return 400;
  const firstLine = error.rawPacket?.indexOf('\n') ?? 0;
  const beganHere = /^[A-Z]{3,7} \//.test(error.rawPacket?.toString('latin1', 0, 9) ?? '');
  return beganHere && (firstLine === -1 || firstLine > MAX_TARGET_LENGTH) ? 414 : 431;
}

/** Says `status` on the bare socket and ends the connection. */
export function endWith(socket: Socket, status: number, extraHeader = ''): void {
  if (socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const reason = REASONS[status] ?? 'Bad Request';
  const text = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${text.length}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n${extraHeader}\r\n${text}`,
  );
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
