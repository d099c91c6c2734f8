// The three connections of a feed: one that streams the log, one for the questions that are asked all the time (what
// is visible, where the log ends), one for what may take a while (the catalog, the publication).
import pg from 'pg';
import type { Milliseconds } from '../../core/units.ts';
import { logSettings } from '../change-keys.ts';

const CONNECT_WITHIN_MS: Milliseconds = 5_000;
/** The server frees the slot of a feed that is silent for so long: stopped, cut off, or its machine gone. */
const SENDER_TIMEOUT_MS: Milliseconds = 2_000;

export interface SqlOptions {
  readonly url: string;
  readonly answerWithinMs: Milliseconds;
  readonly onLost: (error: Error) => void;
}

/** A connection for statements. Never retried: when it breaks, the feed's term is over. */
export class SqlConnection {
  readonly #client: pg.Client;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: pg.Client) {
    this.#client = client;
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
    await client.query(
      'SET synchronous_commit = local; SET lock_timeout = 300; SET statement_timeout = 0; ' +
        'SET default_transaction_read_only = off; SET idle_in_transaction_session_timeout = 0',
    );
    return new SqlConnection(client);
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

  /** One after the other: the driver wants to be asked one thing at a time. */
  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(ask);
    this.#last = answer.catch(() => {});
    return answer;
  }
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
