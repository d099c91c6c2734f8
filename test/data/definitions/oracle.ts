// What becomes of a statement's result when something is changed, on a real server: did it differ, was it told that the
// statement cannot be followed, and did its keys meet those of the change, read from the log and from the catalog?
import { loadModule } from 'libpg-query';
import pg from 'pg';
import { expect } from 'vitest';
import { changeKeys, logSettings } from '../../../src/data/changes/change-keys.ts';
import { PgoutputDecoder } from '../../../src/data/changes/change-keys-pgoutput.ts';
import { keysOf } from '../../../src/data/record/recorder.ts';
import { fingerprint, loadCatalog } from '../../../src/data/schema/catalog.ts';
import { type TestDatabase, testDatabase } from '../../support/postgres.ts';

export interface Case {
  /** Runs first, in an empty `public` schema. */
  readonly setup: string;
  readonly sql: string | readonly string[];
  readonly params?: readonly unknown[];
  /** Read by a session of its own each time, with the settings of then. */
  readonly anew?: boolean;
  /** Commits after the result was read, and makes it another. */
  readonly change: string;
}

interface Outcome {
  readonly sql: string;
  readonly differs: boolean;
  readonly untracked: readonly string[];
  readonly isMet: boolean;
  readonly keys: string;
  readonly purged: string;
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

  /** The results change, and pages made from them are purged. */
  async follows(one: Case): Promise<void> {
    await this.#judge(one, ({ differs, untracked, isMet }) => differs && untracked.length === 0 && isMet);
  }

  /** The results need not change; the pages are purged. */
  async touches(one: Case): Promise<void> {
    await this.#judge(one, ({ isMet }) => isMet);
  }

  /** The results change; the pages are purged, or were told to live by their time. */
  async tellsOrFollows(one: Case): Promise<void> {
    await this.#judge(one, ({ differs, untracked, isMet }) => differs && (untracked.length > 0 || isMet));
  }

  /** The results change, and it was told that nothing will say so. */
  async tells(one: Case, why: RegExp): Promise<void> {
    await this.#judge(one, ({ differs, untracked }) => differs && why.test(untracked.join('\n')));
  }

  /** Nothing is read that the change touches: the results stay, and so do the pages. */
  async spares(one: Case): Promise<void> {
    await this.#judge(one, ({ differs, untracked, isMet }) => !differs && untracked.length === 0 && !isMet);
  }

  async #judge(one: Case, isRight: (outcome: Outcome) => boolean): Promise<void> {
    const wrong = (await this.#outcomes(one)).filter((outcome) => !isRight(outcome));
    expect(wrong).toEqual([]);
  }

  async #outcomes({ setup, sql, params = [], change, anew = false }: Case): Promise<Outcome[]> {
    await this.#empty();
    await this.#client.query(setup);
    const [catalog, print] = [await loadCatalog(this.#client, 'oracle'), await fingerprint(this.#client)];
    await this.#log();
    const held = [];
    for (const text of typeof sql === 'string' ? [sql] : sql) {
      const before = await this.#read(text, params, anew).catch(({ message }: Error) => {
        throw new Error(`${message} in: ${text}`);
      });
      held.push({ text, before, found: keysOf(catalog, text, params, before) });
    }
    await this.#client.query(change);
    const next = await loadCatalog(this.#client, 'oracle');
    const purged = new Set<string>();
    for (const logged of await this.#log()) changeKeys(logged, next, purged);
    // What the fingerprint does not show is never looked at.
    if ((await fingerprint(this.#client)) !== print) {
      for (const key of catalog.changesTo(next)) purged.add(key);
    }
    const outcomes = [];
    for (const { text, before, found } of held) {
      // A statement that fails now was another one before.
      const after = await this.#read(text, params, anew).catch(({ message }: Error) => ({
        rows: [{ message }],
      }));
      outcomes.push({
        sql: text,
        differs: JSON.stringify(after.rows) !== JSON.stringify(before.rows),
        untracked: found.untracked,
        isMet: [...found.keys].some((key) => purged.has(key)),
        keys: [...found.keys].join(' '),
        purged: [...purged].join(' '),
      });
    }
    return outcomes;
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
