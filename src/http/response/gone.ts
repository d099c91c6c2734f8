import type { ServerResponse } from 'node:http';
import { Stop, type StopSignal } from '../../core/stop.ts';

/** Aborts when the visitor has gone before its answer was sent. */
export function goneSignal(response: ServerResponse): StopSignal {
  const gone = new Stop();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('The visitor has gone.'));
  });
  return gone;
}
