/** Of the feed's stats (data/feed/stats.ts), those that only grow while its process lives. */
const FEED_COUNTS = [
  'transactions',
  'rows',
  'keys',
  'collapsed',
  'published',
  'publishFailures',
  'gateWaits',
  'beats',
  'beatsMissed',
  'nudges',
  'epochs',
  'terms',
  'watchersTold',
  'watchersFailures',
  'watchersKeysDropped',
] as const;

type Stats = Readonly<Record<string, number>>;

/** Goes on where the feed's last process stopped: one that starts counts from zero. */
export class FeedCounts {
  readonly #before = new Map<string, number>();
  readonly #last = new Map<string, number>();

  /** The figures with every count as the sum over all processes. */
  sum(stats: Stats): Stats {
    const sums: Record<string, number> = { ...stats };
    for (const name of FEED_COUNTS) {
      const value = stats[name];
      if (value === undefined) continue;
      const last = this.#last.get(name) ?? 0;
      if (value < last) this.#before.set(name, (this.#before.get(name) ?? 0) + last);
      this.#last.set(name, value);
      sums[name] = (this.#before.get(name) ?? 0) + value;
    }
    return sums;
  }
}
