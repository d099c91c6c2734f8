// Under which search path a text is read: that of the session, of a function, of the role it runs as, or that under
// which Postgres wrote a definition out.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Oracle } from './oracle.ts';

let oracle: Oracle;
beforeAll(async () => {
  oracle = await Oracle.open();
  await oracle.database.query('drop role if exists tenant_b');
  await oracle.database.query('create role tenant_b');
});
afterAll(async () => {
  await oracle?.database.query(
    'drop schema if exists tenant_b cascade; drop owned by tenant_b; drop role tenant_b',
  );
  await oracle?.close();
});

const schemas = `
  create schema tenant_a; create schema tenant_b; create schema "Odd, one";
  grant usage on schema tenant_a, tenant_b, public to tenant_b;
  create table public.items (id int primary key, n text);
  create table tenant_a.items (id int primary key, n text);
  create table tenant_b.items (id int primary key, n text);
  create table "Odd, one".items (id int primary key, n text);
  insert into public.items values (1, 'public');
  insert into tenant_a.items values (1, 'a');
  insert into tenant_b.items values (1, 'b');
  insert into "Odd, one".items values (1, 'odd');
  grant select on all tables in schema public, tenant_a, tenant_b to tenant_b;
  create view public.shown as select n from items;
  create view tenant_a.shown_a as select n from tenant_a.items;
  create function public.read() returns text language sql stable as 'select n from items where id = 1';
  create function public.standard() returns text stable return (select n from items where id = 1);
  create function public.by_default(x text default standard()) returns text language sql immutable as 'select x';
  create view public.calls as select read() as n;`;
const change = (schema: string) => `update ${schema}.items set n = n || '!'`;
const pathed = (path: string, body: string, more = '') =>
  `${schemas} create function public.f() returns text language sql stable set search_path = ${path} ${more} as $f$ ${body} $f$;`;

describe('a name is looked up where Postgres looks it up', () => {
  it.each([
    ['a view, from a function with another path', pathed('tenant_a', 'select n from public.shown'), 'public'],
    ['a view, from a function with no path', pathed("''", 'select n from public.shown'), 'public'],
    ['a body that was kept as understood', pathed('tenant_a', 'select public.standard()'), 'public'],
    ['a default that was kept as understood', pathed('tenant_a', 'select public.by_default()'), 'public'],
    [
      'a body of text, from a function with another path',
      pathed('tenant_a', 'select public.read()'),
      'tenant_a',
    ],
    ['a body of text, through a view', pathed('tenant_a', 'select n from public.calls'), 'tenant_a'],
    ['a table by the path', pathed('tenant_a, public', 'select n from items'), 'tenant_a'],
    ['a table by its schema', pathed("''", 'select n from public.items'), 'public'],
    ['a quoted schema', pathed('"Odd, one", public', 'select n from items'), '"Odd, one"'],
    ['a schema that is not there', pathed('nosuch, tenant_a', 'select n from items'), 'tenant_a'],
    ['behind temporary ones', pathed('pg_temp, tenant_a', 'select n from items'), 'tenant_a'],
    [
      'a role that is not named like a schema',
      pathed('"$user", tenant_a', 'select n from items'),
      'tenant_a',
    ],
    [
      'the role that it runs as',
      `${pathed('"$user", tenant_a', 'select n from items', 'security definer')} alter function f() owner to tenant_b`,
      'tenant_b',
    ],
    [
      'the role that the caller runs as',
      `${pathed('"$user", public', 'select public.read()', 'security definer')} alter function f() owner to tenant_b`,
      'tenant_b',
    ],
    [
      "the session's path, in the name of another role",
      `${schemas} create function f() returns text language sql stable security definer as 'select n from items'; alter function f() owner to tenant_b`,
      'tenant_b',
    ],
    [
      'a schema that the role may not use',
      `${pathed('tenant_a, public', 'select n from items', 'security definer')} alter function f() owner to tenant_b; revoke usage on schema tenant_a from tenant_b`,
      'public',
    ],
  ])('%s', (_, setup, schema) => oracle.follows({ setup, sql: 'select public.f()', change: change(schema) }));

  it('the same function under two paths', async () => {
    const setup = pathed('tenant_a', 'select public.read()');
    for (const schema of ['public', 'tenant_a']) {
      await oracle.follows({ setup, sql: 'select read(), f()', change: change(schema) });
      await oracle.follows({ setup, sql: 'select f(), read()', change: change(schema) });
    }
  });

  it.each(['tenant_a', 'tenant_a, public', "''"])('for PL/pgSQL with the path %s', (path) =>
    oracle.follows({
      setup: `${schemas} create function public.f() returns text language plpgsql stable set search_path = ${path} as $f$ declare r record := (select row(n) from public.shown); begin return r::text; end $f$;`,
      sql: 'select public.f()',
      change: change('public'),
    }),
  );

  it('when a function is given another path', () =>
    oracle.follows({
      setup: pathed('tenant_a', 'select n from items'),
      sql: 'select f()',
      change: 'alter function f() set search_path = public',
    }));

  it('when a table comes that stands before the other', () =>
    oracle.follows({
      setup: `${pathed('tenant_a, public', 'select n from items')} drop table tenant_a.items cascade`,
      sql: 'select f()',
      change: "create table tenant_a.items as select 1 as id, 'new' as n",
    }));
});
