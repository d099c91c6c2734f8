// Everybody who writes, straight to Postgres: plain SQL, one connection a writer, rows shared out among them. Some commit
// in two phases: what was prepared is in the log, and takes place when it is committed, which another session may do.

import pg from 'pg';
import { pause } from '../support/pause.ts';
import type { History, Place, Row } from './history.ts';
import { GROUPS } from './history.ts';
import { type Random, skewed } from './random.ts';

export const WRITERS = 3;

interface Change {
  readonly sql: string;
  readonly row: Row;
  readonly place: Place;
  readonly isGroup: boolean;
}

export class Writer {
  readonly #url: string;
  readonly #history: History;
  readonly #random: Random;
  readonly #items: readonly Row[];
  readonly #groups: readonly Row[];
  readonly #meanPauseMs: number;
  #client: pg.Client | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  #wake: () => void = () => {};
  readonly #gid: string;
  commits = 0;

  constructor(url: string, history: History, index: number, random: Random, meanPauseMs: number) {
    this.#url = url;
    this.#history = history;
    this.#random = random;
    this.#meanPauseMs = meanPauseMs;
    this.#gid = `writer-${index}`;
    const own = (row: Row) => row.id % WRITERS === index;
    this.#items = history.items.filter(own);
    this.#groups = history.groups.filter(own);
  }

  start(): void {
    this.#stopping = false;
    this.#running ??= this.#run();
  }

  /** Resolves when its last commit has returned, for the next start. */
  async pause(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#running;
    this.#running = undefined;
  }

  async close(): Promise<void> {
    await this.pause();
    await this.#client?.end().catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#commit(this.#changes());
      // Bursts and long silences: what a lost purge leaves behind shows only where no later write hides it.
      await this.#rest(-Math.log(1 - this.#random()) * this.#meanPauseMs);
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #changes(): Change[] {
    const what = this.#random();
    if (what < 0.1) return [this.#bump(pick(this.#groups, this.#random()))];
    const item = pick(this.#items, skewed(this.#random, 1000) / 1000);
    if (what < 0.25) return [this.#move(item)];
    if (what < 0.32) return [this.#remove(item)];
    if (what < 0.42) {
      const other = this.#items[(this.#items.indexOf(item) + 1) % this.#items.length] ?? item;
      return [this.#update(item), this.#update(other), this.#bump(pick(this.#groups, this.#random()))];
    }
    return [this.#update(item)];
  }

  #bump(row: Row): Change {
    const sql = `update groups set version = ${row.newest + 1} where id = ${row.id}`;
    return { sql, row, place: row.place, isGroup: true };
  }

  #update(row: Row): Change {
    if (row.place === undefined) return this.#insert(row);
    const sql = `update items set version = ${row.newest + 1} where id = ${row.id}`;
    return { sql, row, place: row.place, isGroup: false };
  }

  #move(row: Row): Change {
    if (row.place === undefined) return this.#insert(row);
    const place = (row.place % GROUPS) + 1;
    const sql = `update items set group_id = ${place}, version = ${row.newest + 1} where id = ${row.id}`;
    return { sql, row, place, isGroup: false };
  }

  #remove(row: Row): Change {
    if (row.place === undefined) return this.#insert(row);
    return { sql: `delete from items where id = ${row.id}`, row, place: undefined, isGroup: false };
  }

  #insert(row: Row): Change {
    const place = 1 + Math.floor(this.#random() * GROUPS);
    const sql = `insert into items values (${row.id}, ${place}, ${row.newest + 1})`;
    return { sql, row, place, isGroup: false };
  }

  /** Until it is done: a connection that is lost in between leaves open whether it was, so the database is asked. */
  async #commit(changes: readonly Change[]): Promise<void> {
    const expected = changes.map(({ row, place }) => ({ version: row.newest + 1, place }));
    const inTwoPhases = this.#random() < 0.1;
    let returned: ((now: number) => void)[] | undefined;
    for (;;) {
      let backend: number | undefined;
      try {
        const client = await this.#connected();
        backend = backendOf(client);
        const isOneStatement = changes.length === 1 && !inTwoPhases;
        if (!isOneStatement) {
          await client.query('begin');
          for (const { sql } of changes) await client.query(sql);
        }
        if (inTwoPhases) await client.query(`prepare transaction '${this.#gid}'`);
        const now = performance.now();
        returned ??= changes.map(({ row, place }) => row.writing(place, now));
        if (inTwoPhases) await client.query(`commit prepared '${this.#gid}'`);
        else await client.query(isOneStatement ? (changes[0]?.sql ?? '') : 'commit');
        break;
      } catch {
        if (await this.#isDone(changes, expected, backend)) break;
      }
    }
    const now = performance.now();
    for (const settle of returned ?? []) settle(now);
    for (const { isGroup } of changes) if (isGroup) this.#history.total.returned(now);
    this.commits++;
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new pg.Client({ connectionString: this.#url, application_name: 'coherence-writer' });
    client.on('error', () => {});
    await client.connect();
    this.#client = client;
    return client;
  }

  async #isDone(
    changes: readonly Change[],
    expected: readonly { version: number; place: Place }[],
    backend: number | undefined,
  ): Promise<boolean> {
    for (;;) {
      await this.#client?.end().catch(() => {});
      this.#client = undefined;
      try {
        const client = await this.#connected();
        // While the lost session is still at it, what it did is not decided.
        const alive = await client.query('select 1 from pg_stat_activity where pid = $1', [backend ?? 0]);
        const [change] = changes;
        if (alive.rowCount !== 0 || change === undefined) continue;
        // What was only prepared is undone, and done again: it holds its rows until somebody decides.
        const prepared = await client.query('select 1 from pg_prepared_xacts where gid = $1', [this.#gid]);
        if (prepared.rowCount !== 0) await client.query(`rollback prepared '${this.#gid}'`);
        return await this.#isAsExpected(client, change, expected[0]);
      } catch {
        // Not back yet.
      }
      await pause(20);
    }
  }

  async #isAsExpected(
    client: pg.Client,
    { row, isGroup }: Change,
    expected: { version: number; place: Place } | undefined,
  ): Promise<boolean> {
    const { rows } = await client.query<{ version: number }>(
      `select version from ${isGroup ? 'groups' : 'items'} where id = ${row.id}`,
    );
    return expected?.place === undefined ? rows.length === 0 : rows[0]?.version === expected.version;
  }
}

function backendOf(client: pg.Client): number | undefined {
  const pid: unknown = Reflect.get(client, 'processID');
  return typeof pid === 'number' ? pid : undefined;
}

function pick<T>(from: readonly T[], at: number): T {
  const picked = from[Math.floor(at * from.length)];
  if (picked === undefined) throw new RangeError('nothing to pick from');
  return picked;
}
