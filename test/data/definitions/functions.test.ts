// What functions read, however they are called and however they are written.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Oracle } from './oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.open();
});
afterAll(() => oracle?.close());

const people = `
  create table teams (id int primary key, name text);
  create table users (id int primary key, team_id int, name text, since timestamptz);
  create table posts (id int primary key, user_id int, score int);
  create index on posts (user_id);
  create view members as select id, team_id from users;
  create type addr as (street text, team int);
  create table homes (id int primary key, at addr, ats addr[]);
  insert into teams values (1, 'A');
  insert into users values (1, 1, 'Ada', '2020-01-01');
  insert into posts values (10, 1, 3), (11, 1, 5);
  insert into homes values (1, row('x', 1), array[row('y', 1)]::addr[]);
  create function team_name(users) returns text language sql stable as 'select name from teams where id = $1.team_id';
  create function team_name(members) returns text language sql stable as 'select name from teams where id = $1.team_id';
  create function team_name(addr) returns text language sql stable as 'select name from teams where id = $1.team';
  create function any_team(anyelement) returns text language sql stable as 'select min(name) from teams';
  create function all_teams(users, n int default 9) returns setof text language sql stable as 'select name from teams limit n';
  create function some_teams(variadic users[]) returns text language sql stable as 'select min(name) from teams';
  create function person(int) returns users language sql stable as 'select * from users where id = $1';`;
const renamed = "update teams set name = 'B'";

describe('functional notation', () => {
  it('calls what it names', () =>
    oracle.follows({
      setup: people,
      change: renamed,
      sql: [
        // of a row in parentheses
        'select u.id, (u).team_name from users u',
        // of a table
        'select u.id, u.team_name from users u',
        // of a table by its schema
        'select public.users.team_name from public.users',
        // of a view
        'select m.team_name from members m',
        // of a subquery
        'select (q).team_name from (select u from users u) q(q)',
        // of what a function gives
        'select (person(1)).team_name',
        // of a function in FROM
        'select p.team_name from person(1) p',
        // of a composite column
        'select (h.at).team_name from homes h',
        // of an element
        'select (h.ats[1]).team_name from homes h',
        // of a value made here
        "select (row('x', 1)::addr).team_name",
        // of a scalar, by a polymorphic one
        'select (u.id).any_team from users u',
        // of a row, by a polymorphic one
        'select u.any_team from users u',
        // of a row, by one with defaults that gives rows
        'select u.id, u.all_teams from users u',
        // of a row, by a variadic one
        'select u.some_teams from users u',
        // in a condition
        "select id from users u where u.team_name = 'A'",
        // in an order
        'select id, u.team_name as t from users u order by u.team_name',
        // in a WITH query
        'with u as (select * from users) select x.any_team from u x',
        // in a lateral one
        'select t.n from users u, lateral (select (u).team_name as n) t',
        // of a row of a set operation
        'select q.any_team from (select id from users union select id from users) q',
      ],
    }));

  it.each([
    [
      'sql',
      'select team(u) from users u',
      "create function team(u users) returns text language sql stable as 'select u.team_name'",
    ],
    [
      'sql, in parentheses',
      'select team(u) from users u',
      "create function team(u users) returns text language sql stable as 'select ($1).team_name'",
    ],
    [
      'plpgsql',
      'select team(u) from users u',
      "create function team(u users) returns text language plpgsql stable as 'begin return (u).team_name; end'",
    ],
    [
      'sql, by its name',
      'select team(u) from users u',
      "create function team(u users) returns text language sql stable as 'select team.u.team_name'",
    ],
    [
      'standard',
      'select team(u) from users u',
      'create function team(u users) returns text stable return u.team_name',
    ],
    ['a view', 'select * from named', 'create view named as select u.id, u.team_name from users u'],
  ])('inside of %s', (_, sql, defined) =>
    oracle.follows({ setup: `${people} ${defined};`, sql, change: renamed }),
  );

  it('counts as the aggregate or the set that it is', async () => {
    const setup = people;
    const change = 'delete from posts where id = 10';
    await oracle.follows({
      setup,
      sql: 'select (p.score).max from posts p where p.user_id = 1',
      change: 'delete from posts where id = 11',
    });
    await oracle.follows({ setup, sql: 'select p.count from posts p where p.user_id = 1', change });
    await oracle.follows({
      setup,
      sql: 'select (select p.count) as n from posts p where p.user_id = 1',
      change,
    });
    await oracle.follows({
      setup,
      sql: 'select (select (p.score).sum) as n from posts p where p.user_id = 1',
      change: 'update posts set score = 9 where id = 10',
    });
    const rows =
      "create function twice(posts) returns setof int language sql immutable as 'select generate_series(1, $1.score)'";
    await oracle.follows({
      setup: `${setup} ${rows}; update posts set score = 0;`,
      sql: 'select p.id, p.twice from posts p',
      change: 'update posts set score = 1 where id = 10',
    });
  });

  it('tells of functions that lean on more than the data', async () => {
    const one = { setup: people, change: "update users set since = '2021-01-01'" };
    await oracle.tells({ ...one, sql: 'select (u.since).age from users u' }, /time/);
    await oracle.tells(
      {
        ...one,
        sql: 'select since_when(u.since) from users u',
        setup: `${people} create function since_when(s timestamptz) returns interval language sql stable as 'select s.age'`,
      },
      /time/,
    );
  });

  it('is a column where there is one', () =>
    oracle.spares({
      setup: `${people} create function name(users) returns text language sql stable as 'select name from teams limit 1'`,
      sql: 'select u.id, u.name from users u where u.id = 1',
      change: renamed,
    }));
});

