import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { type Catalog, loadCatalog } from '../schema/catalog.ts';
import { changeKeys, type LoggedTable, type RowChange } from './change-keys.ts';

let database: TestDatabase;
let catalog: Catalog;

beforeAll(async () => {
  database = await testDatabase(`
    create table posts (id int primary key, user_id int, title text, body text,
      size int generated always as (length(body)) stored);
    create index on posts (user_id);
    create table events (id int, day int, note text, primary key (id, day)) partition by list (day);
    create table events_1 partition of events for values in (1);
    create table animals (id int primary key, name text);
    create table dogs (breed text) inherits (animals);
    create table prices (id int primary key, amount numeric);
    create index on prices (amount);
    create table by_amount (amount numeric primary key, note text);
    alter table by_amount replica identity full;
  `);
  catalog = await loadCatalog({ query: async (sql) => ({ rows: await database.query(sql) }) });
});

afterAll(async () => {
  await database?.close();
});

function logged(
  name: string,
  identity: LoggedTable['identity'],
  columns: string[],
  keyColumns: string[],
): LoggedTable {
  return { schema: 'public', name, identity, columns, keyColumns };
}

const posts = (identity: LoggedTable['identity']): LoggedTable => {
  const columns = ['id', 'user_id', 'title', 'body'];
  return logged('posts', identity, columns, identity === 'full' ? columns : ['id']);
};

function keys(change: RowChange): string[] {
  const found = new Set<string>();
  changeKeys(change, catalog, found);
  return [...found].sort();
}

const row = { id: '7', user_id: '1', title: 'A', body: 'x' };

