import { loadModule } from 'libpg-query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { type Catalog, fingerprint, loadCatalog } from '../schema/catalog.ts';
import { DependencyRecorder } from './recorder.ts';
import { maxColumnKeys, maxRowKeys } from './recorder-keys.ts';

let database: TestDatabase;
let catalog: Catalog;
const reader = { query: async (sql: string) => ({ rows: await database.query(sql) }) };

beforeAll(async () => {
  await loadModule();
  database = await testDatabase(`
    create table users (id int primary key, name text, seen timestamptz);
    create table posts (id int primary key, user_id int, title text, views int, draft bool);
    create index on posts (user_id);
    alter table posts replica identity full;
  `);
  catalog = await loadCatalog(reader);
});

afterAll(async () => {
  await database?.close();
});

function collected(
  recorder: DependencyRecorder,
  sql: string,
  params: unknown[],
  rows: object[],
  names: string[],
) {
  const keys: string[] = [];
  const untracked: string[] = [];
  recorder.onStatement(
    sql,
    params,
    { rows, fields: names.map((name) => ({ name })) },
    { add: (key) => void keys.push(key), untracked: (why) => void untracked.push(why) },
  );
  return { keys, untracked };
}

describe('the recorder', () => {
  it('refuses a statement that writes, before and after it ran', () => {
    const recorder = new DependencyRecorder({ catalog });
    expect(() => recorder.check('delete from users')).toThrow(/may only read/);
    expect(() => collected(recorder, 'delete from users', [], [], [])).toThrow(/may only read/);
  });

  it('goes over to columns when a result names too many rows', () => {
    const recorder = new DependencyRecorder({ catalog });
    const rows = Array.from({ length: maxRowKeys + 1 }, (_, id) => ({ id, name: 'x' }));
    const { keys } = collected(recorder, 'select id, name from users', [], rows, ['id', 'name']);
    expect(keys).toContain('users.name');
    expect(keys.length).toBeLessThan(10);
  });

  it('goes over to columns when the result is not laid out as the catalog has it', () => {
    const recorder = new DependencyRecorder({ catalog });
    const { keys } = collected(
      recorder,
      'select * from users',
      [],
      [{ id: 7, name: 'x', more: 1 }],
      ['more', 'id', 'name'],
    );
    expect(keys).toContain('users.name');
    expect(keys).not.toContain('users#7');
  });

  it('names the columns that were read of a row, where the log tells which of them change', () => {
    const recorder = new DependencyRecorder({ catalog });
    const byKey = 'select id, title from posts where id = $1 and not draft';
    expect(collected(recorder, byKey, [7], [], ['id', 'title']).keys.sort()).toEqual(
      ['@schema', 'posts', 'posts#7{}', 'posts#7{draft}', 'posts#7{title}', 'posts@partly'].sort(),
    );
    const list = 'select id, title from posts where user_id = $1';
    const { keys } = collected(recorder, list, [3], [{ id: 7, title: 'x' }], ['id', 'title']);
    expect(keys.sort()).toEqual(
      [
        '@schema',
        'posts',
        'posts#7{title}',
        'posts#7{}',
        'posts.user_id=%',
        'posts.user_id=3',
        'posts@partly',
      ].sort(),
    );
  });

  it('names the row where all of its columns were read, or too many keys would name them', () => {
    const recorder = new DependencyRecorder({ catalog });
    const whole = collected(recorder, 'select p from posts p where id = $1', [7], [], ['p']);
    expect(whole.keys.sort()).toEqual(['@schema', 'posts', 'posts#7', 'posts@partly']);
    const rows = Array.from({ length: maxColumnKeys / 2 + 1 }, (_, id) => ({ id, title: 'x' }));
    const many = collected(recorder, 'select id, title from posts', [], rows, ['id', 'title']);
    expect(many.keys).toContain('posts#7');
    expect(many.keys.filter((key) => key.includes('{'))).toEqual([]);
  });

  it('goes over to the column when a parameter has no canonical text', () => {
    const recorder = new DependencyRecorder({ catalog });
    const { keys } = collected(recorder, 'select name from users where id = $1', ['1e0'], [], ['name']);
    expect(keys).toEqual(expect.arrayContaining(['users@rows', 'users.id', 'users.name']));
  });

  it('says when a parameter means a moving time, and not when it is a name', () => {
    const recorder = new DependencyRecorder({ catalog });
    expect(
      collected(recorder, 'select name from users where seen > $1', ['today'], [], ['name']).untracked,
    ).toHaveLength(1);
    expect(
      collected(recorder, 'select name from users where id = $1', ['today'], [], ['name']).untracked,
    ).toHaveLength(0);
  });

  it('analyses again with the catalog it is given', async () => {
    const recorder = new DependencyRecorder({ catalog });
    const sql = 'select name, mood from users where id = 1';
    expect(collected(recorder, sql, [], [], ['name', 'mood']).untracked.join()).toMatch(/not a column/);
    const before = await fingerprint(reader);
    await database.query('alter table users add column mood text');
    expect(await fingerprint(reader)).not.toBe(before);
    const next = await loadCatalog(reader);
    expect(catalog.changesTo(next)).toEqual(['users']);
    recorder.use(next);
    expect(collected(recorder, sql, [], [], ['name', 'mood']).untracked).toEqual([]);
  });
});