describe('arguments that a call leaves out', () => {
  const rates = `
    create table rates (id int primary key, rate numeric);
    insert into rates values (1, 0.2);
    create function tax() returns numeric language sql stable as 'select rate from rates where id = 1';
    create function gross(p numeric, r numeric default tax()) returns numeric language sql immutable as 'select p * (1 + r)';
    create function deep(p numeric default gross(100)) returns numeric language sql immutable as 'select p';
    create function named(a int default 1, b numeric default tax(), c int default 2) returns numeric language sql immutable as 'select a + b + c';
    create function listed(p numeric default tax(), variadic more int[] default '{}') returns numeric language sql immutable as 'select p';
    create view prices as select gross(100) as price;
    create function caller() returns numeric language sql stable as 'select gross(100)';
    create function plcaller() returns numeric language plpgsql stable as 'begin return gross(p => 100); end';
    create function standard() returns numeric stable return gross(100);`;
  const change = 'update rates set rate = 0.3';
  it('are followed', () =>
    oracle.follows({
      setup: rates,
      change: change,
      sql: [
        'select gross(100)',
        'select gross(p => 100)',
        'select deep()',
        'select named(c => 3)',
        'select named(1, c => 3)',
        'select listed()',
        'select * from prices',
        'select caller()',
        'select plcaller()',
        'select standard()',
        'select x from gross(100) x',
      ],
    }));

  it('tells of a default that leans on the time', () =>
    oracle.tells(
      {
        setup:
          "create table t (n int primary key); create function f(t t, at timestamptz default clock_timestamp()) returns timestamptz language sql immutable as 'select at'; insert into t values (1)",
        sql: 'select f(t) from t',
        change: 'update t set n = 2',
      },
      /time/,
    ));

  it('does not follow what is given', () =>
    oracle.spares({ setup: rates, sql: 'select gross(100, 0.1)', change }));
});

