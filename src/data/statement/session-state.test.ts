import { loadModule } from 'libpg-query';
import { beforeAll, expect, it } from 'vitest';
import { leftBehind } from './session-state.ts';

beforeAll(() => loadModule());

it.each([
  "set search_path = 'tenant'",
  'set session statement_timeout = 5',
  'reset all',
  'set role other',
  'set session authorization other',
  "select set_config('search_path', 'tenant', false)",
  "select * from (select pg_catalog.set_config('a.b', $1, $2)) x",
  'listen news',
  'prepare mine as select 1',
  'deallocate all',
  'discard temp',
  'declare c cursor with hold for select 1',
  'create temp table t (a int)',
  'create temp table t on commit delete rows as select 1',
  'select 1 into temp t',
  'select pg_advisory_lock(1)',
  'select pg_try_advisory_lock_shared(1)',
  'select 1; set a.b = 1',
  "load 'auto_explain'",
])('%s leaves something behind', (sql) => {
  expect(leftBehind(sql)).toBeTypeOf('string');
});

it.each([
  'select 1',
  'set local search_path = tenant',
  'set transaction isolation level serializable',
  'set constraints all deferred',
  "select set_config('search_path', 'tenant', true)",
  'declare c cursor for select 1',
  'create temp table t (a int) on commit drop',
  'create temp table t on commit drop as select 1',
  'create table t (a int)',
  'select pg_advisory_xact_lock(1)',
  "select pg_notify('news', '1')",
  'not sql at all',
])('%s leaves nothing behind', (sql) => {
  expect(leftBehind(sql)).toBeUndefined();
});
