// The statements of an application as people write them, read through a session: what they cost to follow, and
// how sharply they are purged. Random schemas judge soundness; this judges use.
import { loadModule } from 'libpg-query';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { changeKeys, logSettings } from '../../../src/data/changes/change-keys.ts';
import { PgoutputDecoder } from '../../../src/data/changes/change-keys-pgoutput.ts';
import { Database } from '../../../src/data/read/database.ts';
import { DependencyRecorder } from '../../../src/data/record/recorder.ts';
import { type Catalog, loadCatalog } from '../../../src/data/schema/catalog.ts';
import { analyse } from '../../../src/data/statement/analyse.ts';
import { type TestDatabase, testDatabase } from '../../support/postgres.ts';
import { silent } from '../../support/silent.ts';
import { Random } from './random.ts';

const schema = `
  create table users (id int primary key, name text not null, email text unique, bio text, seen timestamptz, created timestamptz not null);
  create table posts (id int primary key, user_id int not null references users, title text not null, body text, score int not null default 0, published bool not null default true, created timestamptz not null);
  create index on posts (user_id); create index on posts (created);
  create table comments (id int primary key, post_id int not null references posts on delete cascade, user_id int references users, text text, created timestamptz not null);
  create index on comments (post_id);
  create table tags (post_id int references posts on delete cascade, tag text, primary key (post_id, tag)); create index on tags (tag);
  insert into users select i, 'user ' || i, 'u' || i || '@x.example', 'bio', now(), timestamptz '2026-01-01' + i * interval '1 hour' from generate_series(1, 60) i;
  insert into posts select i, 1 + i % 60, 'post ' || i, 'body', i % 17, i % 5 > 0, timestamptz '2026-01-01' + i * interval '1 minute' from generate_series(1, 300) i;
  insert into comments select i, 1 + i % 300, 1 + i % 60, 'text', timestamptz '2026-01-01' + i * interval '1 second' from generate_series(1, 900) i;
  insert into tags select i, 'tag' || i % 9 from generate_series(1, 300) i;
`;

const list = `select p.id, p.title, p.user_id, u.name,
    (select count(*) from comments c where c.post_id = p.id) as comments
  from posts p join users u on u.id = p.user_id
  where p.published order by p.created desc limit 20 offset $1`;

const statements: readonly (readonly [sql: string, params: (random: Random) => unknown[]])[] = [
  ['select id, name, bio from users where id = $1', (r) => [1 + r.int(60)]],
  ['select id, name from users where email = $1', (r) => [`u${1 + r.int(60)}@x.example`]],
  [
    'select id, title, score from posts where user_id = $1 and published order by created desc limit 10',
    (r) => [1 + r.int(60)],
  ],
  [
    'select p.id, p.title, p.body, p.user_id, u.name from posts p join users u on u.id = p.user_id where p.id = $1',
    (r) => [1 + r.int(300)],
  ],
  [
    'select c.id, c.text, c.user_id, u.name from comments c left join users u on u.id = c.user_id where c.post_id = $1 order by c.created, c.id',
    (r) => [1 + r.int(300)],
  ],
  [list, (r) => [20 * r.int(4)]],
  ['select id, name from users order by created limit 20 offset $1', (r) => [20 * r.int(3)]],
  ['select count(*) from posts where user_id = $1', (r) => [1 + r.int(60)]],
  [
    'select p.id, p.title from tags t join posts p on p.id = t.post_id where t.tag = $1 order by p.id limit 20',
    (r) => [`tag${r.int(9)}`],
  ],
  ['select id, title from posts where id = any($1)', (r) => [[1 + r.int(300), 1 + r.int(300)]]],
  [
    'select exists (select from tags where post_id = $1 and tag = $2) as tagged',
    (r) => [1 + r.int(300), 'tag1'],
  ],
];

const changes: readonly ((random: Random, n: number) => string)[] = [
  (r, n) => `insert into comments values (${10_000 + n}, ${1 + r.int(300)}, ${1 + r.int(60)}, 'new', now())`,
  (r, n) =>
    `insert into posts values (${10_000 + n}, ${1 + r.int(60)}, 'new', 'body', 0, ${r.chance(0.8)}, now())`,
  (r) => `update users set seen = clock_timestamp() where id = ${1 + r.int(60)}`,
  (r, n) => `update users set name = 'name ${n}' where id = ${1 + r.int(60)}`,
  (r) => `update posts set score = score + 1 where id = ${1 + r.int(300)}`,
  (r, n) => `update posts set title = 'title ${n}' where id = ${1 + r.int(300)}`,
  (r) => `update posts set user_id = ${1 + r.int(60)} where id = ${1 + r.int(300)}`,
  (r) => `update comments set text = text || '!' where id = ${1 + r.int(900)}`,
  (r) => `delete from comments where id = ${1 + r.int(900)}`,
  (r, n) =>
    `insert into tags values (${1 + r.int(300)}, 'tag${r.int(9)}${n % 5 === 0 ? 'x' : ''}') on conflict do nothing`,
];

let real: TestDatabase;
let database: Database;
let log: pg.Client;
let catalog: Catalog;
let recorder: DependencyRecorder;

beforeAll(async () => {
  await loadModule();
  real = await testDatabase(schema);
  log = new pg.Client({ connectionString: real.url, options: `${logSettings} -c synchronous_commit=on` });
  await log.connect();
  await log.query("select pg_create_logical_replication_slot('pages_' || current_database(), 'pgoutput')");
  await log.query('create publication pages for table users, posts, comments, tags');
  catalog = await loadCatalog(log, 'pages');
  recorder = new DependencyRecorder({ catalog });
  database = new Database({
    connectionString: real.url,
    logger: silent,
    clock: systemClock,
    observer: recorder,
    max: 2,
  });
});

