// POST /drain of the operations port: one worker is replaced as in a reload, for one that the operator does not trust any
// more. Its successor serves before it drains, so the host is never one short.
import { z } from 'zod';
import type { Logger } from '../../core/log.ts';
import { readJson } from '../../operations/json-body.ts';
import type { Operations, OperationsResponse } from '../../operations/operations.ts';
import type { Primary } from '../primary.ts';

const drainBody = z.strictObject({ slot: z.number().int().nonnegative() });

const MAX_BODY_BYTES = 1024;

export function addDrainRoute(
  operations: Pick<Operations, 'route'>,
  primary: Pick<Primary, 'replace'>,
  logger: Logger,
): void {
  operations.route({
    method: 'POST',
    path: '/drain',
    handler: async (request) => {
      const body = await readJson(request, drainBody, MAX_BODY_BYTES);
      if ('refused' in body) return body.refused;
      const { slot } = body.value;
      logger.info({ audit: 'drain', from: request.socket.remoteAddress, slot }, 'a worker is to be drained');
      return answerFor(await primary.replace(slot), slot);
    },
  });
}

function answerFor(outcome: Awaited<ReturnType<Primary['replace']>>, slot: number): OperationsResponse {
  if (outcome === undefined) return { status: 404, body: { error: `there is no slot ${slot}` } };
  if (outcome.reached) return { status: 200, body: { status: 'replaced', slot } };
  return { status: 500, body: { error: `kept the old worker: ${outcome.why}` } };
}
