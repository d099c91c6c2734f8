import pg from 'pg';
import { pause } from '../support/pause.ts';

/** As superuser, and back by itself when its session was ended. */
export class Admin {
  readonly #url: string;
  #client: pg.Client | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async query<R extends object>(sql: string): Promise<R[]> {
    for (let failures = 0; ; failures++) {
      try {
        this.#client ??= await this.#connect();
        return (await this.#client.query<R>(sql)).rows;
      } catch (error) {
        this.#client = undefined;
        const isRefusal = error instanceof pg.DatabaseError && !error.code?.startsWith('57');
        if (isRefusal || failures > 50) throw error;
        await pause(100);
      }
    }
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url, application_name: 'coherence-admin' });
    client.on('error', () => {});
    await client.connect();
    return client;
  }
}
