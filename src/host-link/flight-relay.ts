// Who renders what, among the workers of one host: kept in the primary, which only writes names into a map.
//
//   worker                       relay
//   enter { id, key }     ->
//                         <-     turn { id, key, leads }      leads: render; otherwise wait
//   done { key }          ->                             the leader has stored its result, or failed
//                         <-     over { id }             to everybody who waits for the key: ask again
//
// A leader that dies is a leader that is done.
import { z } from 'zod';

const id = z.number().int().nonnegative();
const key = z.string().max(16_384);

const toRelay = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('enter'), id, key }),
  z.object({ ask: z.literal('done'), key }),
]);
const fromRelay = z.discriminatedUnion('say', [
  z.object({ say: z.literal('turn'), id, key, leads: z.boolean() }),
  z.object({ say: z.literal('over'), id }),
]);

export type ToFlightRelay = z.output<typeof toRelay>;
export type FromFlightRelay = z.output<typeof fromRelay>;

export function readFromFlightRelay(body: unknown): FromFlightRelay | undefined {
  return fromRelay.safeParse(body).data;
}

/** One worker process: the same object for all of its messages. */
interface Member {
  send(body: FromFlightRelay): void;
}

interface InFlight {
  readonly leader: Member;
  readonly waiting: { readonly member: Member; readonly id: number }[];
}

export class FlightRelay {
  readonly #inFlight = new Map<string, InFlight>();

  receive(from: Member, body: unknown): void {
    const message = toRelay.safeParse(body).data;
    if (message?.ask === 'enter') this.#enter(from, message.id, message.key);
    else if (message?.ask === 'done' && this.#inFlight.get(message.key)?.leader === from) {
      this.#end(message.key);
    }
  }

  leave(member: Member): void {
    for (const [key, { leader, waiting }] of this.#inFlight) {
      const others = waiting.filter((each) => each.member !== member);
      waiting.splice(0, waiting.length, ...others);
      if (leader === member) this.#end(key);
    }
  }

  /** Workers that wait for its turns go on without it: its event loop does not turn. What it still says of them is ignored. */
  silent(member: Member): void {
    for (const [key, { leader }] of this.#inFlight) if (leader === member) this.#end(key);
  }

  /** Keys that are being rendered now. */
  get size(): number {
    return this.#inFlight.size;
  }

  #enter(from: Member, id: number, key: string): void {
    const inFlight = this.#inFlight.get(key);
    if (inFlight === undefined) this.#inFlight.set(key, { leader: from, waiting: [] });
    else inFlight.waiting.push({ member: from, id });
    from.send({ say: 'turn', id, key, leads: inFlight === undefined });
  }

  #end(key: string): void {
    const waiting = this.#inFlight.get(key)?.waiting ?? [];
    this.#inFlight.delete(key);
    for (const { member, id } of waiting) member.send({ say: 'over', id });
  }
}
