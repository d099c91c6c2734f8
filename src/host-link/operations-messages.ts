// What the operations port asks of render workers, which have the bus and the caches that the primary has not.
//
//   worker                                   primary
//   here                            ->                      asks me
//   leaving                         ->                      does so no more; what it was asked is still answered
//                                   <-       match          { id, patterns }: which keys it holds that look like these
//                                   <-       purge          { id, keys, kind, wait, timeoutMs }
//                                   <-       explain        { id, url } or { id, key }
//                                   <-       why            { id, url }: which statement gave which key
//                                   <-       rollout        { id }: its figures of what is rolled out in part
//   answer { id, status, body }     ->                      what the operator gets
import { z } from 'zod';

export const OPERATIONS_CHANNEL = 'operations';

const id = z.number().int().nonnegative();

const fromWorker = z.discriminatedUnion('say', [
  z.object({ say: z.literal('here') }),
  z.object({ say: z.literal('leaving') }),
  z.object({ say: z.literal('answer'), id, status: z.number().int().min(200).max(599), body: z.unknown() }),
]);

const question = z.discriminatedUnion('ask', [
  z.object({
    ask: z.literal('purge'),
    id,
    keys: z.array(z.string()),
    kind: z.enum(['purge', 'expire']),
    wait: z.boolean(),
    timeoutMs: z.number(),
  }),
  z.object({ ask: z.literal('rollout'), id }),
  z.object({ ask: z.literal('match'), id, patterns: z.array(z.string()) }),
  z.object({ ask: z.literal('why'), id, url: z.string() }),
  z.object({ ask: z.literal('explain'), id, url: z.string().optional(), key: z.string().optional() }),
]);

export type OperationsFromWorker = z.output<typeof fromWorker>;
export type AskedQuestion = z.output<typeof question>;
/** As the port puts it; the number is given on its way out. */
export type Question = AskedQuestion extends infer Q ? (Q extends unknown ? Omit<Q, 'id'> : never) : never;

/** Undefined for anything that is not of this protocol. */
export function readOperationsFromWorker(body: unknown): OperationsFromWorker | undefined {
  return fromWorker.safeParse(body).data;
}

export function readQuestion(body: unknown): AskedQuestion | undefined {
  return question.safeParse(body).data;
}
