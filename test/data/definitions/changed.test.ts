// What a result rests on beside rows: a changed definition of any of it purges what was made with the old meaning.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Oracle } from './oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.open();
});
afterAll(() => oracle?.close());

const tables = `
  create type mood as enum ('low', 'high');
  create domain feeling as mood;
  create domain feelings as mood[];
  create type weather as (today mood, tomorrow mood);
  create type spell as range (subtype = mood);
  create type addr as (street text, city text);
  create domain home as addr;
  create type person as (name text, at addr);
  create table t (id int primary key, m mood, ms mood[], f feeling, fs feelings, w weather, ws weather[], s spell, a addr, h home, p person, n int);
  insert into t values (1, 'low', '{low}', 'low', '{low}', row('low', 'low'), array[row('low', 'low')::weather], '[low,high)',
    row('x', 'y'), row('x', 'y'), row('z', row('x', 'y')), 1);
  create view v as select ms from t;
  create function moods() returns mood[] language sql stable as 'select ms from t';
  create function said(m mood) returns text language sql immutable as 'select m::text';`;

describe('a type under others', () => {
  it('renamed a label', () =>
    oracle.tellsOrFollows({
      setup: tables,
      change: "alter type mood rename value 'low' to 'down'",
      sql: [
        'select m from t',
        'select ms from t',
        'select f from t',
        'select fs from t',
        'select w from t',
        'select ws from t',
        'select s from t',
        'select t from t',
        'select * from v',
        'select moods()',
        "select 'low'::text::mood",
        "select array['low']::mood[]",
        "select row('low', 'low')::weather",
        'select enum_first(null::mood)::text',
        "select said('low')",
        'select * from json_to_record(\'{"x":"low"}\') as r(x mood)',
        'select array_agg(m) from t',
        'select jsonb_populate_record(null::weather, \'{"today":"low"}\')',
        "select mood('low')",
        "select feeling('low')",
      ],
    }));

  it('has one more attribute', () =>
    oracle.tellsOrFollows({
      setup: tables,
      change: 'alter type addr add attribute zip text cascade',
      sql: [
        'select a from t',
        'select h from t',
        'select p from t',
        'select t from t',
        'select (a).* from t',
        "select null::addr is null, row('x', 'y')::addr",
        "select to_json(row('x','y')::addr)",
        'select jsonb_populate_record(null::home, \'{"street":"x"}\')',
        'select jsonb_populate_record(null::person, \'{"at":{"street":"x"}}\')',
      ],
    }));

  it('has one attribute of another name', () =>
    oracle.follows({
      setup: tables,
      sql: 'select to_jsonb(a) from t',
      change: 'alter type addr rename attribute street to road',
    }));

  it('is the row of a table', async () => {
    const setup = `${tables} create table u (id int primary key, name text); create function first(u) returns text language sql immutable as 'select $1::text'`;
    const change = 'alter table u add column more text';
    await oracle.follows({ setup, sql: "select jsonb_populate_record(null::u, '{}')", change });
    await oracle.follows({ setup, sql: "select * from json_populate_recordset(null::u, '[{}]')", change });
    await oracle.follows({
      setup: `${setup}; create function blank() returns text language sql immutable as 'select (null::u)::text || row_to_json(null::u)::text || to_json(jsonb_populate_record(null::u, ''{}''))::text'`,
      sql: "select jsonb_populate_record(null::u, '{}') is null, jsonb_populate_record(null::u, '{}')",
      change,
    });
  });

  it('a domain whose constraint changes', () =>
    oracle.touches({
      setup: `${tables} create domain small as int; create table k (n small primary key)`,
      sql: 'select n from k',
      change: 'alter domain small add check (value < 9)',
    }));
});

const helpers = `
  create function helper(int) returns int language sql immutable as 'select $1 + 1';
  create function by_sql(int) returns int language sql immutable as 'select helper($1)';
  create function by_plpgsql(int) returns int language plpgsql immutable as 'begin return by_sql($1); end';
  create function by_standard(a int) returns int immutable return by_plpgsql(a);
  create function by_default(a int, b int default helper(1)) returns int language sql immutable as 'select a + b';
  create function by_text(int) returns int language plpgsql immutable as $$ declare n int; begin execute 'select by_sql($1)' into n using $1; return n; end $$;
  create function step(int, int) returns int language sql immutable as 'select $1 + helper($2)';
  create aggregate summed(int) (sfunc = step, stype = int, initcond = '0');
  create aggregate finished(int) (sfunc = int4pl, stype = int, initcond = '0', finalfunc = helper);
  create operator &&&& (leftarg = int, rightarg = int, function = step);
  create operator @@@ (rightarg = int, function = helper);
  create function by_operator(int) returns int language sql immutable as 'select $1 &&&&1';
  create function by_aggregate(int) returns int language sql immutable as 'select summed(x) from generate_series(1, $1) x';
  create type box2 as (n int);
  create function boxed(int) returns box2 language sql immutable as 'select row(helper($1))::box2';
  create function unboxed(box2) returns int language sql immutable as 'select helper($1.n)';
  create cast (int as box2) with function boxed(int);
  create cast (box2 as int) with function unboxed(box2) as assignment;
  create domain boxed_domain as box2;
  create table t (id int primary key, n int, b box2, k int generated always as (helper(1)) stored);
  insert into t values (1, 1, row(1)), (2, 2, row(2));
  create view v as select n &&&& 1 as x from t;
  create view w as select summed(n) as x from t;
  create view d as select by_default(n) as x from t;`;
