// What becomes of a statement's result when something is changed, on a real server: did it differ, was it told that the
// statement cannot be followed, and did its keys meet those of the change, read from the log and from the catalog?
import { loadModule } from 'libpg-query';
import pg from 'pg';
import { expect } from 'vitest';
import { fingerprint, loadCatalog } from '../../../src/data/catalog.ts';
import { changeKeys, logSettings } from '../../../src/data/change-keys.ts';
import { PgoutputDecoder } from '../../../src/data/change-keys-pgoutput.ts';
import { keysOf } from '../../../src/data/recorder.ts';
import { type TestDatabase, testDatabase } from '../../support/postgres.ts';

export interface Case {
  /** Runs first, in an empty `public` schema. */
  readonly setup: string;
  readonly sql: string;
  readonly params?: readonly unknown[];
  /** Read by a session of its own each time, with the settings of then. */
  readonly anew?: boolean;
  /** Commits after the result was read, and makes it another. */
  readonly change: string;
}

export class Oracle {
  readonly database: TestDatabase;
  readonly #client: pg.Client;
  readonly #slot: string;
  readonly #decoder = new PgoutputDecoder();

  private constructor(database: TestDatabase, client: pg.Client) {
    this.database = database;
    this.#client = client;
    this.#slot = `oracle_${database.name}`;
  }

  static async open(): Promise<Oracle> {
    await loadModule();
    const database = await testDatabase();
    const client = await connect(database.url);
    const oracle = new Oracle(database, client);
    await client.query(`select pg_create_logical_replication_slot('${oracle.#slot}', 'pgoutput')`);
    await client.query('create publication oracle for all tables');
    return oracle;
  }

  async close(): Promise<void> {
    await this.#client.end();
    await this.database.close();
  }

  /** The result changes, and a page made from it is purged. */
  async follows(one: Case): Promise<void> {
    const { untracked, keys, purged } = await this.#outcome(one);
    expect(untracked).toEqual([]);
    expect(
      keys.filter((key) => purged.has(key)),
      `${keys.join(' ')} met by ${[...purged].join(' ')}`,
    ).not.toEqual([]);
  }

  /** The result changes, and it was told that nothing will say so. */
  async tells(one: Case, why: RegExp): Promise<void> {
    const { untracked } = await this.#outcome(one);
    expect(untracked.join('\n')).toMatch(why);
  }

  /** Nothing is read that the change touches: the result stays, and so does the page. */
  async spares(one: Case): Promise<void> {
    const { untracked, keys, purged } = await this.#outcome(one, false);
    expect(untracked).toEqual([]);
    expect(keys.filter((key) => purged.has(key))).toEqual([]);
  }

  async #outcome({ setup, sql, params = [], change, anew = false }: Case, differs = true) {
    await this.#empty();
    await this.#client.query(setup);
    const [catalog, print] = [await loadCatalog(this.#client, 'oracle'), await fingerprint(this.#client)];
    await this.#log();
    const before = await this.#read(sql, params, anew);
    const { keys, untracked } = keysOf(catalog, sql, params, before);
    await this.#client.query(change);
    const next = await loadCatalog(this.#client, 'oracle');
    const purged = new Set<string>();
    for (const logged of await this.#log()) changeKeys(logged, next, purged);
    // What the fingerprint does not show is never looked at.
    if ((await fingerprint(this.#client)) !== print) {
      for (const key of catalog.changesTo(next)) purged.add(key);
    }
    const after = await this.#read(sql, params, anew);
    expect(JSON.stringify(after.rows) !== JSON.stringify(before.rows), 'the result differs').toBe(differs);
    return { keys: [...keys], untracked, purged };
  }

  async #read(sql: string, params: readonly unknown[], anew: boolean): Promise<pg.QueryResult<object>> {
    if (!anew) return this.#client.query<object>(sql, [...params]);
    const client = await connect(this.database.url);
    try {
      return await client.query<object>(sql, [...params]);
    } finally {
      await client.end();
    }
  }

  async #empty(): Promise<void> {
    const { rows } = await this.#client.query<{ name: string }>(
      "select nspname as name from pg_namespace where nspname not like 'pg\\_%' and nspname <> 'information_schema'",
    );
    await this.#client.query('reset all');
    for (const { name } of rows) await this.#client.query(`drop schema "${name}" cascade`);
    await this.#client.query("create schema public; set client_min_messages = 'error'");
  }

  async #log() {
    const { rows } = await this.#client.query<{ data: Buffer }>(
      `select data from pg_logical_slot_get_binary_changes('${this.#slot}', null, null, 'proto_version', '1', 'publication_names', 'oracle')`,
    );
    return rows.flatMap(({ data }) => {
      const message = this.#decoder.decode(data);
      return message.tag === 'change' ? [message.change] : [];
    });
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    options: `${logSettings} -c synchronous_commit=on`,
  });
  await client.connect();
  return client;
}
