// All who are told of purges outside of this fleet. Every process may add to what they are told; one process, that of the
// leading feed, tells them.
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { rowOf } from '../core/row-keys.ts';
import type { DependencyKey } from '../core/units.ts';
import { isBarrierKey } from '../invalidation/clock/barrier-keys.ts';
import { looksLike } from '../invalidation/graph/pattern.ts';
import { Delivery, type Waiting } from './delivery.ts';
import type { Target } from './target.ts';

/** src/data/feed/outbox.ts is one. */
export interface WaitingRoom extends Waiting {
  /** True: it was too much, and "everything" stands for it now. */
  add(
    told: readonly { readonly target: string; readonly keys: readonly DependencyKey[] | undefined }[],
  ): Promise<boolean>;
  keepOnly(targets: readonly string[]): Promise<number>;
  stats(): { readonly dropped: number };
}

export interface WatchersOptions {
  readonly targets: readonly Target[];
  readonly outbox: WaitingRoom;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

export class Watchers {
  readonly #options: WatchersOptions;
  #deliveries: readonly Delivery[] = [];

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  /** Resolves when it cannot be lost any more. Undefined: everything. */
  async add(keys: readonly DependencyKey[] | undefined): Promise<void> {
    const { targets, outbox, logger } = this.#options;
    // A change of a column of a row is a change of the row.
    const named = keys?.filter((key) => !isBarrierKey(key) && rowOf(key) === undefined);
    const told = targets.flatMap(({ name: target, pattern }) => {
      const seen = named?.filter((key) => looksLike(key, pattern));
      return seen?.length === 0 ? [] : [{ target, keys: seen }];
    });
    if (told.length === 0) return;
    if (await outbox.add(told)) {
      const message =
        'watchers: more waits for a target than is kept; it will be told that everything was purged';
      logger.warn({}, message);
    }
    for (const delivery of this.#deliveries) delivery.wake();
  }

  /** From now on this process tells them. Until `rest`. */
  start(): void {
    const { targets, outbox, logger } = this.#options;
    if (this.#deliveries.length > 0 || targets.length === 0) return;
    this.#deliveries = targets.map((target) => new Delivery({ ...this.#options, target }));
    for (const delivery of this.#deliveries) delivery.start();
    outbox.keepOnly(targets.map(({ name }) => name)).then(
      (rows) => {
        if (rows > 0) logger.warn({ rows }, 'watchers: what waited for targets that are gone was let go');
      },
      (error: unknown) => logger.warn({ err: error }, 'watchers: the outbox could not be tidied'),
    );
  }

  /** Another process leads, or none. */
  async rest(): Promise<void> {
    const deliveries = this.#deliveries;
    this.#deliveries = [];
    await Promise.all(deliveries.map((delivery) => delivery.close()));
  }

  /** Summed over targets. Counts begin anew when this process leads anew. */
  stats(): {
    readonly watchersTold: number;
    readonly watchersFailures: number;
    readonly watchersKeysDropped: number;
  } {
    let [watchersTold, watchersFailures] = [0, 0];
    for (const delivery of this.#deliveries) {
      const { told, failures } = delivery.stats();
      watchersTold += told;
      watchersFailures += failures;
    }
    return { watchersTold, watchersFailures, watchersKeysDropped: this.#options.outbox.stats().dropped };
  }

  async close(): Promise<void> {
    await this.rest();
    await Promise.all(this.#options.targets.map((target) => target.close?.()));
  }
}
