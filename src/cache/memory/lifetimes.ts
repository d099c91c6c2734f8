// What becomes of the entries of each group (a page's route): whether they live as long as they may, and what ends
// them. Counted where an entry is taken or dropped, never where one is read.
import type { Clock } from '../../core/clock.ts';
import type { DependencyKey, Milliseconds } from '../../core/units.ts';
import type { Validity } from '../../core/validity.ts';
import type { Cached } from '../entry.ts';
import type { CachedEntry } from './cached-entry.ts';

const zero = () => ({
  stored: 0,
  keys: 0,
  lifetimeMs: 0,
  ranOut: 0,
  unchanged: 0,
  purged: 0,
  purgedAgeMs: 0,
  purgedUnread: 0,
});

export interface LifetimesOptions<V extends Cached> {
  readonly clock: Pick<Clock, 'now'>;
  readonly validity: Validity;
  /** Whether two entries of one key would be the same to a visitor. */
  readonly isSame: (a: V, b: V) => boolean;
}

/** Pairs of a group and a cause that are kept apart. */
const MAX_CAUSES = 500;
/** Of an entry's keys, those that are asked whether they were purged. */
const MAX_ASKED = 64;
const YEAR_MS: Milliseconds = 365 * 24 * 3_600_000;
const OTHER_CAUSE = '(other)';

export class Lifetimes<V extends Cached> {
  readonly #options: LifetimesOptions<V>;
  readonly #groups = new Map<string, ReturnType<typeof zero>>();
  readonly #causes = new Map<string, { readonly group: string; readonly cause: string; entries: number }>();

  constructor(options: LifetimesOptions<V>) {
    this.#options = options;
  }

  /** `before`: what was held under its key until now. */
  stored(group: string, value: V, before: CachedEntry<V> | undefined): void {
    const { clock, validity, isSame } = this.#options;
    // The same, compressed better.
    if (before?.value.createdMs === value.createdMs) return;
    const counts = this.#of(group);
    counts.stored++;
    counts.keys += value.keys.length;
    counts.lifetimeMs += Math.min(YEAR_MS, Math.max(0, value.freshUntilMs - value.createdMs));
    if (before === undefined) return;
    const old = before.value;
    const isRenewed = value.createdMs > old.createdMs && old.freshUntilMs <= clock.now();
    if (!isRenewed || before.verdict(validity) !== 'valid') return;
    counts.ranOut++;
    if (isSame(old, value)) counts.unchanged++;
  }

  purged({ group, value, reads }: CachedEntry<V>): void {
    const counts = this.#of(group);
    counts.purged++;
    counts.purgedAgeMs += Math.max(0, this.#options.clock.now() - value.createdMs);
    if (reads === 0) counts.purgedUnread++;
    this.#count(group, this.#causeOf(value));
  }

  stats() {
    return {
      groups: [...this.#groups].map(([group, counts]) => ({ group, ...counts })),
      causes: [...this.#causes.values()].map((cause) => ({ ...cause })),
    };
  }

  #of(group: string) {
    const known = this.#groups.get(group);
    if (known !== undefined) return known;
    const counts = zero();
    this.#groups.set(group, counts);
    return counts;
  }

  #count(group: string, named: string): void {
    const cause =
      this.#causes.size < MAX_CAUSES || this.#causes.has(`${named} ${group}`) ? named : OTHER_CAUSE;
    const id = `${cause} ${group}`;
    const counted = this.#causes.get(id) ?? { group, cause, entries: 0 };
    counted.entries++;
    this.#causes.set(id, counted);
  }

  #causeOf({ keys, stamp }: V): string {
    const { validity } = this.#options;
    if (stamp.epoch !== validity.stamp().epoch) return '(new epoch)';
    const purged = keys
      .slice(0, MAX_ASKED)
      .find((key) => validity.judge(validity.slotsOf([key]), stamp) === 'purged');
    return purged === undefined ? OTHER_CAUSE : withoutValue(purged);
  }
}

/** `users#17` -> `users#`, `posts.user_id=17` -> `posts.user_id=`, `weather:berlin` -> `weather:`. */
function withoutValue(key: DependencyKey): string {
  const end = key.search(/[#=:]/);
  return (end === -1 ? key : key.slice(0, end + 1)).slice(0, 200);
}
