// What people write that reads a table in a way of its own: followed, or told that it is not.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, Oracle } from './oracle.ts';

const docs = `create table docs (id int primary key, j jsonb, name text);
  insert into docs values (1, '{"l":[{"a":1},{"a":2}]}', 'Ünal'), (2, '{"l":[]}', 'zoe');`;

const followed: Record<string, Case> = {
  JSON_TABLE: {
    setup: docs,
    sql: "select t.a from docs d, json_table(d.j, '$.l[*]' columns (a int path '$.a')) t where d.id = $1",
    params: [1],
    change: `update docs set j = '{"l":[{"a":5}]}' where id = 1`,
  },
  'JSON_TABLE over a subquery, with a default and a nested path': {
    setup: docs,
    sql: `select * from json_table((select j from docs where id = 1), '$' columns (name text path '$.name' default 'none' on empty,
            nested path '$.l[*]' columns (a int path '$.a'))) t`,
    change: `update docs set j = '{"name":"x"}' where id = 1`,
  },
  'JSON_QUERY, JSON_VALUE and JSON_EXISTS': {
    setup: docs,
    sql: "select json_query(j, '$.l'), json_value(j, '$.l[$i].a' passing id as i), json_exists(j, '$.n') from docs order by id",
    change: `update docs set j = '{"n":1}' where id = 2`,
  },
  'a WITH query with SEARCH and CYCLE': {
    setup: 'create table links (a int, b int, primary key (a, b)); insert into links values (1, 2), (2, 3);',
    sql: `with recursive w(n) as (select 1 union all select b from links, w where a = n)
            search depth first by n set o cycle n set again using path select n, o, again from w order by o`,
    change: 'insert into links values (3, 1)',
  },
  'the order of VALUES': {
    setup: 'create table ranks (id int primary key, rank int); insert into ranks values (1, 1), (2, 2);',
    sql: 'values (1), (2) order by (select rank from ranks where id = column1)',
    change: 'update ranks set rank = 9 where id = 1',
  },
  'unaccent(), which is declared stable': {
    setup: `${docs} create extension if not exists unaccent schema public;`,
    sql: 'select unaccent(name) as name from docs order by id',
    change: "update docs set name = 'Öz' where id = 2",
  },
  'the operators of pg_trgm, which read their threshold': {
    setup: `${docs} create extension if not exists pg_trgm schema public;`,
    sql: 'select id from docs where name % $1 and id % 2 = 0',
    params: ['zoe'],
    change: "update docs set name = 'nobody' where id = 2",
  },
  'a threshold of pg_trgm that is set for the database': {
    setup: `${docs} create extension if not exists pg_trgm schema public;`,
    sql: 'select id from docs where name % $1',
    params: ['zo'],
    anew: true,
    change: `do $$ begin execute format('alter database %I set pg_trgm.similarity_threshold = 0.9', current_database()); end $$`,
  },
  'loops over cursors': {
    setup: `${docs}
      create function names() returns text language plpgsql stable as $$
        declare bound cursor (least int) for select name from docs where id >= least order by id;
                opened refcursor; r record; all_names text := '';
        begin
          for each in bound(1) loop all_names := all_names || each.name; end loop;
          open opened for select id from docs;
          loop fetch opened into r; exit when not found; all_names := all_names || r.id; end loop;
          close opened;
          return all_names;
        end $$;`,
    sql: 'select names()',
    change: "update docs set name = 'new' where id = 2",
  },
  'a function that is volatile by default and only reads': {
    setup: `${docs} create function total() returns bigint language sql as 'select count(*) from docs';
      create function doubled() returns bigint language plpgsql as 'begin return 2 * total(); end';`,
    sql: 'select doubled()',
    change: 'delete from docs where id = 2',
  },
  'a function that catches what only the data raises': {
    setup: `${docs} create function ratio() returns int language plpgsql as $$
        begin return 10 / (select count(*) - 1 from docs)::int; exception when division_by_zero then return -1; end $$;`,
    sql: 'select ratio()',
    change: 'delete from docs where id = 2',
  },
};

const told: Record<string, Case & { readonly why: RegExp }> = {
  'a function that catches whatever comes': {
    setup: `${docs} create function ratio() returns int language plpgsql as $$
        begin return 10 / (select count(*) - 1 from docs)::int; exception when others then return -1; end $$;`,
    sql: 'select ratio()',
    change: 'delete from docs where id = 2',
    why: /it catches others/,
  },
  'a function that catches what a missing right raises': {
    setup: `${docs} create function counted() returns bigint language plpgsql stable as $$
        begin return (select count(*) from docs); exception when syntax_error_or_access_rule_violation then return -1; end $$;`,
    sql: 'select counted()',
    change: 'delete from docs where id = 2',
    why: /it catches syntax_error_or_access_rule_violation/,
  },
  'a cursor that comes from elsewhere': {
    setup: `${docs} create function next_of(c refcursor) returns text language plpgsql as $$
        declare r record; begin fetch c into r; return r.name; exception when invalid_cursor_name then return '-'; end $$;`,
    sql: "select next_of('c'), (select count(*) from docs)",
    change: 'delete from docs where id = 2',
    why: /a cursor that it has not opened/,
  },
  'a volatile function that rolls dice': {
    setup: `${docs} create function dice() returns bigint language sql as 'select count(*) + (random() * 0)::int from docs';`,
    sql: 'select dice()',
    change: 'delete from docs where id = 2',
    why: /random/,
  },
};

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.open();
});
afterAll(async () => {
  await oracle?.close();
});

describe('is followed', () => {
  it.each(Object.entries(followed))('%s', (_, one) => oracle.follows(one));

  it('XMLTABLE, where the server knows XML', async () => {
    const { rows } = {
      rows: await oracle.database.query("select setting from pg_config where name = 'CONFIGURE'"),
    };
    if (!JSON.stringify(rows).includes('libxml')) return expect(rows).toHaveLength(1);
    return oracle.follows({
      setup: 'create table feeds (id int primary key, x xml); insert into feeds values (1, \'<r a="1"/>\');',
      sql: "select t.a from feeds f, xmltable('/r' passing f.x columns a int path '@a') t",
      change: 'update feeds set x = \'<r a="2"/>\'',
    });
  });
});

describe('is told that nothing will say so', () => {
  it.each(Object.entries(told))('%s', (_, one) => oracle.tells(one, one.why));
});
