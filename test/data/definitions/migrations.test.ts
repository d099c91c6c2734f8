// What migrations do to results far above what they change.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Oracle } from './oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.open();
});
afterAll(() => oracle?.close());

const setup = `
  create schema s1; create schema s2;
  create table t (id int primary key, v text, n int, j jsonb); insert into t values (1, 'a', 1, '{"a":1}'), (2, 'b', 2, '{}');
  create table s2.x (id int primary key, v text); insert into s2.x values (1, 's2');
  create view v1 as select id, v from t; create view v2 as select * from v1; create view v3 as select (select max(v) from v2) as m;
  create function fv() returns text language sql stable as 'select max(v) from v2';
  create function plv() returns text language plpgsql stable as 'begin return (select max(v) from v2); end';
  create function imm(text) returns text language sql immutable as 'select upper($1)';
  create function caller(text) returns text language sql immutable as 'select imm($1::text)';
  create function "Mixed Case"(text) returns text language sql immutable as 'select lower($1)';
  create function mixed_caller(text) returns text language sql immutable as 'select "Mixed Case"($1)';
  create function pathed() returns text language sql stable set search_path = s1, s2 as 'select max(v) from x';
  create function pathed_fn() returns text language sql stable set search_path = s1, public as $$ select imm('q') $$;
  create function dflt(a text default imm('x')) returns text language sql immutable as 'select a';
  create type pt as (x int, y int);
  create function pt_text(pt) returns text language sql immutable as $$ select 'pt' $$;
  create table par (id int primary key, v text); create table chi () inherits (par); alter table chi add primary key (id); insert into chi values (1, 'c');
  create aggregate agg(text) (sfunc = textcat, stype = text, initcond = '');
  create aggregate ordered(order by text) (sfunc = textcat, stype = text, initcond = '', finalfunc = imm);
  create function trim_it(text) returns text language sql immutable as 'select $1'; create operator !!! (rightarg = text, function = trim_it);
  create collation mine (provider = icu, locale = 'und');
  create table k (id int primary key, w text collate mine); insert into k values (1, 'a'), (2, 'B');
  create function lateral_fn(t) returns table (q text) language sql stable as 'select $1.v || imm($1.v)';
  create view vagg as select agg(v) as a from t; create view vop as select !!! v as o from t;
  create function rec_imm(int) returns int language sql immutable as 'select case when $1 = 0 then 0 else rec_imm($1 - 1) + 1 end';
  create function in_string() returns text language plpgsql immutable as $$ declare r text; begin execute 'select imm(''z'')' into r; return r; end $$;
  create function overl(int) returns text language sql immutable as $$ select 'int' $$;
  create function overl_caller() returns text language sql immutable as $$ select overl(1::smallint) $$;
  create view overl_view as select 1 as one;
`;
const cases: readonly (readonly [change: string, statements: readonly string[]])[] = [
  [
    "create or replace view v1 as select id, v || '!' as v from t",
    ['select * from v2', 'select * from v3', 'select fv()', 'select plv()'],
  ],
  [
    "create or replace function imm(text) returns text language sql immutable as 'select $1 || $1'",
    [
      "select caller('a')",
      'select pathed_fn()',
      'select dflt()',
      'select ordered() within group (order by v) from t',
      'select l.q from t, lateral_fn(t) l',
      'select in_string()',
      'select (t.v).imm from t',
      'with r as (select imm(v) as x from t) select x from r',
      'select count(*) from t where imm(v) = $$A$$',
      'select imm(v) from t group by imm(v)',
      'select imm(v) from t order by imm(v) limit 1',
    ],
  ],
  [
    'create or replace function "Mixed Case"(text) returns text language sql immutable as \'select $1 || $1\'',
    ["select mixed_caller('a')"],
  ],
  ["create table s1.x (id int primary key, v text); insert into s1.x values (1, 's1')", ['select pathed()']],
  [
    "create function s1.imm(text) returns text language sql immutable as $$ select 's1' $$",
    ['select pathed_fn()'],
  ],
  ['create cast (pt as text) with function pt_text(pt)', ['select row(1,2)::pt::text']],
  [
    'alter table par add column extra int default 7',
    ['select * from par', 'select par from par', 'select to_json(c) from chi c', 'select * from chi'],
  ],
  [
    "create or replace aggregate agg(text) (sfunc = textcat, stype = text, initcond = 'X')",
    ['select agg(v) from t', 'select * from vagg', 'select agg(v) over () from t'],
  ],
  [
    "create or replace function trim_it(text) returns text language sql immutable as 'select $1 || 9'",
    ['select !!! v from t', 'select * from vop'],
  ],
  ['alter table k alter column w type text collate "C"', ['select id from k order by w']],
  [
    "create or replace function rec_imm(int) returns int language sql immutable as 'select 5'",
    ['select rec_imm(3)'],
  ],
  [
    "create function overl(smallint) returns text language sql immutable as $$ select 'small' $$",
    ['select overl_caller()', 'select overl(1::smallint)'],
  ],
  [
    "alter table t rename to told; create table t (id int primary key, v text, n int, j jsonb); insert into t values (1, 'new')",
    ['select v from t', 'select count(*) from t'],
  ],
  [
    'alter schema s2 rename to s3; create schema s2; create table s2.x (id int primary key, v text)',
    ['select max(v) from s2.x', 'select pathed()'],
  ],
  [
    "alter table t alter column n type text using n || '?'",
    ['select n from t', 'select to_json(t) from t', 'select * from t where id = 1'],
  ],
  [
    "alter function imm(text) set schema s1; create function imm(text) returns text language sql immutable as $$ select 'moved' $$",
    ["select caller('a')", "select imm('a')"],
  ],
  [
    'drop function overl(int); create function overl(int) returns text language sql stable as $$ select max(v) from t $$',
    ['select overl(1)', 'select overl_caller()'],
  ],
  [
    'create or replace view overl_view as select 2 as one',
    [
      'select * from overl_view',
      'select (select one from overl_view)',
      'select exists (select from overl_view where one = 1)',
    ],
  ],
  [
    'create extension citext; alter table k alter column w type citext collate "default"',
    ["select count(*) from k where w = 'A'"],
  ],
  ["alter table t add column team_name text default 'col'", ['select to_jsonb(t) from t']],
  ['alter view v1 rename column v to w', ['select to_json(v1) from v1']],
];
describe('a migration', () => {
  it.each(cases)('%s', (change, sql) => oracle.follows({ setup, change, sql }));
});
