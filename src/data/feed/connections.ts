// The three connections of a feed: one that streams the log, one for the questions that are asked all the time (what
// is visible, where the log ends), one for what may take a while (the catalog, the publication).
import pg from 'pg';
import type { Milliseconds } from '../../core/units.ts';
import { logSettings } from '../changes/change-keys.ts';
import { isSilence } from '../pool/failures.ts';

const CONNECT_WITHIN_MS: Milliseconds = 5_000;
/** Locks on the application's tables; what does not wait for them sets it aside. */
export const LOCK_TIMEOUT_MS: Milliseconds = 300;
/** The server frees the slot of a feed that is silent for so long: stopped, cut off, or its machine gone. */
const SENDER_TIMEOUT_MS: Milliseconds = 2_000;

/** A connection that was just opened answers its first question sooner than this. */
const FIRST_ANSWER_MS: Milliseconds = 3_000;

export interface SqlOptions {
  readonly url: string;
  /** A connection that does not answer in time is destroyed: the other end may be gone. */
  readonly answerWithinMs: Milliseconds;
  readonly onLost: (error: Error) => void;
}

/** A connection for statements. Never retried: when it breaks, the feed's term is over. */
export class SqlConnection {
  readonly #client: pg.Client;
  readonly #onLost: (error: Error) => void;
  #last: Promise<unknown> = Promise.resolve();
  #questions = 0;
  #answers = 0;

  private constructor(client: pg.Client, onLost: (error: Error) => void) {
    this.#client = client;
    this.#onLost = onLost;
  }

  static async open({ url, answerWithinMs, onLost }: SqlOptions): Promise<SqlConnection> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'coherent-feed',
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      query_timeout: answerWithinMs,
      keepAlive: true,
    });
    client.on('error', onLost);
    await connected(client);
    // `local`: what we flush need not wait for replicas. Locks of ours must never queue behind a long one and block
    // the application behind us.
    await first(
      client,
      `SET synchronous_commit = local; SET lock_timeout = ${LOCK_TIMEOUT_MS}; SET statement_timeout = 0; ` +
        // Compiling what reads the catalog takes a hundred times as long as running it.
        'SET default_transaction_read_only = off; SET idle_in_transaction_session_timeout = 0; SET jit = off',
    );
    return new SqlConnection(client, onLost);
  }

  /** Of the server's process. */
  get pid(): number {
    // Not in the driver's types.
    return Number(Reflect.get(this.#client, 'processID'));
  }

  /** The number of the question that waits for its answer; undefined: none does. */
  get waitingFor(): number | undefined {
    return this.#questions === this.#answers ? undefined : this.#answers + 1;
  }

  query<R extends object>(
    sql: string,
    params: readonly unknown[] = [],
  ): Promise<{ readonly rows: readonly R[] }> {
    return this.#inTurn(() => this.#client.query<R>(sql, [...params]));
  }

  /** Several statements in one text. */
  async script(sql: string): Promise<void> {
    await this.#inTurn(() => this.#client.query(sql));
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }

  /** The other end is gone: what waits for an answer fails. */
  lose(error: Error): void {
    this.#onLost(error);
    this.#client.connection.stream.destroy(error);
  }

  /** One after the other: the driver wants to be asked one thing at a time. */
  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    this.#questions++;
    const answer = this.#last.then(ask);
    this.#last = answer.then(
      () => void this.#answers++,
      (error: unknown) => {
        this.#answers++;
        if (isSilence(error)) this.lose(new Error('The server has gone silent.', { cause: error }));
      },
    );
    return answer;
  }
}

/**
 * Asked of a connection that has just been opened, under a limit of its own: later questions may take a while, and this
 * one finds out whether anybody is there.
 */
export async function first<R extends object>(client: pg.Client, text: string): Promise<readonly R[]> {
  const { rows } = await client.query<R>({ text, query_timeout: FIRST_ANSWER_MS } as pg.QueryConfig);
  return rows;
}

/** A connection that can stream the log. */
export async function openReplication(url: string, onLost: (error: Error) => void): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: replicationUrl(url),
    application_name: 'coherent-feed',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
  });
  client.on('error', onLost);
  await connected(client);
  return client;
}

/** pg knows how to replicate but not its type, so that goes the way of the address. */
function replicationUrl(text: string): string {
  const url = new URL(text);
  url.searchParams.set('replication', 'database');
  const own = url.searchParams.get('options') ?? '';
  url.searchParams.set('options', `${own} ${logSettings} -c wal_sender_timeout=${SENDER_TIMEOUT_MS}`.trim());
  return url.href;
}

async function connected(client: pg.Client): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
}
