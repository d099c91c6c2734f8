import type { KeySink } from '../../core/validity.ts';
import type { Db } from '../db.ts';
import { AbortWatch } from '../pool/abort.ts';
import type { Transaction } from '../transaction.ts';
import { type Runner, Session } from './read-scope.ts';

/** Reads as in `load` (each statement by itself), and transactions, which may write. */
export interface WritableDb extends Db {
  /**
   * Runs `work` between BEGIN and COMMIT; rolls back when it throws. What it reads it reads through its own argument.
   * Nothing is tried twice. Errors: those of `Db`, and whatever `work` throws.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** What a writing session needs of the database; `Database` is one. */
export interface WritingRunner extends Runner {
  transaction<T>(work: (transaction: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** What an action reads ends in no cache. */
const NO_SINK: KeySink = Object.freeze({ add: () => {}, untracked: () => {}, isDeaf: true });

/** The reads and writes of one action. */
export class WritingSession extends Session implements WritableDb {
  readonly #database: WritingRunner;
  readonly #signal: AbortSignal;

  constructor(database: WritingRunner, signal: AbortSignal) {
    super(database, AbortWatch.of(signal), NO_SINK);
    this.#database = database;
    this.#signal = signal;
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#database.transaction(work, this.#signal);
  }
}