describe('the keys that a change purges', () => {
  it('of an insert are the rows, the row and its values', () => {
    expect(keys({ kind: 'insert', table: posts('default'), new: row })).toEqual([
      'posts#7',
      'posts.user_id=1',
      'posts@partly',
      'posts@rows',
    ]);
  });

  it('of an update, with the whole old row, are the columns that changed', () => {
    const table = posts('full');
    expect(keys({ kind: 'update', table, old: row, new: { ...row, title: 'B' } })).toEqual([
      'posts#7',
      'posts#7{title}',
      'posts.title',
      'posts.title@user_id=1',
    ]);
  });

  it('of an update of what a generated column is computed from are that column, too', () => {
    const found = keys({ kind: 'update', table: posts('full'), old: row, new: { ...row, body: 'longer' } });
    expect(found).toEqual(
      expect.arrayContaining(['posts.size', 'posts#7{size}', 'posts#7{body}', 'posts.size@user_id=1']),
    );
  });

  it('reach those who know the columns of a row also when the log does not tell which changed', () => {
    const told = { kind: 'insert', table: posts('full'), new: row } as const;
    expect(keys(told)).toEqual(expect.arrayContaining(['posts#7', 'posts#7{}']));
    expect(keys({ kind: 'delete', table: posts('full'), old: row })).toContain('posts#7{}');
    const moved = keys({ kind: 'update', table: posts('full'), old: row, new: { ...row, id: '8' } });
    expect(moved).toEqual(expect.arrayContaining(['posts#7{}', 'posts#8{}']));
    // A key that is equal by its value and not by its text: what shows it has changed.
    const spelt = { ...logged('prices', 'full', ['id', 'amount'], ['id', 'amount']), name: 'by_amount' };
    const respelt = { old: { amount: '1.0', note: 'a' }, new: { amount: '1.00', note: 'a' } };
    const table = { ...spelt, columns: ['amount', 'note'], keyColumns: ['amount', 'note'] };
    expect(keys({ kind: 'update', table, ...respelt })).toContain('by_amount#1{}');
  });

  it('reach them while the identity has gone back to the default and the catalog snapshot has not', () => {
    const byAmount = logged('by_amount', 'default', ['amount', 'note'], ['amount']);
    const change = { old: null, new: { amount: '1', note: 'b' } };
    // Everything made by the catalog snapshot of before has this key, whatever it named.
    expect(keys({ kind: 'update', table: byAmount, ...change })).toContain('by_amount@partly');
    const inserted = { kind: 'insert', table: byAmount, new: { amount: '2', note: 'b' } } as const;
    expect(keys(inserted)).toContain('by_amount@partly');
    expect(keys({ kind: 'insert', table: posts('full'), new: row })).not.toContain('posts@partly');
  });

  it('of a row that moves are both values', () => {
    const found = keys({ kind: 'update', table: posts('full'), old: row, new: { ...row, user_id: '2' } });
    expect(found).toEqual(expect.arrayContaining(['posts.user_id', 'posts.user_id=1', 'posts.user_id=2']));
  });

  it('of an update that changes nothing are none', () => {
    expect(keys({ kind: 'update', table: posts('full'), old: row, new: row })).toEqual([]);
  });

  it('without the old row count every column as changed, from an unknown value', () => {
    const found = keys({ kind: 'update', table: posts('default'), old: null, new: { ...row, title: 'B' } });
    expect(found).toEqual([
      'posts#7',
      'posts.body',
      'posts.size',
      'posts.title',
      'posts.user_id',
      'posts.user_id=1',
      'posts.user_id=?',
      'posts@partly',
    ]);
  });

  it('leave out a TOAST value that the log leaves out, since it did not change', () => {
    const found = keys({
      kind: 'update',
      table: posts('default'),
      old: null,
      new: { ...row, body: undefined },
    });
    expect(found).toContain('posts.title');
    expect(found).not.toContain('posts.body');
  });

  it('of a change of the primary key are both rows', () => {
    const found = keys({
      kind: 'update',
      table: posts('default'),
      old: { id: '7' },
      new: { ...row, id: '8' },
    });
    expect(found).toEqual(expect.arrayContaining(['posts#7', 'posts#8', 'posts.id']));
  });

  it('of a delete without the old row are the row and unknown values', () => {
    const old = { id: '7', user_id: null, title: null, body: null };
    expect(keys({ kind: 'delete', table: posts('default'), old })).toEqual([
      'posts#7',
      'posts.user_id=?',
      'posts@partly',
      'posts@rows',
    ]);
  });

  it('are the whole table when the log does not tell which row it was', () => {
    const table = logged('posts', 'index', ['id', 'user_id', 'title', 'body'], ['user_id']);
    const found = keys({ kind: 'delete', table, old: { user_id: '1', id: null } });
    expect(found).toEqual(expect.arrayContaining(['posts', 'posts.user_id=1']));
  });

  it('of a TRUNCATE are the tables', () => {
    expect(keys({ kind: 'truncate', tables: [posts('full'), logged('dogs', 'full', [], [])] })).toEqual([
      'animals',
      'dogs',
      'posts',
    ]);
  });

  it('of a partition speak of the partitioned table, of a child of its parents too', () => {
    const leaf = logged('events_1', 'default', ['note', 'day', 'id'], ['id', 'day']);
    expect(keys({ kind: 'insert', table: leaf, new: { id: '5', day: '1', note: 'x' } })).toEqual([
      'events#5,1',
      'events.day=1',
      'events.id=5',
      'events@partly',
      'events@rows',
    ]);
    const dogs = logged('dogs', 'full', ['id', 'name', 'breed'], ['id', 'name', 'breed']);
    expect(keys({ kind: 'insert', table: dogs, new: { id: '5', name: 'Rex', breed: 'x' } })).toEqual([
      'animals#5',
      'animals#5{}',
      'animals@rows',
      'dogs@rows',
    ]);
  });

  it('name equal values by one text', () => {
    const table = logged('prices', 'full', ['id', 'amount'], ['id', 'amount']);
    const found = keys({
      kind: 'update',
      table,
      old: { id: '1', amount: '1.0' },
      new: { id: '1', amount: '1.00' },
    });
    expect(found).toEqual(expect.arrayContaining(['prices.amount', 'prices.amount=1']));
    const odd = keys({ kind: 'insert', table, new: { id: '1', amount: 'NaN' } });
    expect(odd).toContain('prices.amount=?');
  });

  it('of a table that the catalog has not met are its name, and the caller is told', () => {
    const found = new Set<string>();
    const change: RowChange = {
      kind: 'insert',
      table: logged('fresh', 'full', ['id'], ['id']),
      new: { id: '1' },
    };
    expect(changeKeys(change, catalog, found)).toBe(false);
    expect([...found]).toEqual(['fresh']);
  });
});
