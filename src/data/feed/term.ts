// One term of a leading feed: from the moment the slot is ours until something breaks. Everything that was read but
// not acknowledged is read again in the next term, by the feed that leads then.
//
//   stream -> decoder -> collector -> publisher -> bus
//     ^ held while a change of definitions is dealt with, or too much waits
import type { Clock } from '../../core/clock.ts';
import type { DatabaseIdentity } from '../../core/database-identity.ts';
import type { Logger } from '../../core/log.ts';
import type { DependencyKey, EpochMs, Milliseconds } from '../../core/units.ts';
import { PgoutputDecoder } from '../changes/change-keys-pgoutput.ts';
import { Collector, type CollectorLimits, type CommittedTransaction } from './collector.ts';
import type { SqlConnection } from './connections.ts';
import type { Definitions } from './definitions.ts';
import { FeedUnavailableError } from './errors.ts';
import { Freshness } from './freshness.ts';
import { parseSnapshot } from './gate.ts';
import type { LogStream } from './log-stream.ts';
import type { Lsn } from './lsn.ts';
import type { PagesDatabase } from './pages-database.ts';
import { Publisher } from './publisher.ts';
import type { FeedStats } from './stats.ts';

/** Where the feed's words go: the purge bus, given from outside. */
export interface FeedBus {
  /** Called before anything else of a term: the database that all that follows is about. */
  follows(server: DatabaseIdentity): Promise<void>;
  /** Resolves once the keys have been accepted: from then on they cannot be lost. `committedMs`: of the oldest change. */
  publish(keys: readonly DependencyKey[], committedMs: EpochMs | undefined): Promise<void>;
  /** Everything committed until now has been published; holds for `lifeMs`. */
  setFresh(lifeMs: Milliseconds): Promise<void>;
  /** Everything rendered until now becomes suspect. */
  beginEpoch(): Promise<void>;
}

export interface TermOptions {
  readonly bus: FeedBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stats: FeedStats;
  readonly freshLifeMs: Milliseconds;
  readonly limits?: CollectorLimits;
  readonly maxWaitingKeys?: number;
  /** Answers in a millisecond: nothing slow is asked of it, as every purge waits for its answers. */
  readonly control: SqlConnection;
  /** For what waits for the disk. */
  readonly patient: SqlConnection;
  /** Whose pages are to be fresh. */
  readonly pages: PagesDatabase;
  /** A server that was asked over the stream and says nothing for so long is not there any more. */
  readonly silentAfterMs: Milliseconds;
  readonly definitions: Definitions;
  /** The definitions changed, and what follows from it has been published. */
  readonly onDefinitions: () => void;
  readonly gate?: boolean;
}

export class Term {
  readonly #options: TermOptions;
  readonly #stream: LogStream;
  readonly #decoder = new PgoutputDecoder();
  readonly #collector: Collector;
  readonly #publisher: Publisher;
  readonly #freshness: Freshness;
  #catalogIsDue = false;
  #catalogIsTaken = true;
  #fail: (error: unknown) => void = () => {};
  /** Resolves with the reason when the term cannot go on. */
  readonly failed = new Promise<unknown>((resolve) => {
    this.#fail = resolve;
  });

