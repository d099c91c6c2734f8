// What comes up under a name that Postgres' own have, as extensions bring it: those who may mean it now are purged, others not.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Oracle } from './oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.open();
});
afterAll(() => oracle?.close());

const setup = `create table t (id int primary key, name text, short varchar(9), n int, ns int[], j jsonb);
  insert into t values (1, 'a', 'a', 7, '{1,2}', '{"a":1}'), (2, 'B', 'B', 8, '{3}', '{}');
  create type mood as enum ('low', 'high'); create table moods (id int primary key, m mood); insert into moods values (1, 'low'), (2, 'high');
  create function no(mood, mood) returns bool language sql immutable as 'select false';
  create function no(text, text) returns bool language sql immutable as 'select false';
  create function no(varchar, varchar) returns bool language sql immutable as 'select false';
  create function no(int, varchar) returns bool language sql immutable as 'select false';
  create function no(mood, text) returns bool language sql immutable as 'select false';
  create function no(mood) returns text language sql immutable as $$ select 'no' $$;
  create function joined(text, mood) returns text language sql immutable as $$ select 'joined' $$;`;

describe('an extension', () => {
  const common = [
    'select name from t where id = 1',
    "select id from t where short <> 'x' and n in (7, 9) and name = 'a'",
    "select count(*) from t where name like 'a%' and id > 0",
    'select n + 1, n * 2, upper(name) from t order by name limit 1',
    "select a.id from t a join t b using (id) where (a.id, a.name) = (1, 'a')",
    "select case name when 'a' then 1 else 2 end, nullif(name, 'a'), coalesce(name, 'x') from t",
    'select id from t where name in (select short from t where n <= 8)',
  ];
  const others = [...common, "select n - 1, name || 'x', j -> 'a' from t"];
  it.each([
    ['citext', others],
    ['hstore', [...others, "select j ? 'a' from t"]],
    ['ltree', [...common, 'select name || short from t', "select name ~ '^a' from t"]],
    ['cube', common],
    ['btree_gist', others],
    ['pg_trgm', others],
    ['pgcrypto', others],
    ['unaccent', [...others, "select to_tsvector('simple', name) from t"]],
    ['intarray', ["select name || 'x', j -> 'a' from t where id = 1 and name like 'a%'"]],
  ])('%s leaves alone what cannot mean it', (extension, sql) =>
    oracle.spares({ setup, sql, change: `create extension ${extension}` }),
  );
});

