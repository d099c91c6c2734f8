// What typical statements depend on, as an application's author would read it in `explain`.
import { loadModule } from 'libpg-query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { keysOf } from '../record/recorder.ts';
import { type Catalog, loadCatalog } from '../schema/catalog.ts';
import { analyse } from './analyse.ts';

const schema = `
  create table users (id int primary key, name text not null, email text unique, seen timestamptz, active bool default true);
  create table posts (id int primary key, user_id int not null references users, title text, score int default 0, created date);
  create index on posts (user_id);
  create table likes (user_id int, post_id int, primary key (user_id, post_id));
  create table comments (id int primary key, post_id int, text text);
  create index on comments (post_id);
  create view authors as select id, name, email from users where active;
  create unlogged table visits (n int);
  create materialized view top as select id from posts;
  create table secrets (id int primary key, owner text);
  create function shout(text) returns text language sql immutable as 'select upper($1)';
  create function posts_of(int) returns bigint language sql stable as 'select count(*) from posts where user_id = $1';
  create function roll() returns int language sql as 'select (random() * 6)::int';
  create function dynamic() returns int language plpgsql stable as $$ declare n int; begin execute 'select 1' into n; return n; end $$;
  create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  create table words (id int primary key, word text collate nocase unique, code char(5) unique, price numeric unique, ref uuid unique);
  insert into users values (1, 'Ada', 'ada@x.example'), (2, 'Bob', 'bob@x.example');
  insert into posts values (10, 1, 'A', 5, '2026-01-01'), (11, 2, 'B', 3, '2026-01-02');
  insert into comments values (100, 10, 'hm');
`;

let database: TestDatabase;
let catalog: Catalog;

beforeAll(async () => {
  await loadModule();
  database = await testDatabase(schema);
  catalog = await loadCatalog({ query: async (sql) => ({ rows: await database.query(sql) }) });
});

afterAll(async () => {
  await database?.close();
});

/** The keys of the result as it is now, without the schema's own. */
async function keys(sql: string, ...params: unknown[]): Promise<string[]> {
  const rows = await database.query(sql, params);
  const plan = analyse(sql, catalog);
  const names = plan.kind === 'tracked' ? (plan.outputs ?? Object.keys(rows[0] ?? {})) : [];
  const found = keysOf(catalog, sql, params, { rows, fields: names.map((name) => ({ name })) });
  expect(found.untracked).toEqual([]);
  // What naming rows by a column relies on, and names of Postgres' own functions, say nothing of rows.
  return [...found.keys].filter((key) => !/^@schema$|^pg_catalog\/|=%$/.test(key)).sort();
}

function untracked(sql: string): readonly string[] {
  const plan = analyse(sql, catalog);
  return plan.kind === 'refused' ? [`refused: ${plan.why}`] : plan.untracked;
}

describe('a row by its primary key', () => {
  it('is that row, there or not', async () => {
    expect(await keys('select * from users where id = $1', 1)).toEqual(['users', 'users#1']);
    expect(await keys('select * from users where id = $1', 999)).toEqual(['users', 'users#999']);
    expect(await keys('select * from users where id = any($1)', [1, 2, null])).toEqual([
      'users',
      'users#1',
      'users#2',
    ]);
    expect(await keys('select * from likes where post_id = $1 and user_id in (1, 2)', 3)).toEqual([
      'likes',
      'likes#1,3',
      'likes#2,3',
    ]);
  });

  it('stays that row through a view, and leads to the rows that it names', async () => {
    expect(await keys('select name from authors where id = 1')).toEqual(['authors', 'users', 'users#1']);
    expect(
      await keys(
        'select p.title, p.user_id, u.name from posts p join users u on u.id = p.user_id where p.id = $1',
        10,
      ),
    ).toEqual(['posts', 'posts#10', 'users', 'users#1']);
  });

  it('passes to what is equal to it', async () => {
    expect(
      await keys(
        'select u.name, c.n from users u, lateral (select count(*) as n from posts p where p.user_id = $1) c where u.id = $1',
        1,
      ),
    ).toEqual(['posts', 'posts.user_id=1', 'posts.user_id=?', 'users', 'users#1']);
    expect(
      await keys('select p.title from posts p join users u on u.id = p.user_id where u.id = $1', 1),
    ).toEqual(['posts', 'posts.title@user_id=1', 'posts.user_id=1', 'posts.user_id=?', 'users', 'users#1']);
  });
});