const changed =
  "create or replace function helper(int) returns int language sql immutable as 'select $1 + 2'";

describe('a function under others', () => {
  it('in every way', () =>
    oracle.follows({
      setup: helpers,
      change: changed,
      sql: [
        'select helper(1)',
        'select by_sql(1)',
        'select by_plpgsql(1)',
        'select by_standard(1)',
        'select by_default(1)',
        'select summed(n) from t',
        'select finished(n) from t',
        'select n &&&& 1 from t',
        'select n operator(public.&&&&) 1 from t',
        'select @@@ n from t',
        'select by_operator(1)',
        'select by_aggregate(2)',
        'select * from v',
        'select * from w',
        'select * from d',
        'select 1::box2',
        'select n::box2 from t',
        'select b::int from t',
        'select (n::box2)::text from t',
        'select (1::box2).n',
        'select array[1,2]::box2[]',
        'select summed(n) over (order by id) from t',
        '(select by_sql(1)) union select 5',
        'select (t.n).helper from t',
        'select x from by_sql(1) x',
        'select 1::box2::boxed_domain',
      ],
    }));

  it('is called by what is made of text', () =>
    oracle.tellsOrFollows({ setup: helpers, sql: 'select by_text(1)', change: changed }));

  it.each([
    [
      'a function',
      'select helper(1)',
      "alter function helper(int) rename to other; create function helper(int) returns int language sql immutable as 'select 9'",
    ],
    [
      'an overload',
      'select by_sql(1)',
      "create function helper(bigint) returns int language sql immutable as 'select 9'; drop function helper(int) cascade",
    ],
    [
      'an operator',
      'select n &&&& 1 from t',
      'drop operator &&&& (int, int) cascade; create operator &&&& (leftarg = int, rightarg = int, function = int4mul)',
    ],
    [
      'an operator in a text',
      'select by_operator(5)',
      'drop operator &&&& (int, int) cascade; create operator &&&& (leftarg = int, rightarg = int, function = int4mul)',
    ],
    [
      'an aggregate',
      'select summed(n) from t',
      "create or replace aggregate summed(int) (sfunc = int4mul, stype = int, initcond = '1')",
    ],
    [
      'a cast',
      'select b::int from t',
      'drop cast (box2 as int); create function other(box2) returns int language sql immutable as $$ select 9 $$; create cast (box2 as int) with function other(box2)',
    ],
    [
      'a default',
      'select by_default(1)',
      "create or replace function by_default(a int, b int default 8) returns int language sql immutable as 'select a + b'",
    ],
    ['a setting', 'select day()', "alter function day() set timezone = 'Pacific/Kiritimati'"],
  ])('%s is another', (_, sql, change) =>
    oracle.follows({
      setup: `${helpers} create function day() returns text language sql stable set timezone = 'utc' as $$ select (timestamptz '2024-01-01 20:00Z')::date::text $$`,
      sql,
      change,
    }),
  );

  it('orders and compares', async () => {
    const setup = `create type rank as (n int);
      create function sign_of(int) returns int language sql immutable as 'select $1';
      create function lt(rank, rank) returns bool language sql immutable as 'select sign_of($1.n) < sign_of($2.n)';
      create function le(rank, rank) returns bool language sql immutable as 'select sign_of($1.n) <= sign_of($2.n)';
      create function same(rank, rank) returns bool language sql immutable as 'select sign_of($1.n) = sign_of($2.n)';
      create function ge(rank, rank) returns bool language sql immutable as 'select sign_of($1.n) >= sign_of($2.n)';
      create function gt(rank, rank) returns bool language sql immutable as 'select sign_of($1.n) > sign_of($2.n)';
      create function compare(rank, rank) returns int language sql immutable as 'select sign(sign_of($1.n) - sign_of($2.n))::int';
      create operator < (leftarg = rank, rightarg = rank, function = lt); create operator <= (leftarg = rank, rightarg = rank, function = le);
      create operator = (leftarg = rank, rightarg = rank, function = same); create operator >= (leftarg = rank, rightarg = rank, function = ge);
      create operator > (leftarg = rank, rightarg = rank, function = gt);
      create operator class rank_ops default for type rank using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 compare(rank, rank);
      create table r (id int primary key, k rank); insert into r values (1, row(1)), (2, row(2)), (3, row(3))`;
    const change =
      "create or replace function sign_of(int) returns int language sql immutable as 'select -$1'";
    await oracle.follows({ setup, sql: 'select id from r order by k', change });
    await oracle.follows({
      setup,
      sql: 'select count(*) from r a join r b on a.k < b.k where a.id = 1',
      change,
    });
    await oracle.follows({
      setup: `${setup}; ${change}`,
      sql: 'select id from r order by k',
      change: 'drop operator class rank_ops using btree cascade',
    });
  });
});

