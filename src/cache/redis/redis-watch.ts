// Finds out that a connection which only listens has fallen silent: its peer is gone, or a firewall between has
// forgotten it, and neither end has closed it. TCP itself takes a quarter of an hour to say so.
//
//   every `everyMs`     UNSUBSCRIBE from a channel without subscribers: it changes nothing and is answered, and,
//                       unlike PING, a client of a cluster sends it over the connections of its subscribers
//   no answer within    the connection is destroyed and made anew, with all its subscriptions; again after each further
//   `silentAfterMs`     `silentAfterMs` until there is an answer
//
// At most one question is on its way: the client keeps what it was asked while it has no connection.
import type { Cluster, Redis } from 'ioredis';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';

export interface RedisWatchOptions {
  readonly clock: Clock;
  /** It has no subscribers. With `sharded` it lives on the node whose connection is watched. */
  readonly pingChannel: string;
  readonly sharded?: boolean;
  readonly everyMs: Milliseconds;
  readonly silentAfterMs: Milliseconds;
}

/** Ends with the client. */
export function watchListener(client: Redis | Cluster, options: RedisWatchOptions): void {
  const { clock, pingChannel, sharded = false, everyMs, silentAfterMs } = options;
  let timer: Timer | undefined;
  let isOver = false;

  const ask = () => {
    const askedAt = clock.monotonic();
    const asked = sharded ? client.sunsubscribe(pingChannel) : client.unsubscribe(pingChannel);
    wait(askedAt);
    const answered = () => {
      timer?.cancel();
      if (!isOver) timer = clock.after(everyMs, ask);
    };
    asked.then(answered, answered);
  };
  const wait = (since: Milliseconds) => {
    timer = clock.after(silentAfterMs, () => {
      const now = clock.monotonic();
      // A timer that is late tells of this process: the answer may lie unread in the socket.
      if (now - since <= silentAfterMs * 1.25) client.disconnect(true);
      wait(now);
    });
  };

  timer = clock.after(everyMs, ask);
  client.once('end', () => {
    isOver = true;
    timer?.cancel();
  });
}