describe('rows by the value of a column', () => {
  it('are those that have it, those that come and go, and the columns that order them', async () => {
    expect(
      await keys('select id, title from posts where user_id = $1 order by score desc limit 5', 1),
    ).toEqual(['posts', 'posts#10', 'posts.score@user_id=1', 'posts.user_id=1']);
    // Behind an OFFSET a row that leaves unseen shifts the others.
    const shifted = 'select id, title from posts where user_id = $1 order by score desc limit 5 offset 1';
    expect(await keys(shifted, 1)).toContain('posts.user_id=?');
    expect(await keys('select name from users where email = $1', 'ada@x.example')).toEqual([
      'users',
      'users.email=?',
      'users.email=ada@x.example',
      'users.name@email=ada@x.example',
    ]);
  });

  it('are not pinned by a value that Postgres may read otherwise', async () => {
    expect(await keys('select count(*) from posts where user_id = 1.0')).toEqual([
      'posts',
      'posts.user_id',
      'posts@rows',
    ]);
    expect(await keys('select count(*) from users where lower(email) = $1', 'x')).toEqual([
      'users',
      'users.email',
      'users@rows',
    ]);
  });
});

describe('a list', () => {
  it('is the rows, what orders them, and each row shown', async () => {
    expect(await keys('select id, name from users order by name limit 20 offset 0')).toEqual([
      'users',
      'users#1',
      'users#2',
      'users.name',
      'users@rows',
    ]);
  });

  it('looks up other tables by the rows that it shows', async () => {
    const expected = [
      'posts',
      'posts#10',
      'posts#11',
      'posts.score',
      'posts.user_id',
      'posts@rows',
      'users',
      'users#1',
      'users#2',
    ];
    const sql = (join: string) =>
      `select p.id, p.title, p.user_id, u.name from posts p ${join} users u on u.id = p.user_id order by p.score, p.id limit 9`;
    expect(await keys(sql('left join'))).toEqual([...expected, 'posts.id'].sort());
    // A post whose author is missing is not shown; it comes when the author does, whatever a foreign key says.
    expect(await keys(sql('join'))).toEqual([...expected, 'posts.id', 'users.id', 'users@rows'].sort());
  });

  it('counts what belongs to each row by the value that the row shows', async () => {
    const sql = 'select p.id, (select count(*) from comments c where c.post_id = p.id) as n from posts p';
    expect(await keys(sql)).toEqual([
      'comments',
      'comments.post_id=10',
      'comments.post_id=11',
      'comments.post_id=?',
      'posts',
      'posts#10',
      'posts#11',
      'posts@rows',
    ]);
  });

  it('depends on an outer join that pads rows by more than the rows it shows', async () => {
    const found = await keys(
      'select u.id, p.id as post from users u left join posts p on p.user_id = u.id where p.id is null',
    );
    expect(found).toEqual(expect.arrayContaining(['posts@rows', 'posts.user_id', 'posts.id']));
  });
});

describe('equal values', () => {
  it('share a key however they are written', async () => {
    expect(await keys("select id from words where code = 'ab  '")).toContain('words.code=ab');
    expect(await keys('select id from words where price = $1', '01.50')).toContain('words.price=1.5');
    const ref = '{11111111AAAA4bbb8ccc111111111111}';
    expect(await keys('select id from words where ref = $1', ref)).toContain(
      'words.ref=11111111-aaaa-4bbb-8ccc-111111111111',
    );
  });

  it('are not named where a collation makes different texts equal', async () => {
    expect(await keys("select id from words where word = 'a'")).toEqual([
      'words',
      'words.word',
      'words@rows',
    ]);
  });
});