describe('what no statement names', () => {
  const texts = `create table notes (id int primary key, body text); insert into notes values (1, 'the running dogs');
    drop text search configuration if exists plain; create text search configuration plain (copy = simple);`;
  it.each([
    [
      'a configuration that is named',
      "select to_tsvector('plain', body) from notes",
      'alter text search configuration plain alter mapping for asciiword with english_stem',
    ],
    [
      "a configuration of Postgres' own",
      "select to_tsvector('simple', body) from notes",
      'alter text search configuration simple alter mapping for asciiword with english_stem',
    ],
    [
      'a dictionary',
      "select to_tsvector('english', body) from notes",
      "alter text search dictionary english_stem (language = english, stopwords = '')",
    ],
  ])('%s', async (_, sql, change) => {
    try {
      await oracle.follows({ setup: texts, sql, change });
    } finally {
      await oracle.database.query(`alter text search configuration simple alter mapping for asciiword with simple;
        alter text search dictionary english_stem (language = english, stopwords = 'english')`);
    }
  });

  // Of this database only: roles are the whole server's, and other tests run there.
  it.each(['database', 'role postgres in database', 'role all in database'])(
    'a setting of a %s',
    async (whose) => {
      const name = `${whose} ${oracle.database.name}`;
      try {
        await oracle.follows({
          setup: texts,
          sql: 'select to_tsvector(body) from notes',
          anew: true,
          change: `alter ${name} set default_text_search_config = 'simple'`,
        });
        await oracle.follows({
          setup: `${texts} create schema tenant; create table tenant.notes as select id, 'other' as body from notes; alter table tenant.notes add primary key (id)`,
          sql: 'select body from notes',
          anew: true,
          change: `alter ${name} set search_path = tenant, public`,
        });
      } finally {
        await oracle.database.query(`alter ${name} reset all`);
      }
    },
  );

  it('a rule', () =>
    oracle.follows({
      setup: `${texts} create view v as select body from notes; insert into notes values (2, 'b')`,
      sql: 'select * from v',
      change: 'create or replace view v as select body from notes where id = 2',
    }));

  it('an expression that is computed at each reading', () =>
    oracle.follows({
      setup:
        'create table g (id int primary key, a int, b int generated always as (a * 2) virtual); insert into g values (1, 1)',
      sql: 'select b from g',
      change: 'alter table g alter column b set expression as (a * 3)',
    }));

  it('a cast that is applied unasked', () =>
    oracle.follows({
      setup: `create table notes (id int primary key, at date); insert into notes values (1, '2024-01-01');
      create function number_of(date) returns int language sql immutable as $$ select shift($1) $$; create function shift(date) returns int language sql immutable as $$ select 1 $$;
      create cast (date as int) with function number_of(date) as implicit`.replace(
        'create function number_of',
        'set check_function_bodies = off; create function number_of',
      ),
      sql: 'select abs(at) from notes',
      change: 'create or replace function shift(date) returns int language sql immutable as $$ select 2 $$',
    }));
});

describe('leaves alone', () => {
  const setup =
    'create table t (id int primary key, name text); insert into t values (1, $$a$$); create table u (id int primary key); create function f() returns int language sql immutable as $$ select 1 $$';
  it.each([
    'create type other as enum ($$a$$)',
    'create function other() returns int language sql immutable as $$ select 1 $$',
    'create operator ~~~~~ (leftarg = int, rightarg = int, function = int4pl)',
    'alter table u add column x int',
    'create table w (id int primary key)',
    'create or replace function f() returns int language sql immutable as $$ select 2 $$',
    'create domain short as text',
    'create view x as select * from t',
    'grant select on t to public',
    'create index on t (name)',
    'create trigger idle before update on t for each row execute function suppress_redundant_updates_trigger()',
    'comment on table t is $$x$$',
    'create statistics on id, name from t',
    'analyze t',
    'cluster t using t_pkey',
    'alter table u add column t_id int references t',
  ])('what %s does not concern', (change) =>
    oracle.spares({ setup, sql: 'select name from t where id = 1', change }),
  );
});
