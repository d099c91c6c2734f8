// GET /rollout of the operations port: for each part of the cache that is on for some keys only (ROLLOUT), hit rate and
// waits of the keys inside beside those outside. One list a worker, since each counts for itself.
import type { Milliseconds } from '../../core/units.ts';
import type { Operations } from '../../operations/operations.ts';
import type { WorkerQuestions } from './worker-questions.ts';

const WITHIN_MS: Milliseconds = 2_000;

export function addRolloutRoute(
  operations: Pick<Operations, 'route'>,
  questions: Pick<WorkerQuestions, 'askAll'>,
): void {
  operations.route({
    method: 'GET',
    path: '/rollout',
    handler: async () => {
      const answers = await questions.askAll({ ask: 'rollout' }, WITHIN_MS);
      if (answers.length === 0) return { status: 503, body: { error: 'no worker could answer' } };
      return { status: 200, body: { workers: answers.map(({ body }) => body) } };
    },
  });
}
