// What may be shown: rows whose versions rise while pages are read. The writer notes when each version's commit had
// returned; an answer may be older than a commit only by the bound, counted from when the request was sent.

import pg from 'pg';
import { pause } from '../support/pause.ts';

export const ITEMS = 2000;
/** Of these the versions rise. */
const WRITTEN = 20;
const PAUSE_MS = 25;

export const SCHEMA = `
  create table items (id int primary key, version int not null);
  insert into items select id, 0 from generate_series(1, ${ITEMS}) as id;`;

interface Version {
  readonly version: number;
  readonly committedAt: number;
}

export class History {
  readonly #url: string;
  readonly #boundMs: number;
  readonly #versions = new Map<number, Version[]>();
  readonly #highest = new Map<number, number>();
  #running = true;
  #commits = 0;
  readonly #ended: Promise<void>;

  /** Writes until `close()`, past whatever stands between the servers and the database. */
  constructor(url: string, boundMs: number) {
    this.#url = url;
    this.#boundMs = boundMs;
    this.#ended = this.#write();
  }

  get commits(): number {
    return this.#commits;
  }

  /** Whether this version of an item may be in an answer to a request that was sent then. */
  mayShow(id: number, version: number, sentAt: number): boolean {
    if (version > (this.#highest.get(id) ?? 0)) return false;
    const due = (this.#versions.get(id) ?? []).filter(
      ({ committedAt }) => committedAt <= sentAt - this.#boundMs,
    );
    return version >= (due.at(-1)?.version ?? 0);
  }

  async close(): Promise<void> {
    this.#running = false;
    await this.#ended;
  }

  async #write(): Promise<void> {
    let client: pg.Client | undefined;
    for (let turn = 0; this.#running; turn++) {
      const id = 1 + (turn % WRITTEN);
      const version = (this.#highest.get(id) ?? 0) + 1;
      this.#highest.set(id, version);
      try {
        client ??= await connected(this.#url);
        await client.query('update items set version = $2 where id = $1', [id, version]);
        this.#versions.set(id, [
          ...(this.#versions.get(id) ?? []),
          { version, committedAt: performance.now() },
        ]);
        this.#commits++;
      } catch {
        // The database is down, or was: whether this version was committed nobody knows, so it need not be shown.
        client = undefined;
      }
      await pause(PAUSE_MS);
    }
    await client?.end().catch(() => {});
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  await client.connect();
  return client;
}
