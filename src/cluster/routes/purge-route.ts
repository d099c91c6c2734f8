// POST /purge and GET /explain of the operations port. The primary has no bus and no caches: a worker does the work.
//
// Every call that was let in leaves one line in the log, whatever came of it: who asked, for what, and the answer.
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { MAX_KEY_LENGTH } from '../../invalidation/bus/purge-message.ts';
import { Allowance } from '../../operations/allowance.ts';
import { readJson } from '../../operations/json-body.ts';
import type { Operations, OperationsResponse } from '../../operations/operations.ts';
import type { WorkerQuestions } from './worker-questions.ts';

export const MAX_BODY_BYTES = 65_536;
export const MAX_PURGE_KEYS = 5_000;
/** So many calls at once, and then so many a second. A purge is for what the change log does not see: that is rare. */
export const BURST = 100;
const PER_SECOND = 50;

/** A worker that waits for others answers a little later than they have time. */
const MARGIN_MS: Milliseconds = 1_000;
const EXPLAIN_WITHIN_MS: Milliseconds = 5_000;
const MATCH_WITHIN_MS: Milliseconds = 2_000;
/** A pattern that names more had better be a coarser key: one column, one table. */
const MAX_MATCHES = 20_000;

const matched = z.object({ keys: z.array(z.string()) });

const key = z.string().min(1).max(MAX_KEY_LENGTH);

const purgeBody = z
  .strictObject({
    keys: z.array(key).max(MAX_PURGE_KEYS).default([]),
    patterns: z.array(key).max(100).default([]),
    kind: z.enum(['purge', 'expire']).default('purge'),
    wait: z.boolean().default(false),
    timeoutMs: z.number().int().min(1).max(30_000).default(5_000),
  })
  .refine(({ keys, patterns }) => keys.length + patterns.length > 0, 'names no keys');

export interface PurgeRouteOptions {
  readonly questions: WorkerQuestions;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function addPurgeRoutes(
  operations: Pick<Operations, 'route'>,
  { questions, clock, logger }: PurgeRouteOptions,
): void {
  const allowance = new Allowance({ clock, burst: BURST, perSecond: PER_SECOND });

  const purge = async (request: IncomingMessage): Promise<OperationsResponse> => {
    const from = request.socket.remoteAddress;
    if (!allowance.take()) {
      logger.warn({ audit: 'purge', from, status: 429 }, 'a purge was refused: too many calls');
      return {
        status: 429,
        body: { error: `more than ${PER_SECOND} calls a second; name more keys in one` },
      };
    }
    const body = await readJson(request, purgeBody, MAX_BODY_BYTES);
    if ('refused' in body) {
      logger.warn({ audit: 'purge', from, ...body.refused }, 'a purge was refused');
      return body.refused;
    }
    const { keys, patterns, kind, wait, timeoutMs } = body.value;
    const all = new Set([...keys, ...(await match(questions, patterns))]);
    const answer = await purgeAll([...all], { kind, wait, timeoutMs });
    const named = { count: all.size, keys: [...all].slice(0, 20), patterns };
    logger.info({ audit: 'purge', from, kind, wait, ...named, status: answer.status }, 'purge');
    return answer;
  };

  const purgeAll = async (
    keys: readonly string[],
    how: Pick<z.output<typeof purgeBody>, 'kind' | 'wait' | 'timeoutMs'>,
  ): Promise<OperationsResponse> => {
    if (keys.length === 0) return { status: 200, body: { keys: 0 } };
    if (keys.length > MAX_MATCHES) {
      return { status: 400, body: { error: `the patterns name more than ${MAX_MATCHES} keys` } };
    }
    return questions.ask({ ask: 'purge', keys: [...keys], ...how }, how.timeoutMs + MARGIN_MS);
  };

  const explain = async (_request: IncomingMessage, target: URL): Promise<OperationsResponse> => {
    const url = target.searchParams.get('url');
    const wanted = target.searchParams.get('key');
    if ((url === null) === (wanted === null)) {
      return {
        status: 400,
        body: { error: 'name one thing: /explain?url=/path or /explain?key=users%2317' },
      };
    }
    if (!allowance.take()) return { status: 429, body: { error: 'too many calls' } };
    const question =
      url === null ? { ask: 'explain' as const, key: wanted ?? '' } : { ask: 'explain' as const, url };
    const answers = await questions.askAll(question, EXPLAIN_WITHIN_MS);
    if (answers.length === 0) return { status: 503, body: { error: 'no worker could answer' } };
    const refused = answers.find(({ status }) => status !== 200);
    if (refused !== undefined) return refused;
    const workers = answers.map(({ body }) => body);
    if (url === null) return { status: 200, body: { workers } };
    // One of them renders it once more, and notes where each key comes from.
    const { body: why } = await questions.ask({ ask: 'why', url }, EXPLAIN_WITHIN_MS);
    return { status: 200, body: { workers, why } };
  };

  operations.route({ method: 'POST', path: '/purge', handler: purge });
  operations.route({ method: 'GET', path: '/explain', handler: explain });
}

/** Of every worker of this host: each knows the keys of what it holds itself. */
async function match(questions: WorkerQuestions, patterns: readonly string[]): Promise<readonly string[]> {
  if (patterns.length === 0) return [];
  const answers = await questions.askAll({ ask: 'match', patterns: [...patterns] }, MATCH_WITHIN_MS);
  return answers.flatMap(({ body }) => matched.safeParse(body).data?.keys ?? []);
}
