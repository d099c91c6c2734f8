// Whether the server has ever been able to do its work: a wrong password or address is found at the first statement, and a
// balancer must not send visitors to a server that has never had an answer. Outages that come later are another matter:
// what is cached is served through them.
//
//   unasked   no worker has said anything: no reason to hold visitors back
//   away      a worker could not reach the database when it started        -> reached
//   reached   one statement has succeeded, in any worker; this is the end
import type { Channel, Peer } from '../host-link/message-router.ts';

export class DatabaseReach implements Channel {
  #state: 'unasked' | 'away' | 'reached' = 'unasked';

  get isAway(): boolean {
    return this.#state === 'away';
  }

  receive(_from: Peer, body: unknown): void {
    if (body === true) this.#state = 'reached';
    else if (this.#state === 'unasked') this.#state = 'away';
  }

  leave(): void {}
}