describe('PL/pgSQL', () => {
  const tables = `
    create type mood as enum ('low', 'high');
    create domain short as text check (length(value) < 9);
    create type pair as (a text, b text);
    create table t (id int primary key, v text);
    create table u (id int primary key, v text);
    insert into t values (1, 'low'); insert into u values (1, 'low');
    create function read() returns text language sql stable as 'select v from t where id = 1';
    create function read(text) returns text language sql stable as 'select v from t where id = 1';
    create function number() returns int language sql stable as 'select length(v) from t where id = 1';`;
  const change = "update t set v = 'high' where id = 1";
  const bodies = [
    ['a record', 'declare r record := (select t from t where id = 1); begin return r.v; end'],
    ['a record by a function', 'declare r record := row(read(), 1); begin return r::text; end'],
    ['an enum', 'declare m mood := read(); begin return m; end'],
    ['a domain', 'declare d short default read(); begin return d; end'],
    ['a composite', "declare p pair = row(read(), 'x'); begin return p.a; end"],
    ['a composite, not null', "declare p pair not null := row(read(), 'x'); begin return p.a; end"],
    ['an array', 'declare a text[] := array[read()]; begin return a[1]; end'],
    ['an array of enums', 'declare a mood[] := array[read()]::mood[]; begin return a[1]; end'],
    ['a row', 'declare r t%rowtype := (select t from t where id = 1); begin return r.v; end'],
    ['a column', 'declare r t.v%type := read(); begin return r; end'],
    ['another variable', 'declare a text; r a%type := read(); begin return r; end'],
    ['a constant', 'declare r constant mood := read(); begin return r; end'],
    ['a collated one', 'declare r text collate "C" := read(); begin return r; end'],
    ['a block inside', 'begin declare r record := row(read()); begin return r::text; end; end'],
    [
      'a block in a handler',
      "begin raise exception 'x'; exception when raise_exception then declare r record := row(read()); begin return r::text; end; end",
    ],
    ['a handler', "begin raise exception 'x'; exception when raise_exception then return read(); end"],
    ['a quoted one', 'declare "my r" record := row(read()); begin return "my r"::text; end'],
    [
      'one after comments',
      'declare -- a := b;\n /* begin */ r record /* := */ := row(read()); begin return r::text; end',
    ],
    [
      'the bounds of a loop',
      "declare s text := ''; begin for i in 1..number() loop s := s || i; end loop; return s; end",
    ],
    [
      'a step',
      "declare s text := ''; begin for i in 1..9 by number() loop s := s || i; end loop; return s; end",
    ],
    [
      'a query of a loop',
      "declare r record; s text := ''; begin for r in select v from t loop s := s || r.v; end loop; return s; end",
    ],
    [
      'an array of a loop',
      "declare x text; s text := ''; begin foreach x in array array(select v from t) loop s := s || x; end loop; return s; end",
    ],
    ['WHILE', 'declare n int := 0; begin while n < number() loop n := n + 1; end loop; return n; end'],
    [
      'EXIT WHEN',
      'declare n int := 0; begin loop exit when n > number(); n := n + 1; end loop; return n; end',
    ],
    [
      'IF',
      "begin if read() = 'low' then return 'a'; elsif read('x') = 'x' then return 'b'; else return 'c'; end if; end",
    ],
    [
      'ELSIF',
      "begin if false then return 'a'; elsif read() = 'low' then return 'b'; else return 'c'; end if; end",
    ],
    ['CASE', "begin case read() when 'low' then return 'a'; else return 'b'; end case; end"],
    ['WHEN', "begin case 'low' when read() then return 'a'; else return 'b'; end case; end"],
    ['INTO', 'declare x text; begin select v into strict x from t where id = 1; return x; end'],
    [
      'a subscript that is assigned to',
      'declare a int[] := array[0,0,0,0,0,0]; begin a[number()] := 1; return a::text; end',
    ],
    ['a parameter that is assigned to', 'begin $1 := read(); return $1; end'],
    [
      'a WITH query',
      'declare x text; begin with q as (select v from t) select v into x from q; return x; end',
    ],
    ['PERFORM and FOUND', "begin perform from t where v = 'low'; return found; end"],
    [
      'ASSERT',
      "begin begin assert read() = 'low'; exception when assert_failure then return 'no'; end; return 'yes'; end",
    ],
    [
      'RAISE',
      "declare m text; begin begin raise exception '%', read(); exception when raise_exception then get stacked diagnostics m = message_text; end; return m; end",
    ],
    [
      'RAISE USING',
      'declare m text; begin begin raise exception using message = read(); exception when raise_exception then get stacked diagnostics m = message_text; end; return m; end',
    ],
  ] as const;
  it('is followed wherever it reads', () =>
    oracle.follows({
      setup: `${tables} ${bodies
        .map(
          ([what, body]) =>
            `create function "${what}"(a text default '') returns text language plpgsql stable as $f$ ${body} $f$;`,
        )
        .join('\n')}`,
      change,
      sql: bodies.map(([what]) => `select "${what}"()`),
    }));
  it.each([
    ['RETURN QUERY', 'begin return query select v from t; end'],
    ['RETURN NEXT', 'begin return next read(); end'],
  ])('follows %s', (_, body) =>
    oracle.follows({
      setup: `${tables} create function f() returns setof text language plpgsql stable as $f$ ${body} $f$`,
      sql: 'select * from f()',
      change,
    }),
  );

  it.each([
    ['EXECUTE', "declare x text; begin execute 'select v from t where id = 1' into x; return x; end", /dyn/],
    [
      'a loop over EXECUTE',
      "declare r record; x text; begin for r in execute 'select v from t' loop x := r.v; end loop; return x; end",
      /dyn/,
    ],
    [
      'a cursor of EXECUTE',
      "declare c refcursor; x text; begin open c for execute 'select v from t'; fetch c into x; return x; end",
      /cannot be followed/,
    ],
  ])('tells of %s', (_, body, why) =>
    oracle.tells(
      {
        setup: `${tables} create function f() returns text language plpgsql stable as $f$ ${body} $f$`,
        sql: 'select f()',
        change,
      },
      why,
    ),
  );

  it('tells of a set by EXECUTE', () =>
    oracle.tells(
      {
        setup: `${tables} create function f() returns setof text language plpgsql stable as $f$ begin return query execute 'select v from t'; end $f$`,
        sql: 'select * from f()',
        change,
      },
      /dyn/,
    ));
});

