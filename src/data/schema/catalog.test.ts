import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { fingerprint, loadCatalog } from './catalog.ts';

let database: TestDatabase;
const reader = { query: async (sql: string) => ({ rows: await database.query(sql) }) };

beforeAll(async () => {
  database = await testDatabase(`
    create type mood as enum ('low', 'high');
    create table users (id int primary key, name text, mood mood);
    create table other (id int primary key);
    create type weather as enum ('fair', 'foul');
    create table days (id int primary key, weather weather);
    create view names as select name from users;
    create table parts (id int, day int) partition by list (day);
    create table parts_1 partition of parts for values in (1);
    create function f(int) returns int language sql stable as 'select $1';
    create publication feed for table users;
  `);
});

afterAll(async () => {
  await database?.close();
});

async function changedBy(sql: string): Promise<{ print: boolean; keys: string[] }> {
  const [before, print] = [await loadCatalog(reader), await fingerprint(reader)];
  await database.query(sql);
  const after = await loadCatalog(reader);
  return { print: (await fingerprint(reader)) !== print, keys: before.changesTo(after) };
}

describe('the catalog', () => {
  it('is the same while only rows change', async () => {
    for (const sql of [
      "insert into users values (1, 'A'), (2, 'B')",
      "update users set name = 'C'",
      'analyze',
      'delete from users',
      'vacuum users',
    ]) {
      expect(await changedBy(sql)).toEqual({ print: false, keys: [] });
    }
  });

  it.each([
    ["alter type mood rename value 'low' to 'down'", ['mood', 'names', 'users']],
    ['alter table users add column age int default 3', ['names', 'users']],
    ['alter table users alter column mood type text', ['names', 'users']],
    ['alter table other alter column id type int using id + 1', ['other']],
    ['create index on users (name)', ['users.name=%']],
    ['grant select on users to public', []],
    [
      'create trigger idle before update on users for each row execute function suppress_redundant_updates_trigger()',
      [],
    ],
    ['cluster users using users_pkey', []],
    ['alter table users replica identity full', /^names,users,/],
    ['create or replace view names as select upper(name) as name from users', ['names']],
    ["create or replace function f(int) returns int language sql stable as 'select $1 + 1'", ['f()']],
    [
      "create function lower(mood) returns text language sql immutable as 'select null::text'",
      ['lower()', 'pg_catalog/lower()'],
    ],
    ['create table parts_2 partition of parts for values in (2)', ['parts']],
    ['alter table parts detach partition parts_1', /parts/],
    ['create schema later', []],
    ['create table later.users (id int)', ['later/users', 'users']],
    ['alter table other rename to another', ['another', 'other']],
    ['drop table another', ['another']],
  ])('shows %s', async (sql, keys) => {
    const changed = await changedBy(sql);
    expect(changed.print).toBe(true);
    if (keys instanceof RegExp) expect(changed.keys.join()).toMatch(keys);
    else expect(changed.keys.filter((key) => key !== 'parts_2')).toEqual(keys);
  });

  it.each([
    ['alter table users rename to people', 'alter table people rename to users', 'users'],
    ['alter table users rename name to called', 'alter table users rename called to name', 'users'],
    [
      "alter type weather rename value 'foul' to 'wet'",
      "alter type weather rename value 'wet' to 'foul'",
      'days',
    ],
    [
      'create or replace view names as select lower(name) as name from users',
      'create or replace view names as select upper(name) as name from users',
      'names',
    ],
    [
      "create or replace function f(int) returns int language sql stable as 'select $1'",
      "create or replace function f(int) returns int language sql stable as 'select $1 + 1'",
      'f()',
    ],
    ['alter schema later rename to soon', 'alter schema soon rename to later', 'later/users'],
  ])('shows that %s was done and taken back', async (done, undone, key) => {
    const { keys } = await changedBy(`${done}; ${undone}`);
    expect(keys).toContain(key);
  });

  it('says which tables the feed does not hear of', async () => {
    const catalog = await loadCatalog(reader, 'feed');
    expect(catalog.relation('public', 'users')?.untracked).toBeUndefined();
    expect(catalog.relation('later', 'users')?.untracked).toMatch(/publication/);
  });
});
