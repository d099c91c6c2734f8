// What a worker and the primary of its host say to each other about purges, where there is no Redis.
//
//   worker                                      relay (in the primary)
//   publish { id, keys, kind, time? }   ->      the time of the commit, where there was one
//                                       <-      published { id, epoch, seq }
//                                       <-      purge { epoch, seq, kind, keys, time? }  to every member
//   state { id, member?, epoch, seq, seen? } ->  also makes the sender a listener; `member` puts it on the list of acknowledgements, `seen` is
//                                               the highest number of an epoch that it knows of
//                                       <-      state { id, epoch, seq, freshMs, server }  of which the feed speaks
//   clock { id }                        ->
//                                       <-      clock { id, file }                     the clock, saved as a file
//   leave                               ->      it serves nothing any more: no purge waits for it
//   acknowledgements { id, everybody }  ->
//                                       <-      acknowledgements { id, epoch, seq, members }
//                                       <-      report                                 to every listener, where `everybody`
//   fresh { lifeMs, server }            ->      said by the feed, of this database server
//   epoch { id }                        ->      a new one, please
//                                       <-      published { id, epoch, seq }
import { z } from 'zod';
import { MAX_KEY_LENGTH, MAX_KEYS } from '../../invalidation/bus/purge-message.ts';

const id = z.number().int().nonnegative();
const epoch = z.string().min(1).max(64);
const seq = z.number().int().nonnegative();
const kind = z.enum(['purge', 'expire']);
const name = z.string().max(200);
/** Of which database server the feed speaks; '' where it is unknown. */
const server = z.string().max(200);
/** By the database's clock; for figures only. */
const committedMs = z.number().nonnegative().max(1e14).optional();
const keys = z.array(z.string().max(MAX_KEY_LENGTH)).max(MAX_KEYS);

const toRelay = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('publish'), id, keys, kind, committedMs }),
  z.object({
    ask: z.literal('state'),
    id,
    member: name.optional(),
    epoch: z.string().max(64),
    seq,
    seen: z.object({ epoch: z.string().max(64), seq }).optional(),
  }),
  z.object({ ask: z.literal('leave') }),
  z.object({ ask: z.literal('acknowledgements'), id, everybody: z.boolean() }),
  z.object({ ask: z.literal('clock'), id }),
  z.object({ ask: z.literal('fresh'), lifeMs: z.number().max(60_000), server }),
  z.object({ ask: z.literal('epoch'), id }),
]);

const fromRelay = z.discriminatedUnion('say', [
  z.object({ say: z.literal('published'), id, epoch, seq }),
  z.object({ say: z.literal('purge'), epoch, seq, kind, keys, committedMs }),
  z.object({ say: z.literal('state'), id, epoch, seq, freshMs: z.number(), server }),
  z.object({ say: z.literal('clock'), id, file: z.string() }),
  z.object({ say: z.literal('report') }),
  z.object({
    say: z.literal('acknowledgements'),
    id,
    epoch,
    seq,
    members: z.array(z.object({ name, word: z.string().max(100), epoch: z.string().max(64), seq })),
  }),
]);

export type ToRelay = z.output<typeof toRelay>;
export type FromRelay = z.output<typeof fromRelay>;

/** Undefined for anything that is not of this protocol. */
export function readToRelay(body: unknown): ToRelay | undefined {
  return toRelay.safeParse(body).data;
}

export function readFromRelay(body: unknown): FromRelay | undefined {
  return fromRelay.safeParse(body).data;
}
