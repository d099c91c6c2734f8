// What a render worker answers to the operations port (src/host-link/operations-messages.ts).

import { CoherentError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { withRowsThemselves } from '../../core/row-keys.ts';
import { type AskedQuestion, OPERATIONS_CHANNEL, readQuestion } from '../../host-link/operations-messages.ts';
import type { PurgeBus } from '../../invalidation/bus/bus.ts';
import type { Dependencies } from '../../invalidation/graph/dependencies.ts';
import type { Watchers } from '../../watchers/watchers.ts';
import type { WorkerLink } from '../worker-link.ts';

export interface WorkerOperationsOptions {
  readonly link: Pick<WorkerLink, 'send' | 'onMessage' | 'onDrain'>;
  readonly bus: Pick<PurgeBus, 'publish' | 'applied'>;
  readonly dependencies: Dependencies;
  /** Who else is told of a purge. */
  readonly watchers?: Pick<Watchers, 'add'> | undefined;
  /** Of an address as a browser would ask for it: undefined where no page is there. */
  readonly explainUrl: (url: string) => Promise<unknown>;
  /** Which statement gave which key of an address. */
  readonly explainWhy: (url: string) => Promise<unknown>;
  /** Figures of what is rolled out in part. */
  readonly rollout: () => unknown;
  readonly log: Logger;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** From now on this worker is asked, until it drains. */
export function answerOperations(options: WorkerOperationsOptions): void {
  const { link, log } = options;
  link.onMessage(OPERATIONS_CHANNEL, (body) => {
    const question = readQuestion(body);
    if (question === undefined) {
      log.warn({}, 'dropped a question of the operations port that is not in the protocol');
      return;
    }
    void answer(question, options)
      .catch((error: unknown) => failed(error, log))
      .then(({ status, body }) =>
        link.send(OPERATIONS_CHANNEL, { say: 'answer', id: question.id, status, body }),
      );
  });
  link.onDrain(async () => link.send(OPERATIONS_CHANNEL, { say: 'leaving' }));
  link.send(OPERATIONS_CHANNEL, { say: 'here' });
}

async function answer(question: AskedQuestion, options: WorkerOperationsOptions): Promise<Answer> {
  const { dependencies, explainUrl } = options;
  if (question.ask === 'purge') return purge(question, options);
  if (question.ask === 'rollout') return { status: 200, body: options.rollout() };
  if (question.ask === 'match') {
    return { status: 200, body: { keys: question.patterns.flatMap((each) => dependencies.keysLike(each)) } };
  }
  if (question.ask === 'why') return { status: 200, body: await options.explainWhy(question.url) };
  if (question.key !== undefined) return { status: 200, body: dependencies.explainKey(question.key) };
  const explained = await explainUrl(question.url ?? '');
  if (explained === undefined) return { status: 404, body: { error: `no page answers ${question.url}` } };
  return { status: 200, body: explained };
}

async function purge(
  { keys: named, kind, wait, timeoutMs }: Extract<AskedQuestion, { ask: 'purge' }>,
  { bus, dependencies, watchers }: WorkerOperationsOptions,
): Promise<Answer> {
  const keys = dependencies.closed(named);
  const published = await bus.publish(withRowsThemselves(keys), kind);
  // No log tells the feed of this one. Where this fails the caller is told, and says it again.
  await watchers?.add(keys);
  const done = { seq: published.seq, epoch: published.epoch, keys: keys.length };
  if (!wait) return { status: 200, body: done };
  const { workers, missing } = await bus.applied(published, { timeoutMs });
  // No worker on the list of acknowledgements: not even this one is, so nothing is known.
  if (missing.length === 0 && workers > 0) return { status: 200, body: { ...done, workers } };
  const error = `published, but not applied by all within ${timeoutMs} ms`;
  return { status: 504, body: { error, ...done, workers, missing } };
}

function failed(error: unknown, log: Logger): Answer {
  const known = error instanceof CoherentError;
  if (!known) log.error({ err: error }, 'a question of the operations port could not be answered');
  const status = known ? 503 : 500;
  return { status, body: known ? { error: error.message, code: error.code } : { error: 'see the log' } };
}
