// A connection on loan to one statement or one transaction, and how it comes back after an abort.
import type { Milliseconds } from '../../core/units.ts';
import { QueryAbortedError } from '../errors.ts';
import { type AbortWatch, requestCancel } from './abort.ts';
import { Break, type Connection, Silence } from './connection.ts';
import { isConnectionLoss } from './failures.ts';

/** How long the server may take to stop an aborted statement before its connection is closed. */
const CANCEL_TIMEOUT_MS: Milliseconds = 1000;

/** A connection on loan, which goes back once, whichever user releases it first. */
export class ConnectionLease {
  readonly connection: Connection;
  readonly #inTransaction: boolean;
  #state: 'held' | 'dropped' | 'released' = 'held';

  constructor(connection: Connection, inTransaction: boolean) {
    this.connection = connection;
    this.#inTransaction = inTransaction;
  }

  get held(): boolean {
    return this.#state === 'held';
  }

  /** It is broken, or full: close it instead of giving it back. */
  drop(): void {
    if (this.#state === 'held') this.#state = 'dropped';
  }

  release(): void {
    if (this.#state === 'released') return;
    const broken = this.#state === 'dropped';
    this.#state = 'released';
    this.connection.giveBack(broken);
  }

  /** Later, when `usable` says whether it still is. */
  releaseAfter(usable: Promise<boolean>): void {
    if (this.#state !== 'held') return;
    this.#state = 'released';
    void usable.then((isUsable) => this.connection.giveBack(!isUsable));
  }

  /** After an abort: when what it runs has been stopped. One with half a transaction on it is closed. */
  abandon(running: Promise<unknown>): void {
    this.releaseAfter(stopped(this.connection, running).then((isOver) => isOver && !this.#inTransaction));
  }
}

/** `work`, or E_QUERY_ABORTED as soon as the signal aborts. */
export function abortable<T>(work: Promise<T>, watch: AbortWatch, sql: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const unwatch = watch.watch((why) => reject(new QueryAbortedError(sql, why)));
    work.then(
      (value) => {
        unwatch();
        resolve(value);
      },
      (error: unknown) => {
        unwatch();
        reject(error);
      },
    );
  });
}

/**
 * Stops what the connection runs. True: it has stopped, and the connection is as good as new. Behind a pooler it is waited
 * for, within the limits of the read: poolers may pass a cancel request on to a process that serves another client by then.
 */
async function stopped({ client, kind }: Connection, running: Promise<unknown>): Promise<boolean> {
  const over = running.then(
    () => true,
    (error: unknown) => !(error instanceof Silence || error instanceof Break || isConnectionLoss(error)),
  );
  if (!kind.isPrivate) return over;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CANCEL_TIMEOUT_MS);
  });
  const cancelled = requestCancel(client, CANCEL_TIMEOUT_MS);
  const both = Promise.all([over, cancelled]).then(([ended, taken]) => ended && taken);
  const usable = await Promise.race([both, late]);
  clearTimeout(timer);
  return usable;
}