describe('casts and constraints that read', () => {
  const setup = `
    create table t (id int primary key, v text); create table u (id int primary key, v text);
    insert into t values (1, 'low'); insert into u values (1, 'low');
    create type mood as enum ('low', 'high');
    create function to_mood(text) returns mood language sql stable as
      'select case when (select v from t where id = 1) = $1 then (enum_range(null::mood))[1] else (enum_range(null::mood))[2] end';
    create cast (text as mood) with function to_mood(text) as assignment;
    create domain feeling as mood; create domain feelings as mood[]; create type felt as (m mood);
    create function known(text) returns bool language sql stable as 'select $1 is null or exists (select from t where v = $1)';
    create domain word as text check (known(value)); create domain short_word as word; create type worded as (w word);
    create function given() returns mood language plpgsql stable as 'declare x text := ''low''; begin return x; end';
    create function given_out(out m mood) language plpgsql stable as 'declare x text := ''low''; begin m := x; end';
    create function checked() returns text language plpgsql stable as
      'declare w word; begin w := ''low''; return w; exception when check_violation then return ''no''; end';
    create function checked_below() returns text language plpgsql stable as
      'declare w short_word; begin w := ''low''; return w; exception when check_violation then return ''no''; end';
    create function checked_part() returns text language plpgsql stable as $$ begin
      return (jsonb_populate_record(null::worded, '{"w":"low"}')).w; exception when check_violation then return 'no'; end $$;
    create function word() returns word language plpgsql stable as 'begin return ''low''; end';
    create function caught() returns text language plpgsql stable as
      'begin return word(); exception when check_violation then return ''no''; end';`;

  it('are told, also where nothing is cast in so many words', () =>
    oracle.tells(
      {
        setup,
        change: "update t set v = 'high'",
        sql: [
          'select v::mood from u',
          'select array[v]::mood[] from u',
          'select v::feeling from u',
          'select array[v]::feelings from u',
          'select row(v)::felt from u',
          'select given()',
          'select given_out()',
          'select checked()',
          'select checked_below()',
          'select checked_part()',
          'select caught()',
        ],
      },
      /may call a function that is not immutable/,
    ));
});

it('tells of an immutable function that puts SQL together', () =>
  oracle.tells(
    {
      setup: `create function helper() returns int language sql immutable as 'select 1';
        create function f(name text) returns int language plpgsql immutable as
          $$ declare n int; begin execute 'select ' || name || '()' into n; return n; end $$;`,
      sql: "select f('help' || 'er')",
      change: "create or replace function helper() returns int language sql immutable as 'select 2'",
    },
    /puts together/,
  ));
