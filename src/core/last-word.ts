// An answer on the bare socket, for bytes that are no request: no response object belongs to them.
import type { Socket } from 'node:net';
import type { Milliseconds } from './units.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
};

/** How long we go on reading after our last word, so that it is not lost with what the client still sends. */
export const LINGER_MS: Milliseconds = 1000;

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
