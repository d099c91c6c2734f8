import type { Bytes, EpochMs, Milliseconds } from '../../core/units.ts';
import { type CommittedTransaction, committedMs } from './collector.ts';
import type { Freshness } from './freshness.ts';
import type { Publisher } from './publisher.ts';

const KEPT = 1_000;
const none = { published: 0, publishFailures: 0, gateWaits: 0, beats: 0, missed: 0, nudges: 0 };
const counted = ['published', 'publishFailures', 'gateWaits', 'beats', 'missed', 'nudges'] as const;

export interface FeedReport {
  readonly transactions: number;
  readonly rows: number;
  readonly keys: number;
  /** Tables of a transaction that were purged whole because it changed too many rows of them. */
  readonly collapsed: number;
  readonly published: number;
  readonly publishFailures: number;
  /** Times a transaction was in the log before it was visible. */
  readonly gateWaits: number;
  readonly waiting: number;
  readonly beats: number;
  readonly beatsMissed: number;
  readonly nudges: number;
  readonly epochs: number;
  /** Of the log, by the slot; undefined until it was looked at. */
  readonly slotRetainedBytes?: Bytes;
  readonly terms: number;
  /** COMMIT to accepted by the bus, of the last transactions; by the database's clock and ours, which may differ. */
  readonly commitToPublishedP50Ms: Milliseconds;
  readonly commitToPublishedP99Ms: Milliseconds;
}

/** Counted over all terms of a process. */
export class FeedStats {
  #transactions = 0;
  #rows = 0;
  #keys = 0;
  #collapsed = 0;
  #terms = 0;
  epochs = 0;
  slotRetainedBytes: Bytes | undefined;
  readonly #latencies: Milliseconds[] = [];
  readonly #past = { ...none };
  #publisher: Publisher | undefined;
  #freshness: Freshness | undefined;

  term(publisher: Publisher, freshness: Freshness): void {
    const current = this.#current();
    for (const name of counted) this.#past[name] += current[name];
    this.#publisher = publisher;
    this.#freshness = freshness;
    this.#terms++;
  }

  published(transaction: CommittedTransaction, now: EpochMs): void {
    const { keys, rows, collapsed } = transaction;
    const at = committedMs(transaction);
    if (at === undefined) return;
    this.#transactions++;
    this.#rows += rows;
    this.#keys += keys.size;
    this.#collapsed += collapsed;
    this.#latencies[this.#transactions % KEPT] = now - at;
  }

  report(): FeedReport {
    const current = this.#current();
    const total = (name: (typeof counted)[number]) => this.#past[name] + current[name];
    const sorted = this.#latencies.filter((value) => value !== undefined).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      transactions: this.#transactions,
      rows: this.#rows,
      keys: this.#keys,
      collapsed: this.#collapsed,
      published: total('published'),
      publishFailures: total('publishFailures'),
      gateWaits: total('gateWaits'),
      waiting: this.#publisher?.waiting ?? 0,
      beats: total('beats'),
      beatsMissed: total('missed'),
      nudges: total('nudges'),
      epochs: this.epochs,
      terms: this.#terms,
      ...(this.slotRetainedBytes !== undefined && { slotRetainedBytes: this.slotRetainedBytes }),
      commitToPublishedP50Ms: at(0.5),
      commitToPublishedP99Ms: at(0.99),
    };
  }

  #current(): typeof none {
    return { ...none, ...this.#publisher?.stats, ...this.#freshness?.stats };
  }
}
