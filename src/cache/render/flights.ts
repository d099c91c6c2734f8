// Who renders, when several processes want the same key: the agreement beyond one process. Within a process
// single-flight.ts has already joined everybody into one flight before anybody is asked here.
import type { StopSignal } from '../../core/stop.ts';
import type { CacheKey } from '../contract.ts';

/** The turn to render. `done` wakes those who wait; after it they look into the shared tiers. */
export interface Turn {
  readonly role: 'leader';
  done(): Promise<void>;
}

/** Another has the turn. `over` resolves when it has finished or died (true), or has taken too long (false); then ask again. */
export interface Wait {
  readonly role: 'follower';
  readonly over: Promise<boolean>;
}

export interface FlightCoordinator {
  /**
   * Never rejects but by `signal`: a coordinator that cannot reach the others makes everybody a leader, since a
   * needless render is better than none.
   */
  enter(key: CacheKey, signal: StopSignal): Promise<Turn | Wait>;
  close(): Promise<void>;
}

/** Agreement among the stacks of one process; also the model for the others. */
export class LocalFlights implements FlightCoordinator {
  readonly #leaders = new Map<CacheKey, { readonly over: Promise<boolean>; readonly end: () => void }>();

  async enter(key: CacheKey): Promise<Turn | Wait> {
    const leader = this.#leaders.get(key);
    if (leader !== undefined) return { role: 'follower', over: leader.over };
    let end = () => {};
    const over = new Promise<boolean>((resolve) => {
      end = () => resolve(true);
    });
    const mine = { over, end };
    this.#leaders.set(key, mine);
    return {
      role: 'leader',
      done: async () => {
        if (this.#leaders.get(key) === mine) this.#leaders.delete(key);
        end();
      },
    };
  }

  async close(): Promise<void> {
    for (const { end } of this.#leaders.values()) end();
    this.#leaders.clear();
  }
}

/** First the nearer, then the farther: one per host asks the fleet, and a fleet out of reach leaves one per host. */
export class ChainedFlights implements FlightCoordinator {
  readonly #near: FlightCoordinator;
  readonly #far: FlightCoordinator;

  constructor(near: FlightCoordinator, far: FlightCoordinator) {
    this.#near = near;
    this.#far = far;
  }

  async enter(key: CacheKey, signal: StopSignal): Promise<Turn | Wait> {
    const near = await this.#near.enter(key, signal);
    if (near.role === 'follower') return near;
    let far: Turn | Wait;
    try {
      far = await this.#far.enter(key, signal);
    } catch (error) {
      await near.done();
      throw error;
    }
    if (far.role === 'leader') {
      return { role: 'leader', done: async () => void (await Promise.allSettled([far.done(), near.done()])) };
    }
    // The host's turn is kept while its holder waits for the fleet, or all workers of the host would ask it.
    return { role: 'follower', over: far.over.finally(() => near.done()) };
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#near.close(), this.#far.close()]);
  }
}
