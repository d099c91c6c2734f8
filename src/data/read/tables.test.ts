// What byId and paginate know of tables is no older than the renders that ask.
import { loadModule } from 'libpg-query';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import type { PaginateBase } from '../db.ts';
import { FollowedSchema } from '../record/followed-schema.ts';
import { Database } from './database.ts';

let real: TestDatabase;
const open: Database[] = [];

beforeAll(async () => {
  await loadModule();
  real = await testDatabase('create schema shop');
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => real.close());

function reading() {
  const schema = new FollowedSchema({ read: (sql) => database.run(sql), publication: null, logger: silent });
  const database = new Database({
    connectionString: real.url,
    logger: silent,
    clock: systemClock,
    observer: schema,
  });
  open.push(database);
  const keys = new Set<string>();
  const keyRecorder = { add: (key: string) => void keys.add(key), untracked: () => {} };
  const db = database.readScope({ signal: new AbortController().signal, keyRecorder });
  /** As a worker hears of a changed definition, before it renders anything with a newer stamp. */
  const told = () => {
    schema.changed();
    database.schemaChanged();
  };
  return { db, keys, told, database };
}

const LIST: PaginateBase = { table: 't', columns: ['id', 'v'], orderBy: [{ column: 'id' }], pageSize: 1 };

async function table(type: string, rows: string, key = 'id') {
  await real.query(`drop table if exists t; create table t (id ${type} not null, v text, primary key (${key}));
    insert into t values ${rows}`);
}

it('byId finds a row whose id the type of before could not hold', async () => {
  await table('int', "(1, 'one')");
  const { db, keys, told } = reading();
  expect(await db.byId('t', 3_000_000_000)).toBeNull();
  expect(keys).toContain('t');
  await real.query("alter table t alter id type bigint; insert into t values (3000000000, 'large')");
  told();
  expect(await db.byId('t', 3_000_000_000)).toEqual({ id: 3_000_000_000, v: 'large' });
});

it('byId finds rows by a primary key that is another column now', async () => {
  await table('int', "(1, 'one')");
  const { db, told } = reading();
  expect(await db.byId('t', 1, ['v'])).toEqual({ v: 'one' });
  await real.query('alter table t drop constraint t_pkey, add primary key (v)');
  told();
  expect(await db.byId('t', 'one', ['id'])).toEqual({ id: 1 });
});

it('lists filter, order and go on by the types of now', async () => {
  await table('int', "(9, 'a'), (10, 'b')");
  const { db, keys, told } = reading();
  expect(await db.paginate({ ...LIST, where: { id: 'x' }, page: 1 })).toMatchObject({ total: 0 });
  // That there is none depends on the table, too.
  expect(keys).toContain('t');
  expect((await db.paginate({ ...LIST, after: null })).rows).toEqual([{ id: 9, v: 'a' }]);
  await real.query("alter table t alter id type text; insert into t values ('x', 'c')");
  told();
  expect(await db.paginate({ ...LIST, where: { id: 'x' }, page: 1 })).toMatchObject({ total: 1 });
  const first = await db.paginate({ ...LIST, after: null });
  expect(first.rows).toEqual([{ id: '10', v: 'b' }]);
  expect((await db.paginate({ ...LIST, after: first.next })).rows).toEqual([{ id: '9', v: 'a' }]);
});

it('includes find their rows by the types of now', async () => {
  await table('int', "(1, 'one')");
  await real.query(`drop table if exists notes;
    create table notes (id int primary key, about int, body text); insert into notes values (1, 1, 'n')`);
  const { db, told } = reading();
  const include = { notes: { table: 'notes', columns: ['body'], kind: 'many', by: 'about' } } as const;
  const list = () => db.paginate({ ...LIST, include, page: 1 });
  expect((await list()).rows).toMatchObject([{ notes: [{ body: 'n' }] }]);
  await real.query('alter table t alter id type text; alter table notes alter about type text');
  told();
  expect((await list()).rows).toMatchObject([{ id: '1', notes: [{ body: 'n' }] }]);
});

it('a table of another schema is named as all keys name it, also where no row can be', async () => {
  await real.query('drop table if exists shop.items; create table shop.items (id int primary key)');
  const { db, keys } = reading();
  await db.byId('shop.items', 'abc');
  expect([...keys]).toContain('shop/items');
  expect([...keys].some((key) => key.startsWith('shop.'))).toBe(false);
});
