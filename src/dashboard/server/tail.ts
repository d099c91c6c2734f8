// The live requests of all workers, for the dashboard: workers record them only while they are asked for them.
//
//   worker                                   primary
//   here                            ->                      ask me
//                                   <-       watch          what was there since the last time? and go on recording
//   lines { lines, skipped }        ->                      the answer
import { z } from 'zod';
import type { Channel, Peer } from '../../host-link/message-router.ts';
import type { TailLine } from '../data/frame.ts';

export const TAIL_CHANNEL = 'tail';

const line = z.object({
  atMs: z.number(),
  slot: z.number(),
  method: z.string().max(20),
  target: z.string().max(300),
  status: z.number(),
  cache: z.string().max(40),
  ms: z.number().nullable(),
});

const fromWorker = z.discriminatedUnion('say', [
  z.object({ say: z.literal('here') }),
  z.object({ say: z.literal('lines'), lines: z.array(line).max(200), skipped: z.number().nonnegative() }),
]);

/** Between two looks, of all workers together. */
const MAX_LINES = 300;

export class HostTail implements Channel {
  readonly #workers = new Set<Peer>();
  #lines: TailLine[] = [];
  #skipped = 0;

  receive(from: Peer, body: unknown): void {
    const message = fromWorker.safeParse(body).data;
    if (message?.say === 'here') this.#workers.add(from);
    if (message?.say !== 'lines') return;
    const channel = MAX_LINES - this.#lines.length;
    this.#lines.push(...message.lines.slice(0, channel));
    this.#skipped += message.skipped + Math.max(0, message.lines.length - channel);
  }

  leave(from: Peer): void {
    this.#workers.delete(from);
  }

  /** What has come since the last look. What workers have by now comes with the next one. */
  look(): { readonly tail: readonly TailLine[]; readonly tailSkipped: number } {
    const seen = { tail: this.#lines, tailSkipped: this.#skipped };
    this.#lines = [];
    this.#skipped = 0;
    for (const worker of this.#workers) worker.send({ say: 'watch' });
    return seen;
  }
}

export function isWatchQuestion(body: unknown): boolean {
  return z.object({ say: z.literal('watch') }).safeParse(body).success;
}
