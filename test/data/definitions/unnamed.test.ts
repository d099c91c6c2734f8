// What a statement calls, reads or rests on though neither it nor anything that it names says so.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Oracle } from './oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.open();
});
afterAll(() => oracle?.close());

const factor = 'create table factor (n int primary key); insert into factor values (1);';
const changed = 'update factor set n = -1';

const comparisons = Object.entries({ lt: '<', le: '<=', eq: '=', ge: '>=', gt: '>' }).map(
  ([name, sign]) => `
    create function ${name}(odd, odd) returns bool language sql stable as 'select compared($1, $2) ${sign} 0';
    create operator ${sign} (leftarg = odd, rightarg = odd, function = ${name});`,
);
const odd = `${factor}
  create type odd as (n int);
  create function compared(odd, odd) returns int language sql stable as 'select (($1).n - ($2).n) * (select n from factor)';
  ${comparisons.join('\n')}
  create table odds (id int primary key, o odd);
  insert into odds values (1, row(1)), (2, row(2));`;
const ordered = `${odd} create operator class odd_ops default for type odd using btree as
  operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 compared(odd, odd);`;

describe('an order that reads a table', () => {
  it('is told where nothing but an operator class names it', () =>
    oracle.tells(
      {
        setup: ordered,
        change: changed,
        sql: [
          'select id from odds order by o',
          'select id from odds order by (o, id)',
          'select id from odds order by array[o]',
          'select array_agg(id order by o) from odds',
          'select distinct on (o) id from odds order by o',
          'select o from odds union select o from odds',
          'select rank() over (order by o), id from odds',
          'select greatest(o, row(1)::odd) from odds',
          'select mode() within group (order by o) from odds',
          'select id from odds order by o using <',
          'select o from odds union all select o from odds order by o using <',
        ],
      },
      /operator class/,
    ));

  it('is told where a construct means an operator without writing it', () =>
    oracle.tells(
      {
        setup: `${odd} create table pairs (id int primary key, o odd, p odd); insert into pairs values (1, row(1), row(2))`,
        change: 'update factor set n = 0',
        sql: [
          "select case o when p then 'same' end from pairs",
          'select a.id from pairs a join (select id as other, p as o from pairs) b using (o)',
          'select a.id from pairs a natural join (select p as o from pairs) b',
          'select o between p and p from pairs',
          'select o not between symmetric p and p from pairs',
          'select o in (select p from pairs) from pairs',
          'select o not in (select p from pairs) from pairs',
        ],
      },
      /operator/,
    ));
});

describe('a cast that JSON makes', () => {
  const cast = `${factor}
    create type mood as enum ('low', 'high');
    create function told(mood) returns json language sql stable as 'select to_json(n) from factor';
    create cast (mood as json) with function told(mood);
    create table t (id int primary key, m mood, ms mood[]); insert into t values (1, 'low', '{low}');`;
  it('is told', () =>
    oracle.tells(
      {
        setup: cast,
        change: changed,
        sql: [
          'select to_json(m) from t',
          'select to_jsonb(t) from t',
          'select row_to_json(t) from t',
          'select json_agg(m) from t',
          'select array_to_json(ms) from t',
          "select json_build_object('m', m) from t",
          "select json_object('m': m) from t",
          'select json_array(m) from t',
          'select json_array(select m from t)',
          "select json_objectagg('m': m) from t",
          'select json_scalar(m) from t',
        ],
      },
      /cast to json/,
    ));
});

it('tells of domains that a populated record checks', () =>
  oracle.tells(
    {
      setup: `${factor}
        create function allowed(int) returns bool language sql stable as 'select $1 * n > 0 from factor';
        create domain positive as int check (allowed(value));
        create table t (id int primary key, n positive); insert into t values (1, 1)`,
      sql: 'select jsonb_populate_record(t, \'{"n": 2}\') from t',
      change: changed,
    },
    /domain/,
  ));

