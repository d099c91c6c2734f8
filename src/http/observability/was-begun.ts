import type { ServerResponse } from 'node:http';

/** Asked when it has closed. An answer that was ready behind another one when the visitor left was never sent. */
export function wasBegun({ headersSent, writableFinished, socket }: ServerResponse): boolean {
  return headersSent && (writableFinished || socket !== null);
}
