// From committed transactions to purges that the bus has accepted.
//
//   queued     as the log told it, in commit order
//   visible    a snapshot shows it: its keys go out, together with those of all others that are visible by now
//   published  the bus took them; when nothing older is left, the log's position moves on
//
// What holds
// - nothing is acknowledged that was not published; a bus that fails is asked again, with backoff, for ever
// - a transaction that stays invisible (it waits for a synchronous replica) does not hold up younger ones
// - a transaction that changed definitions is dealt with alone: when all before it are published, and before
//   anything after it is read
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { DependencyKey, EpochMs, Milliseconds } from '../../core/units.ts';
import { type CommittedTransaction, committedMs } from './collector.ts';
import { isVisible, type Snapshot } from './gate.ts';
import type { Lsn } from './lsn.ts';

export interface PublisherOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly snapshot: () => Promise<Snapshot>;
  /** Resolves when the bus has accepted the keys: from then on they cannot be lost. */
  readonly publish: (keys: readonly DependencyKey[], oldestMs: EpochMs | undefined) => Promise<void>;
  readonly beginEpoch: () => Promise<void>;
  /** The catalog is loaded anew; the answer are the keys of what changed in it. */
  readonly takeCatalog: (transaction: CommittedTransaction) => Promise<Iterable<DependencyKey>>;
  readonly acknowledge: (lsn: Lsn) => void;
  /** Called after every step: reading may go on, unless something else stands against it. */
  readonly onChannel: () => void;
  readonly onPublished: (transaction: CommittedTransaction) => void;
  /** The snapshot could not be had: this term is over. */
  readonly onFailed: (error: unknown) => void;
  readonly maxWaitingKeys?: number;
  /** Tests turn the gate off to show what it is for. */
  readonly gate?: boolean;
}

interface Queued {
  readonly number: number;
  readonly transaction: CommittedTransaction;
  published: boolean;
  /** When it was last known not to be visible. */
  invisibleAt: Milliseconds;
}

const RETRY_MS: readonly Milliseconds[] = [20, 50, 100, 200, 500];
const LOOK_AGAIN_MS: readonly Milliseconds[] = [1, 1, 1, 2, 2, 4, 4, 8, 16, 25];
const MAX_KEYS_AT_ONCE = 20_000;

export class Publisher {
  readonly #options: PublisherOptions;
  #queue: Queued[] = [];
  #lastNumber = 0;
  #waitingKeys = 0;
  /** Everything before it has been read from the log. */
  #position: Lsn = 0n;
  #running = false;
  #closed = false;
  #wake: (() => void) | undefined;
  #onProgress: (() => void) | undefined;
  readonly stats = { published: 0, publishFailures: 0, gateWaits: 0 };

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** The number of the last transaction that was queued. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** No more should be read until `onChannel`. */
  get full(): boolean {
    return this.#waitingKeys > (this.#options.maxWaitingKeys ?? 200_000);
  }

  push(transaction: CommittedTransaction): void {
    const { keys, needsCatalog, everything } = transaction;
    this.#lastNumber++;
    const isEmpty = keys.size === 0 && !needsCatalog && !everything;
    if (isEmpty && this.#queue.length === 0) {
      this.#options.acknowledge(transaction.endLsn);
      return;
    }
    this.#waitingKeys += keys.size;
    const invisibleAt = Number.NEGATIVE_INFINITY;
    this.#queue.push({ number: this.#lastNumber, transaction, published: isEmpty, invisibleAt });
    if (!this.#running) void this.#run();
  }

  /** The log has been read up to here. */
  reached(position: Lsn): void {
    if (position > this.#position) this.#position = position;
    if (this.#queue.length === 0) this.#options.acknowledge(this.#position);
  }

  /** Whether every transaction up to this number is published, or was not visible yet at `sinceMs`. */
  settled(number: number, sinceMs: Milliseconds): boolean {
    return this.#queue.every((each) => each.number > number || each.published || each.invisibleAt >= sinceMs);
  }

  /** Called after every step of the queue; one listener, the freshness. */
  onProgress(listener: () => void): void {
    this.#onProgress = listener;
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let looks = 0;
    try {
      while (this.#queue.length > 0 && !this.#closed) {
        const visible = await this.#visible();
        if (this.#closed) return;
        if (visible.length > 0) {
          await this.#deal(visible);
          looks = 0;
        }
        this.#onProgress?.();
        if (visible.length === 0) {
          this.stats.gateWaits++;
          await this.#pause(LOOK_AGAIN_MS[Math.min(looks++, LOOK_AGAIN_MS.length - 1)] ?? 25);
        }
      }
    } catch (error) {
      if (!this.#closed) this.#options.onFailed(error);
    } finally {
      this.#running = false;
    }
  }

  /** Those to be published next; of one that changes definitions only itself, and only as the last one left. */
  async #visible(): Promise<Queued[]> {
    const waiting = this.#queue.filter((each) => !each.published);
    const snapshot = this.#options.gate === false ? undefined : await this.#options.snapshot();
    const visible: Queued[] = [];
    let keys = 0;
    for (const each of waiting) {
      const { xid } = each.transaction;
      if (snapshot !== undefined && xid !== undefined && !isVisible(xid, snapshot)) {
        each.invisibleAt = snapshot.askedAt;
        continue;
      }
      if (each.transaction.needsCatalog && this.#queue[0] !== each) break;
      if (keys > 0 && keys + each.transaction.keys.size > MAX_KEYS_AT_ONCE) break;
      keys += each.transaction.keys.size;
      visible.push(each);
      if (each.transaction.needsCatalog) break;
    }
    return visible;
  }

  async #deal(visible: readonly Queued[]): Promise<void> {
    const keys = new Set<DependencyKey>();
    let everything = false;
    let oldestMs: EpochMs | undefined;
    for (const { transaction } of visible) {
      oldestMs ??= committedMs(transaction);
      for (const key of transaction.keys) keys.add(key);
      if (transaction.everything) everything = true;
      if (transaction.needsCatalog) {
        for (const key of await this.#options.takeCatalog(transaction)) keys.add(key);
      }
    }
    await this.#insist(async () => {
      if (everything) await this.#options.beginEpoch();
      if (keys.size > 0) await this.#options.publish([...keys], oldestMs);
    });
    if (this.#closed) return;
    for (const each of visible) {
      each.published = true;
      this.#waitingKeys -= each.transaction.keys.size;
      this.#options.onPublished(each.transaction);
    }
    this.stats.published++;
    this.#acknowledge();
    this.#options.onChannel();
  }

  #acknowledge(): void {
    let done = 0;
    while (this.#queue[done]?.published === true) done++;
    const last = this.#queue[done - 1];
    if (last === undefined) return;
    this.#queue = this.#queue.slice(done);
    this.#options.acknowledge(last.transaction.endLsn);
    if (this.#queue.length === 0) this.#options.acknowledge(this.#position);
  }

  /** Tries until it works or the term is over. */
  async #insist(attempt: () => Promise<void>): Promise<void> {
    for (let failures = 0; !this.#closed; failures++) {
      try {
        await attempt();
        if (failures > 0) this.#options.logger.info({ failures }, 'change feed: the bus takes purges again');
        return;
      } catch (error) {
        this.stats.publishFailures++;
        if (failures === 0)
          this.#options.logger.warn({ err: error }, 'change feed: a purge was not taken; it is tried again');
        await this.#pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 500);
      }
    }
  }

  #pause(delayMs: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(delayMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
