// How the primary hears how its workers are (figures.ts).
//
//   worker                                   primary
//   here                            ->                      ask me
//                                   <-       ask            how are you
//   figures { snapshot }            ->                      the answer; also unasked, as the last word of one that drains
import { z } from 'zod';

export const STATS_CHANNEL = 'stats';

const fromWorker = z.discriminatedUnion('say', [
  z.object({ say: z.literal('here') }),
  z.object({ say: z.literal('stats'), snapshot: z.unknown() }),
]);

const fromPrimary = z.object({ say: z.literal('ask') });

/** Undefined for anything that is not of this protocol. */
export function readStatsFromWorker(body: unknown): z.output<typeof fromWorker> | undefined {
  return fromWorker.safeParse(body).data;
}

export function isStatsQuestion(body: unknown): boolean {
  return fromPrimary.safeParse(body).success;
}