// Rules that random statements reach too rarely to be sure of.
describe('a sharper reading is given up', () => {
  it('where no foreign key says that the row joined is there', async () => {
    const sql = 'select c.id, c.post_id, p.title from comments c join posts p on p.id = c.post_id';
    expect(await keys(sql)).toEqual(expect.arrayContaining(['posts@rows', 'posts.id']));
  });

  it('where the table looked up orders or filters the list', async () => {
    const sql = 'select p.id, p.user_id, u.name from posts p left join users u on u.id = p.user_id';
    expect(await keys(sql)).not.toContain('users@rows');
    expect(await keys(`${sql} order by u.id limit 1`)).toContain('users@rows');
    expect(await keys(`${sql} where u.name > 'A'`)).toEqual(
      expect.arrayContaining(['users@rows', 'users.name']),
    );
  });

  it('where a row that leaves lets another be padded', async () => {
    const sql =
      'select u.id, p.id as post from users u left join posts p on p.user_id = u.id and p.user_id = 1';
    expect(await keys(sql)).toContain('posts.user_id=?');
  });

  it('where what is shown decides how many rows are shown, or is computed over several', async () => {
    expect(await keys('select id, generate_series(1, score) as n from posts')).toContain('posts.score');
    expect(await keys('select id, lag(score) over (order by created) as s from posts')).toEqual(
      expect.arrayContaining(['posts.score', 'posts.created']),
    );
    const cut = 'select id from (select * from posts order by score limit 1) q where user_id = 1';
    expect(await keys(cut)).toEqual(expect.arrayContaining(['posts@rows', 'posts.score']));
  });

  it('where an aggregate in a subquery belongs to the block around it', async () => {
    const sql = 'select (select max(p.id) from users limit 1) as m from posts p';
    expect(await keys(sql)).toContain('posts.id');
  });

  it('where one branch of an OR does not pin', async () => {
    expect(await keys('select id from posts where user_id = 1 or score > 3')).toContain('posts@rows');
    expect(await keys('select id from posts where user_id = 1 or user_id = 2')).not.toContain('posts@rows');
  });

  it('where a subquery that is not LATERAL names a column that its neighbour has too', async () => {
    const sql = `select u.id, u.name, exists (
        select from comments c, (select 1 from posts p where p.title = text limit 1) s) as there
      from (select id, name, email as text from users) u`;
    expect(await keys(sql)).toEqual(expect.arrayContaining(['users#1', 'posts.title']));
    const outer =
      'select count(*) from (select email as text from users) u where exists (select from comments c, (select 1 from posts p where p.title = text limit 1) s)';
    expect(await keys(outer)).toContain('users.email');
  });
});

describe('what is not there by the catalog snapshot', () => {
  it('depends on its coming up: the statement ran, so the catalog snapshot is older than the schema', () => {
    const definitionsOf = (sql: string) => {
      const plan = analyse(sql, catalog);
      return plan.kind === 'tracked' ? plan.definitions : [];
    };
    expect(definitionsOf('select count(*) from nosuch')).toEqual(['@schema', 'nosuch', 'pg_catalog/count()']);
    expect(definitionsOf('select 1 from later.nosuch')).toEqual(['@schema', 'later/nosuch']);
    expect(definitionsOf('select name from users where nosuch(id)')).toContain('nosuch()');
    expect(definitionsOf('select * from pg_class')).toEqual(['@schema']);
    const deep = '(select * from '.repeat(99);
    const nested = `select * from users, ${deep} posts ${'p) '.repeat(99)} q`;
    expect(untracked(nested)).toEqual([expect.stringMatching('not understood: nested deeper')]);
    expect(definitionsOf(nested)).toContain('users');
  });
});

describe('what cannot be followed', () => {
  it.each([
    ['select now()', /time/],
    ['select * from users where seen > current_timestamp', /time/],
    ["select * from users where seen > 'yesterday'", /moving time/],
    ["select * from users where seen > '04:00 today'", /moving time/],
    ["select '[2024-01-01,today)'::daterange", /moving time/],
    ["select time '10:00'::time with time zone", /depends on the day/],
    ['select \'{"now"}\'::timestamptz[]', /moving time/],
    ['select random()', /more than the data/],
    ['select * from visits', /not in the log/],
    ['select * from top', /materialized view/],
    ['select * from pg_class', /Postgres' own/],
    ['select ctid from users', /where and when/],
    ['select * from users tablesample bernoulli (50)', /TABLESAMPLE/],
    ['select roll()', /random\(\) depends on more/],
    ['select dynamic()', /dyn/],
    ['select nosuch(1)', /not known/],
    ['select * from nosuch', /not known/],
    ['with a as (select now()) select 1', /time/],
    ["select current_setting('x.y')", /more than the data/],
    ['select this is not sql at all', /not understood/],
  ])('%s is said to be untracked', (sql, why) => {
    expect(untracked(sql).join('\n')).toMatch(why);
  });

  it.each([
    "insert into users values (3, 'C')",
    'with gone as (delete from users returning *) select * from gone',
    'select * from users for update',
    'select 1; select 2',
    'select * into copy from users',
  ])('%s is refused', (sql) => {
    expect(untracked(sql).join('\n')).toMatch(/^refused/);
  });

  it('leaves functions that only compute alone, and follows those that read', async () => {
    expect(await keys('select shout(name) as s from users where id = 1')).toEqual([
      'shout()',
      'users',
      'users#1',
    ]);
    expect(await keys('select posts_of(1) as n')).toEqual([
      'posts',
      'posts.user_id',
      'posts@rows',
      'posts_of()',
    ]);
  });
});