describe('an operator', () => {
  const operator = (name: string, left: string, right: string) =>
    `create operator ${name} (leftarg = ${left}, rightarg = ${right}, function = no)`;

  it('for types that are not met exactly', () =>
    oracle.follows({
      setup,
      sql: [
        "select id from t where short = 'a'",
        'select id from t where short in (select name::varchar from t)',
        "select nullif(short, 'a') from t",
        'select a.id from t a join t b using (short)',
        "select case short when 'a' then 1 end from t",
      ],
      change: operator('=', 'varchar', 'varchar'),
    }));

  it('in a schema that stands before', () =>
    oracle.follows({
      setup: `${setup} set search_path = public, pg_catalog`,
      sql: "select id from t where name ~ 'a'",
      change: operator('~', 'text', 'text'),
    }));

  it('for types that had no such operator', () =>
    oracle.tellsOrFollows({
      setup: `${setup} create function caught() returns text language plpgsql stable as $$ begin return (select n || short from t where id = 1); end $$`,
      sql: ['select n || short from t', 'select caught()'],
      change: operator('||', 'int', 'varchar'),
    }));

  it('of a type that the statement reads', async () => {
    await oracle.follows({
      setup: `${setup} create cast (mood as text) with inout as implicit`,
      sql: [
        'select id from moods where m ~~ m',
        'select a.id from moods a join moods b on b.m ~~ a.m',
        "select 'low'::mood ~~ 'low'::mood",
        "select array['low']::mood[] is not null, (array_agg(m))[1] ~~ (array_agg(m))[1] from moods",
      ],
      change: operator('~~', 'mood', 'mood'),
    });
    await oracle.follows({
      setup: `${setup} create function no(mood[], mood[]) returns bool language sql immutable as 'select false'`,
      sql: 'select array_agg(m) && array_agg(m) from moods',
      change: operator('&&', 'mood[]', 'mood[]'),
    });
    await oracle.follows({
      setup: `${setup} ${operator('=', 'mood', 'mood')}`,
      sql: 'select id from moods where m operator(public.=) m',
      change:
        "create or replace function no(mood, mood) returns bool language sql immutable as 'select true'",
    });
  });

  it('that a literal or a parameter is fit for', async () => {
    await oracle.touches({
      setup,
      sql: [
        "select 'low' = 'low'",
        "select 'low' between 'high' and 'low'",
        "select ('low', 1) = ('high', 1)",
        "select 'low' in ('high', null)",
        'select \'low\' collate "C" = null',
      ],
      change: `${operator('=', 'mood', 'mood')};${operator('>=', 'mood', 'mood')}`,
    });
    await oracle.touches({
      setup,
      sql: ["select 'low' in (select name from t)", "select 'low' = any (select name from t)"],
      change: operator('=', 'mood', 'text'),
    });
    await oracle.touches({
      setup,
      sql: ["select 'low' || name from t"],
      change: 'create operator || (leftarg = mood, rightarg = text, function = no)',
    });
    await oracle.touches({
      setup,
      sql: ["select name || 'low' from t"],
      change: 'create operator || (leftarg = text, rightarg = mood, function = joined)',
    });
  });

  it('leaves alone what has other operands', async () => {
    const texts = [
      "select id from t where name = 'a' and short like 'a%'",
      'select name || short from t',
      'select - n, n - 1 from t',
    ];
    await oracle.spares({ setup, sql: texts, change: operator('=', 'mood', 'mood') });
    await oracle.spares({ setup, sql: texts, change: operator('~~', 'mood', 'text') });
    await oracle.spares({
      setup,
      sql: texts,
      change: 'create operator || (leftarg = text, rightarg = mood, function = joined)',
    });
    await oracle.spares({ setup, sql: texts, change: 'create operator - (rightarg = mood, function = no)' });
  });

  it('of a type that other things become unasked', async () => {
    const sql = ["select id from t where short = 'a'", 'select name || n from t'];
    await oracle.touches({
      setup: `${setup} create domain label as varchar(9);
        create function no(label, label) returns bool language sql immutable as 'select false';`,
      sql: sql.slice(0, 1),
      change: operator('=', 'label', 'label'),
    });
    await oracle.follows({
      setup: `${setup} create cast (int as mood) with inout as implicit`,
      sql: sql.slice(1),
      change: 'create operator || (leftarg = text, rightarg = mood, function = joined)',
    });
  });

  it('inside of a body that is kept as text', () =>
    oracle.follows({
      setup: `${setup} create function same(varchar, varchar) returns bool language sql immutable as 'select $1 = $2'`,
      sql: 'select same(short, short) from t',
      change: operator('=', 'varchar', 'varchar'),
    }));
});

describe('a dictionary', () => {
  const search = `${setup} create extension unaccent; create text search dictionary mine (template = simple);`;

  it('is told of where it changes, goes, or takes a name', async () => {
    const sql = "select ts_lexize('public.mine', name), unaccent(name) from t order by id";
    await oracle.follows({
      setup: search,
      sql,
      change: 'alter text search dictionary mine (accept = false)',
    });
    await oracle.follows({
      setup: search,
      sql,
      change:
        'alter text search dictionary mine rename to old; create text search dictionary mine (template = simple, accept = false)',
    });
    await oracle.follows({ setup: search, sql, change: 'drop text search dictionary mine' });
    await oracle.touches({
      setup: search,
      sql,
      change: 'create schema before; create text search dictionary before.mine (template = simple)',
    });
    await oracle.touches({
      setup: `${setup} set search_path = public, pg_catalog`,
      sql: "select ts_lexize('simple', name) from t",
      change: 'create text search dictionary simple (template = snowball, language = english)',
    });
  });

  it('is no concern of anyone while it has a name of its own', () =>
    oracle.spares({
      setup: search,
      sql: "select ts_lexize('mine', 'a'), to_tsvector('english', name) from t",
      change: 'create text search dictionary other (template = simple, accept = false)',
    }));
});
