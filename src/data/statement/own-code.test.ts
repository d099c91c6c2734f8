import { loadModule } from 'libpg-query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { type Catalog, loadCatalog } from '../schema/catalog.ts';
import { runsOnlyPostgres } from './own-code.ts';

let database: TestDatabase;
let catalog: Catalog;

const read = () => loadCatalog({ query: async (sql) => ({ rows: await database.query(sql) }) });

beforeAll(async () => {
  await loadModule();
  database = await testDatabase(`
    create extension pg_trgm;
    create extension citext;
    create table users (id int primary key, name text, mail citext, seen timestamptz);
    create view named as select id, lower(name) as name from users;
    create function gross(n int) returns int language sql immutable as 'select n * 2';
    create function changes() returns text language plpgsql immutable as $$ begin
      perform set_config('search_path', 'x', false); return 'x'; end $$;
    create function label(users) returns text language sql stable as 'select $1.name';
    create view grossly as select id, gross(id) as n from users;
    create view above as select * from grossly;
    create domain checked as text check (changes() <> value);
    create type pair as (a int, b checked);
    create table secrets (id int primary key, owner text);
    alter table secrets enable row level security;
    create policy mine on secrets using (owner = changes());
    create table indexed (id int primary key, n int);
    create index on indexed (n) where n > gross(1);
    create table parents (id int, n int);
    create table children (check (gross(n) > 1)) inherits (parents)`);
  catalog = await read();
});
afterAll(() => database.close());

describe('nothing but the code of Postgres and of its extensions in C runs in', () => {
  it.each([
    'select id, name from users where id = $1',
    'select id, name, id::text as "~key" from users where id = any ($1::int4[])',
    'select count(*), max(seen) from users group by date_trunc($1, seen) order by 1 limit 10',
    'with few as (select * from users limit 3) select f.name from few f join users u using (id)',
    'select name from named where name like $1',
    "select name from users where name % $1 and mail = $2 and seen < now() - interval '1 day'",
    'select similarity(name, $1), coalesce(name, upper($2)) from users where exists (select from users)',
    'select min(id) over (partition by name) from users union all select 1',
    'select * from information_schema.tables',
  ])('%s', (sql) => expect(runsOnlyPostgres(sql, catalog)).toBe(true));
});

describe('code that may do anything to its session runs, or may, in', () => {
  it.each([
    ['a function in SQL, whatever its body is now', 'select gross(id) from users'],
    ['a function that says that it is immutable', 'select changes()'],
    ['a function in a FROM', 'select * from changes() as c'],
    ['an expression that no result depends on', 'select id from (select id, changes() from users) t'],
    ['a WITH that is not asked', 'with c as (select changes()) select 1'],
    ['functional notation', 'select u.label from users u'],
    ['functional notation of a row', 'select (u).label from users u'],
    ['a view', 'select id from grossly'],
    ['a view of a view', 'select id from above'],
    ['a domain', 'select $1::checked'],
    ['an array of a domain', 'select $1::checked[]'],
    ['a composite', 'select * from json_populate_record(null::pair, $1)'],
    ['row security', 'select id from secrets'],
    ['an index, when it is planned', 'select id from indexed'],
    ["a child's constraint, when it is planned", 'select id from parents'],
    ['set_config', "select set_config('a.b', 'c', true)"],
    ['a lock', 'select pg_advisory_xact_lock(1)'],
    ['what puts SQL together', "select query_to_xml('select changes()', true, true, '')"],
    ['what reads a table by its name', "select table_to_xml('grossly', true, true, '')"],
    ["an extension's setting", 'select set_limit(0.5)'],
    ['a function that is not there', 'select nowhere(1)'],
    ['a table that is not there', 'select * from nowhere'],
    ['several statements', 'select 1; select 2'],
    ['what is no SELECT', 'explain select 1'],
    ['what does not parse', 'select from where'],
  ])('%s: %s', (_what, sql) => expect(runsOnlyPostgres(sql, catalog)).toBe(false));

  it('any statement, once a cast, an operator or an order calls it', async () => {
    const sql = 'select id from users';
    for (const [make, drop] of [
      ['create cast (int as pair) with function to_pair(int) as implicit', 'drop cast (int as pair)'],
      ['create operator ~~~ (leftarg = int, function = gross)', 'drop operator ~~~ (none, int)'].map((text) =>
        text.replace('leftarg', 'rightarg'),
      ),
      [
        'create operator class mine for type pair using btree as function 1 compared(pair, pair)',
        'drop operator family mine using btree',
      ],
    ]) {
      await database.query(`
        create or replace function to_pair(int) returns pair language sql as 'select row($1, null)::pair';
        create or replace function compared(pair, pair) returns int language sql immutable as 'select 0'`);
      await database.query(make ?? '');
      expect(runsOnlyPostgres(sql, await read()), make).toBe(false);
      await database.query(drop ?? '');
      expect(runsOnlyPostgres(sql, await read()), drop).toBe(true);
    }
  });
});
