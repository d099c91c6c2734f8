// GET /livez, GET /readyz and POST /reload of the operations port: how the primary is, and its workers anew.

import type { Operations } from '../../operations/operations.ts';
import type { Primary } from '../primary.ts';

export function addPrimaryRoutes(
  operations: Pick<Operations, 'route'>,
  primary: Pick<Primary, 'reload' | 'status'>,
): void {
  operations.route({
    method: 'GET',
    path: '/livez',
    open: true,
    handler: () => ({ status: 200, body: { status: 'ok', phase: primary.status().phase } }),
  });
  operations.route({
    method: 'GET',
    path: '/readyz',
    open: true,
    handler: () => {
      const status = primary.status();
      const { ready } = status;
      return { status: ready ? 200 : 503, body: { status: ready ? 'ready' : 'not ready', ...status } };
    },
  });
  // Answers when it is over: the deployment wants to know how it went. The settings stay those of the start.
  operations.route({
    method: 'POST',
    path: '/reload',
    handler: async () => {
      const outcome = await primary.reload('POST /reload');
      const status = primary.status();
      if (outcome.reached) return { status: 200, body: { status: 'reloaded', ...status } };
      const isStopping = status.phase === 'stopping' || status.phase === 'stopped';
      return { status: isStopping ? 409 : 500, body: { status: 'not reloaded', ...status, ...outcome } };
    },
  });
}