describe("names of Postgres' catalog among the data", () => {
  const setup = `
    create table named (id int primary key);
    create domain watched as regclass;
    create type holder as (r regclass);
    create table t (id int primary key, r regclass, rs regclass[], w watched, h holder, o oid, n int);
    insert into t values (1, 'named', '{named}', 'named', row('named'), 'named'::regclass::oid, 1);
    create view v as select id, r from t;
    create function first() returns regclass language sql stable as 'select r from t';
    create function found(oid) returns regclass language sql immutable as 'select $1::regclass';`;
  const change = 'alter table named rename to renamed';
  it('are told', () =>
    oracle.tells(
      {
        setup,
        change,
        sql: [
          ...['r', 'rs', 'w', 'h', '(h).r', 't', '*', 't.*', 'r::text', 'to_json(r)', "format('%s', r)"].map(
            (what) => `select ${what} from t`,
          ),
          'select r from v',
          'select first()',
          'select found(o) from t',
          'select o::watched from t',
          'select row(o)::holder from t',
          "select count(*) from t where r::text = 'named'",
        ],
      },
      /catalog/,
    ));
  it('do not matter to who reads other columns', () =>
    oracle.spares({ setup, change, sql: ['select n from t', 'select id from v', 'select count(*) from t'] }));
});

it('follows the configuration of a text search by its name', () =>
  oracle.follows({
    setup: `create table t (id int primary key, v text, c regconfig); insert into t values (1, 'running', 'english');
      create text search configuration mine (copy = english);
      create view v as select to_tsvector('mine', v) as s from t`,
    sql: [
      "select to_tsvector('mine'::regconfig, v) from t",
      'select * from v',
      'select c, to_tsvector(c, v) from t',
    ],
    change: `alter text search configuration mine alter mapping for asciiword with simple;
      alter text search configuration english alter mapping for asciiword with simple`,
  }));

describe('a function that runs as another role by a setting of its own', () => {
  it.each(['set role = other', "set search_path = '$user', public set role = other"])(
    'finds its tables where that role does: %s',
    (how) =>
      oracle.follows({
        setup: `do $$ begin create role other; exception when duplicate_object then null; end $$;
        create schema other; create table other.t (v text, id int primary key); insert into other.t values ('own', 1);
        create table t (v text, id int primary key); insert into t values ('all', 1);
        grant usage on schema other, public to other; grant select on t, other.t to other;
        create function seen() returns text language sql stable ${how} as 'select v from t';
        create function around() returns text language sql stable as 'select seen()'`,
        sql: ['select seen()', 'select around()'],
        change: "update other.t set v = 'new'",
      }),
  );
});

describe('tables four deep', () => {
  const setup = `
    create table a (id int primary key, v text); create table b () inherits (a); create table c () inherits (b);
    create table d (id int primary key, v text); alter table d inherit c; insert into d values (3, 'x');
    create table e (id int primary key, v text); insert into e values (4, 'y');
    create view v as select * from a; create function counted() returns bigint language sql stable as 'select count(*) from a';`;
  const sql = [
    'select * from a',
    'select count(*) from a',
    'select * from v',
    'select counted()',
    'select * from b',
  ];
  it.each([
    'alter table e inherit d',
    'drop table d',
    'alter table d no inherit c',
    "alter table d set unlogged; insert into d values (5, 'z')",
  ])('%s', (change) => oracle.follows({ setup, sql, change }));
});

it('notices that two columns took each other’s names', () =>
  oracle.follows({
    setup: "create table t (id int primary key, a text, b text); insert into t values (1, 'a', 'b')",
    sql: ['select a from t', 'select b from t where id = 1', 'select to_json(t) from t'],
    change: 'alter table t rename a to c; alter table t rename b to a; alter table t rename c to b',
  }));

it('notices that public has another name', () =>
  oracle.follows({
    setup: 'create table t (id int primary key)',
    sql: 'select count(*) from public.t',
    change: 'set search_path = pg_catalog; alter schema public rename to old',
  }));

describe('a setting of the database', () => {
  const setup = "create table t (id int primary key, v text); insert into t values (1, 'word')";
  const set = (setting: string) =>
    `do $$ begin execute 'alter database ' || quote_ident(current_database()) || ' set ${setting}'; end $$`;
  it('that nobody has thought of counts', () =>
    oracle.follows({
      setup,
      anew: true,
      sql: "select format('%I', v) from t",
      change: set('quote_all_identifiers = on'),
    }));
  it('of an extension counts', () =>
    oracle.follows({
      setup: `${setup}; create extension pg_trgm`,
      anew: true,
      sql: "select id from t where v % 'worm'",
      change: set('pg_trgm.similarity_threshold = 0.9'),
    }));
  it.each(['enable_hashjoin = off', 'statement_timeout = 80000', 'work_mem = 8000', 'app.tenant = 7'])(
    'that no result leans on does not: %s',
    (setting) => oracle.spares({ setup, anew: true, sql: 'select v from t', change: set(setting) }),
  );
});
