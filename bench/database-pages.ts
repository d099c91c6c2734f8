// Pages that read a database, rendered again: what this server adds to the statement and the HTML, with every tier and the feed on.
//
// Before each burst every row is changed by one UPDATE, and the burst asks for each page once, when the purge has arrived: so
// each of its requests is a render, and it is answered what the database holds (each answer is looked at). The time for
// following the change itself is not part of the figure.
import { findProgram, PGBOUNCER } from '../test/support/programs.ts';
import { Backing, followed, query, until } from './backing.ts';
import { type Contestant, Field } from './contestant.ts';
import { type Figures, inTurn } from './load.ts';
import { startBentoOnDatabase, startByHand, startOurs } from './peers.ts';
import { cpuTable, type Table } from './table.ts';

const PAGES = 1000;
const TABLES = 3;
const ROUNDS = 5;
const CONNECTIONS = 8;

const SCHEMA = `
  CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, price int NOT NULL, version int NOT NULL);
  CREATE TABLE descriptions (id int PRIMARY KEY, text text NOT NULL, version int NOT NULL);
  CREATE TABLE fortune (id int PRIMARY KEY, message text NOT NULL);
  INSERT INTO items SELECT id, 'Item ' || id || ' <new> & "used"', id % 90, 0 FROM generate_series(0, ${PAGES}) id;
  INSERT INTO descriptions SELECT id, 'What there is to say of <' || id || '>', 0 FROM generate_series(0, ${PAGES}) id;
  INSERT INTO fortune VALUES
    (1, 'fortune: No such file or directory'),
    (2, 'A computer scientist is someone who fixes things that aren''t broken.'),
    (3, 'After enough decimal places, nobody gives a damn.'),
    (4, 'A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1'),
    (5, 'A computer program does what you tell it to do, not what you want it to do.'),
    (6, 'Emacs is a nice operating system, but I prefer UNIX. — Tom Christaensen'),
    (7, 'Any program that runs right is obsolete.'),
    (8, 'A list is only as strong as its weakest link. — Donald Knuth'),
    (9, 'Feature: A bug with seniority.'),
    (10, 'Computers make very fast, very accurate mistakes.'),
    (11, '<script>alert("This should not be displayed in a browser alert box.");</script>'),
    (12, 'フレームワークのベンチマーク');
  ANALYZE;`;

export async function databasePages(): Promise<Table[]> {
  await using backing = await Backing.start();
  await using readers = new Readers(backing);
  await readers.add('hand', (url) => startByHand('by hand', url));
  await readers.add('bento', (url) => startBentoOnDatabase(url, backing.redis.socket));
  await readers.add('coherent', (url) => startCoherent('coherent', backing, url, url));
  if (findProgram(PGBOUNCER) !== undefined) {
    const name = 'coherent, pgbouncer';
    await readers.addPooled('hand_pooled', (url) => startByHand('by hand, pgbouncer', url, { POOLED: '1' }));
    await readers.addPooled('coherent_pooled', (url, direct) => startCoherent(name, backing, url, direct));
  }
  await readers.assertSameBytes(['/item/1', '/described/1', '/fortunes/1']);
  return [
    cpuTable(
      'A page of one row, rendered again',
      [
        'A row has changed, and its page is asked for: route, one statement, HTML, headers, ETag. This server also notes what the page',
        'is made from, and keeps it in memory, in Redis and on disk; bentocache keeps it in memory and Redis. By hand nothing is kept.',
      ],
      await readers.renderAll('item', ['items']),
    ),
    cpuTable(
      'A page of one row with one cold fragment',
      [
        'The same, and a part of the page that is kept by itself has changed as well: two statements, one after the other.',
      ],
      await readers.renderAll('described', ['items', 'descriptions']),
    ),
    cpuTable(
      'Fortunes, never kept',
      ['All rows of a small table and one more, sorted, escaped, as a table in HTML. Nothing is kept.'],
      await readers.fortunes(),
    ),
  ];
}

async function startCoherent(
  name: string,
  backing: Backing,
  url: string,
  direct: string,
): Promise<Contestant> {
  const env = { DATABASE_URL: url, FEED_DATABASE_URL: direct, REDIS_URL: backing.redisUrl, FEED: 'on' };
  const ours = await startOurs(1, env, { name });
  await followed(direct, TABLES);
  return ours;
}

/** Those that are measured, each over a database of its own. */
class Readers implements AsyncDisposable {
  readonly #backing: Backing;
  readonly #field = new Field();
  readonly #databases = new Map<Contestant, string>();
  #version = 0;

  constructor(backing: Backing) {
    this.#backing = backing;
  }

  async add(database: string, start: (url: string) => Promise<Contestant>): Promise<void> {
    const url = await this.#backing.database(database, SCHEMA);
    this.#databases.set(await this.#field.add(start(url)), url);
  }

  /** `start` is told the pooler's address, and the server's own. */
  async addPooled(
    database: string,
    start: (url: string, direct: string) => Promise<Contestant>,
  ): Promise<void> {
    await this.add(database, async (direct) =>
      start(await this.#backing.pooler(direct, CONNECTIONS), direct),
    );
  }

  /** Errors: when two of them answer with other bytes, for then the figures would be of different work. */
  async assertSameBytes(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const bodies = new Set<string>();
      for (const { origin } of this.#databases.keys()) bodies.add(await (await fetch(origin + path)).text());
      if (bodies.size > 1) throw new Error(`${path} is not the same everywhere:\n${[...bodies].join('\n')}`);
    }
  }

  /** Each page of a kind is asked for once a burst, after each row of the tables it reads has changed. */
  renderAll(kind: string, tables: readonly string[]): Promise<Figures[]> {
    return inTurn([...this.#databases.keys()], {
      path: (n) => `/${kind}/${n + 1}`,
      connections: CONNECTIONS,
      amount: PAGES,
      rounds: ROUNDS,
      before: (contestant) => this.#change(contestant, kind, tables),
      expect: (body) => body.split(`version ${this.#version}<`).length === tables.length + 1,
    });
  }

  fortunes(): Promise<Figures[]> {
    return inTurn([...this.#databases.keys()], {
      // Each its own address: requests for one that is being rendered would be answered by that render.
      path: (n) => `/fortunes/${n}`,
      connections: CONNECTIONS,
      amount: PAGES,
      rounds: ROUNDS,
      expect: (body) => body.includes('Additional fortune'),
    });
  }

  /** Returns once it is answered what has changed. */
  async #change(contestant: Contestant, kind: string, tables: readonly string[]): Promise<void> {
    const url = this.#databases.get(contestant) ?? '';
    this.#version++;
    // Kept, so that it is answered anew only when its purge has come.
    await (await fetch(`${contestant.origin}/${kind}/0`)).text();
    for (const table of tables)
      await query(url, `UPDATE ${table} SET version = ${this.#version} WHERE id > 0`);
    // Behind all others in the log.
    for (const table of tables)
      await query(url, `UPDATE ${table} SET version = ${this.#version} WHERE id = 0`);
    await fetch(`${contestant.origin}/forget`, { method: 'POST' });
    await until('the change has arrived', async () => {
      const body = await (await fetch(`${contestant.origin}/${kind}/0`)).text();
      return body.split(`version ${this.#version}<`).length === tables.length + 1;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#field[Symbol.asyncDispose]();
  }
}