afterAll(async () => {
  await database?.close();
  await log?.end();
  await real?.close();
});

async function rendered(
  sql: string,
  params: readonly unknown[],
): Promise<{ text: string; keys: Set<string> }> {
  const keys = new Set<string>();
  const keyRecorder = {
    add: (key: string) => void keys.add(key),
    untracked: (why: string) => expect.fail(why),
  };
  const rows = await database
    .readScope({ signal: new AbortController().signal, keyRecorder })
    .query(sql, params);
  return { text: JSON.stringify(rows), keys };
}

async function purgedBy(sql: string, decoder: PgoutputDecoder): Promise<Set<string>> {
  await log.query(sql);
  const { rows } = await log.query<{ data: Buffer }>(
    `select data from pg_logical_slot_get_binary_changes('pages_' || current_database(), null, null, 'proto_version', '1', 'publication_names', 'pages')`,
  );
  const keys = new Set<string>();
  for (const { data } of rows) {
    const message = decoder.decode(data);
    if (message.tag === 'change') changeKeys(message.change, catalog, keys);
  }
  return keys;
}

describe('the pages of an application', () => {
  it('give keys through a session', async () => {
    const { keys } = await rendered('select id, name from users where id = $1', [7]);
    expect([...keys].sort()).toEqual(['@schema', 'users', 'users#7']);
  });

  it.each(['default', 'full'])(
    'are purged whenever they change, under replica identity %s',
    async (identity) => {
      for (const table of ['users', 'posts', 'comments', 'tags']) {
        await log.query(`alter table ${table} replica identity ${identity}`);
      }
      catalog = await loadCatalog(log, 'pages');
      recorder.use(catalog);
      const random = new Random(42);
      const decoder = new PgoutputDecoder();
      await purgedBy('select 1', decoder);
      const held = [];
      for (let i = 0; i < 66; i++) {
        const [sql, params] = statements[i % statements.length] ?? statements[0]!;
        const values = params(random);
        held.push({ sql, values, ...(await rendered(sql, values)) });
      }
      const stats = { cases: 0, changed: 0, purged: 0, right: 0 };
      for (let n = 0; n < 40; n++) {
        const keys = await purgedBy(
          changes[n % changes.length]!(random, n + (identity === 'full' ? 1000 : 0)),
          decoder,
        );
        for (const page of held) {
          const now = await rendered(page.sql, page.values);
          const meets = [...page.keys].some((key) => keys.has(key));
          stats.cases++;
          if (now.text !== page.text) stats.changed++;
          if (meets) stats.purged++;
          if (meets && now.text !== page.text) stats.right++;
          if (!meets && now.text !== page.text) expect.fail(`${page.sql} was not purged`);
          Object.assign(page, now);
        }
      }
      const whole = ((100 * stats.purged) / stats.cases).toFixed(1);
      process.stdout.write(
        `\npages, replica identity ${identity}: of ${stats.cases} cases ${stats.changed} changed, ${stats.purged} purged (${whole} %); ` +
          `sharpness ${((100 * stats.right) / stats.purged).toFixed(1)} %\n`,
      );
      expect(stats.right).toBe(stats.changed);
    },
  );

  it('are not purged by columns that they do not read, where the log has whole rows', async () => {
    for (const table of ['users', 'posts']) {
      await log.query(`alter table ${table} add column if not exists views int not null default 0`);
      await log.query(`alter table ${table} replica identity full`);
    }
    catalog = await loadCatalog(log, 'pages');
    recorder.use(catalog);
    const decoder = new PgoutputDecoder();
    await purgedBy('select 1', decoder);
    const random = new Random(7);
    const held: (readonly [string, Set<string>])[] = [];
    for (const [sql, params] of statements) held.push([sql, (await rendered(sql, params(random))).keys]);
    for (const table of ['users', 'posts']) {
      const keys = await purgedBy(`update ${table} set views = views + 1`, decoder);
      expect([...keys]).toContain(`${table}#17`);
      for (const [sql, mine] of held)
        expect([sql, [...mine].filter((key) => keys.has(key))]).toEqual([sql, []]);
    }
  });

  it('cost little to follow', async () => {
    const result = await log.query(list.replace('limit 20', 'limit 50'), [0]);
    recorder.use(catalog);
    let keys = 0;
    const keyRecorder = { add: () => void keys++, untracked: () => {} };
    const sql = list.replace('limit 20', 'limit 50');
    const times = (count: number, work: () => void): number => {
      for (let i = 0; i < count; i++) work();
      const before = process.cpuUsage();
      for (let i = 0; i < count; i++) work();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / count;
    };
    const collecting = times(2000, () => recorder.onStatement(sql, [0], result, keyRecorder));
    const analysing = times(200, () => analyse(sql, catalog));
    const serialising = times(2000, () => JSON.stringify(result.rows));
    const before = process.cpuUsage();
    for (let i = 0; i < 200; i++) await log.query({ name: 'list', text: sql, values: [0] });
    const { user, system } = process.cpuUsage(before);
    const reading = (user + system) / 200;
    process.stdout.write(
      `\na list of ${result.rows.length} rows over three tables: ${keys / 4000} keys collected in ${collecting.toFixed(1)} us of CPU ` +
        `(reading the rows from Postgres: ${reading.toFixed(0)} us of this process, JSON.stringify of them: ${serialising.toFixed(1)} us); analysis of the statement, once: ${analysing.toFixed(0)} us\n`,
    );
    expect(keys).toBeGreaterThan(0);
  });
});
