// Read your own writes: waiting until what has been committed is what everybody is served.
//
//   a mark is written into the database's log, behind every commit that has returned by then
//   -> the feed reads it, after all of those, and publishes it with their keys or later
//   -> it is heard on the bus, with its number
//   -> all who serve pages are asked whether they have applied that number
//
// So it covers every commit that the caller knows to be over, whatever client made it, and names no table. A reset of
// the bus may have swallowed the mark (the whole clock came in the place of messages); it is then written once more.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { DependencyKey, Milliseconds } from '../../core/units.ts';
import { barrierKey, isBarrierKey } from '../clock/barrier-keys.ts';
import type { BusListener, Published, Purge, PurgeBus } from './bus.ts';

const VISIBLE_WITHIN_MS: Milliseconds = 250;
const LONGEST_WAIT_MS: Milliseconds = 30_000;

/**
 * `applied`: no worker of any host serves what was made before. Otherwise nothing is known, and nothing is lost: the
 * purge goes its way, within COHERENCE_BOUND_MS.
 * - `feed-off`: no feed follows the log (FEED); pages live by their TTL and explicit purges
 * - `not-published`: the feed has not come that far in time: it is behind, cut off, or has just died
 * - `not-applied`: `missing` names the workers that have not said so in time
 * - `unavailable`: the database or the bus could not be asked; the log says why
 */
export type Visible =
  | { readonly applied: true; readonly workers: number }
  | {
      readonly applied: false;
      readonly reason: 'feed-off' | 'not-published' | 'not-applied' | 'unavailable';
      readonly missing: readonly string[];
    };

export interface VisibilityOptions {
  readonly bus: Pick<PurgeBus, 'applied'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  /** Writes keys into the database's log; resolves when that is committed. */
  readonly write: (keys: readonly DependencyKey[]) => Promise<unknown>;
  /** Whether anybody follows the log. */
  readonly followed: boolean;
}

interface Waiting {
  heard(published: Published): void;
  writeAgain(): void;
}

export class Visibility implements BusListener {
  readonly #options: VisibilityOptions;
  readonly #waiting = new Map<DependencyKey, Waiting>();

  constructor(options: VisibilityOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async wait(withinMs: Milliseconds = VISIBLE_WITHIN_MS): Promise<Visible> {
    const { bus, clock, logger, followed } = this.#options;
    if (!followed) return { applied: false, reason: 'feed-off', missing: [] };
    const limitMs = Math.min(Math.max(1, withinMs), LONGEST_WAIT_MS);
    const endsAt = clock.monotonic() + limitMs;
    try {
      const published = await this.#published(limitMs);
      if (published === undefined) return { applied: false, reason: 'not-published', missing: [] };
      const leftMs = Math.max(1, endsAt - clock.monotonic());
      const { workers, missing } = await bus.applied(published, { timeoutMs: leftMs });
      // No worker on the list of acknowledgements: not even this one is, so nothing is known.
      if (missing.length === 0 && workers > 0) return { applied: true, workers };
      return { applied: false, reason: 'not-applied', missing };
    } catch (error) {
      logger.warn({ err: error }, 'visible(): whether a commit is visible everywhere could not be found out');
      return { applied: false, reason: 'unavailable', missing: [] };
    }
  }

  purge({ keys, epoch, seq }: Purge): void {
    if (this.#waiting.size === 0) return;
    for (const key of keys) if (isBarrierKey(key)) this.#waiting.get(key)?.heard({ epoch, seq });
  }

  reset(): void {
    for (const each of this.#waiting.values()) each.writeAgain();
  }

  /** Where everything committed by now has been published; undefined when that took too long. */
  #published(withinMs: Milliseconds): Promise<Published | undefined> {
    const { clock, newId, write } = this.#options;
    const mark = barrierKey(newId());
    return new Promise((resolve, reject) => {
      const end = () => {
        timer.cancel();
        this.#waiting.delete(mark);
      };
      const timer = clock.after(withinMs, () => {
        end();
        resolve(undefined);
      });
      const writeIt = () => {
        write([mark]).catch((error: unknown) => {
          end();
          reject(error);
        });
      };
      const heard = (published: Published) => {
        end();
        resolve(published);
      };
      this.#waiting.set(mark, { heard, writeAgain: writeIt });
      writeIt();
    });
  }
}