  constructor(stream: LogStream, options: TermOptions) {
    this.#options = options;
    this.#stream = stream;
    const { bus, clock, logger, control, definitions, stats } = options;
    this.#collector = new Collector(definitions.catalog, options.limits);
    this.#publisher = new Publisher({
      clock,
      logger,
      snapshot: async () => {
        const askedAt = clock.monotonic();
        const { rows } = await control.query<{ now: string }>('SELECT pg_current_snapshot()::text AS now');
        return parseSnapshot(rows[0]?.now ?? '', askedAt);
      },
      publish: (keys, committedMs) => bus.publish(keys, committedMs),
      beginEpoch: () => bus.beginEpoch(),
      takeCatalog: (transaction) => this.#takeCatalog(transaction),
      acknowledge: (lsn) => stream.acknowledge(lsn),
      onChannel: () => this.#goOn(),
      onPublished: (transaction) => {
        stats.published(transaction, clock.now());
        if (!transaction.needsCatalog) return;
        this.#catalogIsTaken = true;
        options.onDefinitions();
      },
      onFailed: (error) => this.#fail(error),
      ...(options.maxWaitingKeys === undefined ? {} : { maxWaitingKeys: options.maxWaitingKeys }),
      ...(options.gate === undefined ? {} : { gate: options.gate }),
    });
    this.#freshness = new Freshness({
      clock,
      logger,
      lifeMs: options.freshLifeMs,
      publisher: this.#publisher,
      insertedUpTo: () => this.#endOfLog(),
      definitionsAreKnown: () => this.#definitionsAreKnown(),
      askPosition: () => {
        stream.sendStatus(true);
        if (stream.silentMs > options.silentAfterMs) this.#fail(new Error('The server has gone silent.'));
      },
      nudge: async () => {
        await options.patient.query(`SELECT pg_logical_emit_message(true, 'coherent.beat', '')`);
      },
      setFresh: (lifeMs) => bus.setFresh(lifeMs),
    });
    stats.term(this.#publisher, this.#freshness);
  }

  start(): void {
    this.#stream.release();
    this.#freshness.start();
  }

  data(message: Buffer): void {
    try {
      const transaction = this.#collector.take(this.#decoder.decode(message));
      if (transaction !== undefined) this.#committed(transaction);
    } catch (error) {
      // Not to be read over: what was not understood may be a change.
      this.#stream.hold();
      this.#fail(error);
    }
  }

  position(lsn: Lsn): void {
    this.#publisher.reached(lsn);
    this.#freshness.reached(lsn);
  }

  close(): void {
    this.#freshness.close();
    this.#publisher.close();
  }

  #committed(read: CommittedTransaction): void {
    const transaction = this.#catalogIsDue ? { ...read, needsCatalog: true } : read;
    this.#queue(transaction);
    this.#freshness.reached(transaction.endLsn);
  }

  /** Held before it is queued: nothing may be collected by a catalog that is about to be replaced. */
  #queue(transaction: CommittedTransaction): void {
    if (transaction.needsCatalog) {
      this.#catalogIsDue = false;
      this.#catalogIsTaken = false;
      this.#stream.hold();
    }
    this.#publisher.push(transaction);
    if (this.#publisher.full) this.#stream.hold();
  }

  #goOn(): void {
    if (this.#catalogIsTaken && !this.#publisher.full) this.#stream.release();
  }

  /** Of another database: what is read here would vouch for what is read there, so this term is over. */
  async #endOfLog(): Promise<Lsn> {
    try {
      return await this.#options.pages.endOfLog();
    } catch (error) {
      if (error instanceof FeedUnavailableError) this.#fail(error);
      throw error;
    }
  }

  async #takeCatalog(transaction: CommittedTransaction): Promise<Iterable<DependencyKey>> {
    const keys = await this.#options.definitions.renew(transaction);
    this.#collector.useCatalog(this.#options.definitions.catalog);
    return keys;
  }

  async #definitionsAreKnown(): Promise<boolean> {
    if (await this.#options.definitions.areKnown()) return true;
    if (this.#catalogIsDue || !this.#catalogIsTaken) return false;
    this.#catalogIsDue = true;
    // A transaction that is just coming in brings it about when it is complete.
    if (!this.#collector.collecting) this.#queue({ ...nothing, needsCatalog: true });
    return false;
  }
}

const nothing: CommittedTransaction = {
  xid: undefined,
  endLsn: 0n,
  commitMicros: 0n,
  keys: new Set(),
  rows: 0,
  collapsed: 0,
  definitionsChanged: false,
  definitionsDropped: false,
  needsCatalog: false,
  unfamiliar: [],
  everything: false,
};
