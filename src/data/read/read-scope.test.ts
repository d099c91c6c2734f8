import { loadModule } from 'libpg-query';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import type { Db, PaginateBase } from '../db.ts';
import { DependencyRecorder } from '../record/recorder.ts';
import { loadCatalog } from '../schema/catalog.ts';
import { Database } from './database.ts';

const SCHEMA = `
  create table users (id int primary key, name text not null, email text unique, seen timestamptz, score int);
  insert into users
    select i, 'user ' || i, i || '@example.org',
           '2026-01-01T00:00:00Z'::timestamptz + (i / 3) * interval '1 microsecond',
           case when i % 4 = 0 then null else i % 3 end
    from generate_series(1, 25) i;
  create table posts (id bigint primary key, user_id int references users, title text, at timestamptz not null default now());
  create index on posts (user_id, id);
  insert into posts select i, case when i % 10 = 0 then null else i % 5 + 1 end, 'post ' || i from generate_series(1, 40) i;
  create table things (id uuid primary key, label text);
  insert into things values ('8c7f3f0e-6a2d-4f7e-9a49-0a54d2e0f3aa', 'thing');
  create table prices (id numeric primary key, label text);
  insert into prices values (1.10, 'cheap'), (2, 'dear');
  create table pairs (a int, b int, primary key (a, b));
  create table "odd ""name" (id int primary key, "Weird col" text);
  insert into "odd ""name" values (1, 'odd');
  create table tags (id varchar(4) primary key, label text);
  insert into tags values ('abcd', 'tag');
`;

let real: TestDatabase;
let database: Database;
let recorder: DependencyRecorder;
let keys: Set<string>;
let statements: string[];

beforeAll(async () => {
  real = await testDatabase(SCHEMA);
  await loadModule();
  recorder = new DependencyRecorder({
    catalog: await loadCatalog({ query: async (sql) => ({ rows: await real.query(sql) }) }),
  });
  database = new Database({
    connectionString: real.url,
    logger: silent,
    clock: systemClock,
    observer: {
      onStatement: (sql, params, result, keyRecorder) => {
        statements.push(sql);
        recorder.onStatement(sql, params, result, keyRecorder);
      },
    },
  });
});
beforeEach(() => {
  keys = new Set();
  statements = [];
});
afterAll(async () => {
  await database.close();
  await real.close();
});

function session(): Db {
  const keyRecorder = { add: (key: string) => void keys.add(key), untracked: () => {} };
  return database.readScope({ signal: new AbortController().signal, keyRecorder });
}

/** The keys that name rows. Beside them every read names its table, which TRUNCATE and changes of the schema purge. */
function rowsOf(all: Iterable<string>): string[] {
  return [...all].filter((key) => key.includes('#')).sort();
}

/** A render of its own: what it depends on, and the means to end it. */
function rendering(keys: Set<string>) {
  const abort = new AbortController();
  const keyRecorder = { add: (key: string) => void keys.add(key), untracked: () => {} };
  return { abort, db: database.readScope({ signal: abort.signal, keyRecorder }) };
}

/** How many statements Postgres has begun for `work`, seen from the driver's side of the pool. */
async function count(work: () => Promise<unknown>): Promise<number> {
  let ended = 0;
  const counting = new Database({
    connectionString: real.url,
    logger: silent,
    clock: systemClock,
    observer: recorder,
    onStatementEnd: () => {
      ended += 1;
    },
  });
  const previous = database;
  database = counting;
  try {
    await work();
    return ended;
  } finally {
    database = previous;
    await counting.close();
  }
}

describe('byId', () => {
  test('many calls of one tick are one statement; order is kept, missing ids are null', async () => {
    const names = async () => {
      const db = session();
      const rows = await Promise.all([7, 3, 99, 7, 1].map((id) => db.byId('users', id, ['id', 'name'])));
      expect(rows).toEqual([
        { id: 7, name: 'user 7' },
        { id: 3, name: 'user 3' },
        null,
        { id: 7, name: 'user 7' },
        { id: 1, name: 'user 1' },
      ]);
    };
    expect(await count(names)).toBe(2); // the catalog once, the rows once
    expect(rowsOf(keys)).toEqual(['users#1', 'users#3', 'users#7', 'users#99']);
  });

  test('calls made after another promise of the same tick join in', async () => {
    const db = session();
    const statementsOf = async () => {
      const inner = session();
      await Promise.all([
        inner.byId('users', 1),
        Promise.resolve()
          .then(() => null)
          .then(() => inner.byId('users', 2)),
      ]);
    };
    expect(await db.byId('users', 1)).toMatchObject({ id: 1, email: '1@example.org' });
    expect(await count(statementsOf)).toBe(2);
  });

  test('calls of different renders are one statement, and each render depends on its own rows alone', async () => {
    const keyRecorders = [new Set<string>(), new Set<string>()];
    const statementsOf = async () => {
      const [first, second] = keyRecorders.map((keyRecorder) => rendering(keyRecorder).db);
      const rows = await Promise.all([
        first?.byId('users', 1, ['name']),
        second?.byId('users', 2, ['name']),
        second?.byId('users', 1, ['name']),
      ]);
      expect(rows).toEqual([{ name: 'user 1' }, { name: 'user 2' }, { name: 'user 1' }]);
    };
    expect(await count(statementsOf)).toBe(2);
    expect(keyRecorders.map(rowsOf)).toEqual([['users#1'], ['users#1', 'users#2']]);
  });

  test('a render that aborts is told at once, and the others of its statement get their rows', async () => {
    const [gone, stays] = [rendering(new Set()), rendering(new Set())];
    const [left, right] = [gone.db.byId('users', 1, ['name']), stays.db.byId('users', 2, ['name'])];
    gone.abort.abort(new Error('left'));
    await expect(left).rejects.toMatchObject({ code: 'E_QUERY_ABORTED' });
    expect(await right).toEqual({ name: 'user 2' });
  });

  test('the statement stops when the last render that waits for it has aborted', async () => {
    const lock = new pg.Client({ connectionString: real.url });
    await lock.connect();
    await lock.query('begin; lock table tags in access exclusive mode');
    const both = [rendering(new Set()), rendering(new Set())];
    const results = both.map(({ db }) => db.byId('tags', 'abcd', ['label']).catch((error: unknown) => error));
    const waiting =
      "select count(*)::int as n from pg_stat_activity where query like '%tags%' and wait_event_type = 'Lock'";
    const waiters = async () => (await real.query<{ n: number }>(waiting))[0]?.n;
    await vi.waitUntil(async () => (await waiters()) === 1);
    both[0]?.abort.abort(new Error('left'));
    expect(await results[0]).toMatchObject({ code: 'E_QUERY_ABORTED' });
    expect(await waiters()).toBe(1);
    both[1]?.abort.abort(new Error('left'));
    expect(await results[1]).toMatchObject({ code: 'E_QUERY_ABORTED' });
    await vi.waitUntil(async () => (await waiters()) === 0);
    await lock.end();
  });

  test.each([
    ['users', '9223372036854775808'],
    ['users', 2 ** 63],
    ['users', 2n ** 31n],
    ['users', 'abc'],
    ['users', ''],
    ['users', '1; drop table users'],
    ['users', 1.5],
    ['users', Number.NaN],
    ['things', 'not-a-uuid'],
    ['tags', 'a\0b'],
    ['tags', '\ud800'],
    ['prices', 'abc'],
  ])(
    'an id that the column of %s cannot hold (%s) is a missing row, beside others that are there',
    async (table, id) => {
      const db = session();
      const other =
        { users: 1, things: '8C7F3F0E-6A2D-4F7E-9A49-0A54D2E0F3AA', tags: 'abcd', prices: '1.1' }[table] ??
        '';
      const [missing, found] = await Promise.all([db.byId(table, id), db.byId(table, other)]);
      expect(missing).toBeNull();
      expect(found).not.toBeNull();
    },
  );

  test('keys are in the text of Postgres, whatever way the id was written', async () => {
    const db = session();
    await Promise.all([
      db.byId('users', '0017'),
      db.byId('posts', 5n),
      db.byId('things', '8C7F3F0E6A2D4F7E9A490A54D2E0F3AA'),
      db.byId('prices', '1.1'),
    ]);
    expect(rowsOf(keys)).toEqual([
      'posts#5',
      'prices#1.1',
      'things#8c7f3f0e-6a2d-4f7e-9a49-0a54d2e0f3aa',
      'users#17',
    ]);
  });

  test('a longer id is never cut to the length of its column', async () => {
    expect(await session().byId('tags', 'abcde')).toBeNull();
  });

  test('names are taken literally: quotes and spaces are no SQL', async () => {
    expect(await session().byId('odd "name', 1, ['Weird col'])).toEqual({ 'Weird col': 'odd' });
    await expect(session().byId('users; drop table users', 1)).rejects.toMatchObject({
      code: 'E_UNKNOWN_NAME',
    });
    await expect(session().byId('users', 1, ['name" from users --'])).rejects.toMatchObject({
      code: 'E_UNKNOWN_NAME',
    });
    await expect(session().byId('pairs', 1)).rejects.toMatchObject({ code: 'E_UNKNOWN_NAME' });
  });

  test('a column added while the server runs is found', async () => {
    await real.query('create table growing (id int primary key)');
    await real.query('insert into growing values (1)');
    expect(await session().byId('growing', 1)).toEqual({ id: 1 });
    await real.query("alter table growing add column extra text default 'x'");
    expect(await session().byId('growing', 1, ['extra'])).toEqual({ extra: 'x' });
    expect(await session().byId('growing', 1)).toEqual({ id: 1, extra: 'x' });
  });
});

describe('pages by number', () => {
  const list: PaginateBase = {
    table: 'users',
    columns: ['id', 'name'],
    orderBy: [{ column: 'id' }],
    pageSize: 10,
  };

  test('rows, total and number of pages come in one statement, with the columns asked for and no others', async () => {
    const page = await session().paginate({ ...list, page: 3 });
    expect(page).toEqual({
      rows: [21, 22, 23, 24, 25].map((id) => ({ id, name: `user ${id}` })),
      page: 3,
      pageSize: 10,
      total: 25,
      pages: 3,
    });
    expect(statements).toHaveLength(1);
  });

  test('beyond the last page there are no rows, and the total is still right', async () => {
    expect(await session().paginate({ ...list, page: 4000 })).toEqual({
      rows: [],
      page: 4000,
      pageSize: 10,
      total: 25,
      pages: 3,
    });
  });

  test('where compares, null means is null, and a value the column cannot hold matches nothing', async () => {
    const total = async (where: Record<string, unknown>) =>
      (await session().paginate({ ...list, where, page: 1 })).total;
    expect(await total({ name: 'user 3' })).toBe(1);
    expect(await total({ score: null })).toBe(6);
    expect(await total({ score: null, name: 'user 4' })).toBe(1);
    expect(await total({ id: '9223372036854775808' })).toBe(0);
    expect(await total({ id: 'abc' })).toBe(0);
    await expect(total({ id: undefined })).rejects.toMatchObject({ code: 'E_BAD_PAGE' });
  });

  test.each([
    { page: 0 },
    { page: 1.5 },
    { page: Number.NaN },
    { page: 2 ** 53 },
    { pageSize: 0 },
    { pageSize: 1001 },
    { columns: [] },
    { orderBy: [{ column: 'id', direction: 'asc; drop table users' }] },
  ])('options that make no query are E_BAD_PAGE: %o', async (wrong) => {
    const options = { ...list, page: 1, ...wrong } as PaginateBase & { page: number };
    await expect(session().paginate(options)).rejects.toMatchObject({ code: 'E_BAD_PAGE' });
  });

  test('names that are not in the catalog never reach SQL', async () => {
    for (const wrong of [
      { table: 'users u, posts' },
      { columns: ['id, email'] },
      { orderBy: [{ column: 'id desc --' }] },
      { where: { '1=1 or id': 1 } },
    ]) {
      await expect(session().paginate({ ...list, page: 1, ...wrong })).rejects.toMatchObject({
        code: 'E_UNKNOWN_NAME',
      });
    }
  });
});

describe('pages by cursor', () => {
  async function walk(options: PaginateBase): Promise<number[]> {
    const ids: number[] = [];
    let after: string | null = null;
    do {
      const page: { rows: readonly { id: number }[]; next: string | null } = await session().paginate<{
        id: number;
      }>({ ...options, after });
      expect(page.rows.length).toBeLessThanOrEqual(options.pageSize);
      ids.push(...page.rows.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    return ids;
  }

  const orders: PaginateBase['orderBy'][] = [
    [{ column: 'id' }],
    [{ column: 'id', direction: 'desc' }],
    [{ column: 'seen' }], // differs by microseconds only: a Date would lose rows
    [{ column: 'seen', direction: 'desc' }],
    [{ column: 'score' }], // has nulls and repeats
    [{ column: 'score', direction: 'desc' }],
    [{ column: 'score', direction: 'desc' }, { column: 'seen' }, { column: 'name', direction: 'desc' }],
    [{ column: 'name' }, { column: 'score', direction: 'asc' }],
  ];
  test.each(orders)(
    'walking every page in order %j meets each row once, in the order of the whole list',
    async (...orderBy) => {
      const order = orderBy.filter((by) => typeof by === 'object' && 'column' in by);
      const last = order.at(-1)?.direction ?? 'asc';
      const sorted = [
        ...order.map(({ column, direction = 'asc' }) => `${column} ${direction}`),
        `id ${last}`,
      ].join(', ');
      const whole = await real.query<{ id: number }>(`select id from users order by ${sorted}`);
      for (const pageSize of [1, 4, 25, 100]) {
        expect(await walk({ table: 'users', columns: ['id'], orderBy: order, pageSize })).toEqual(
          whole.map(({ id }) => id),
        );
      }
    },
  );

  test('rows that come in while somebody pages neither repeat nor hide others', async () => {
    const options: PaginateBase = {
      table: 'posts',
      columns: ['id'],
      orderBy: [{ column: 'id', direction: 'desc' }],
      pageSize: 15,
    };
    const first = await session().paginate({ ...options, after: null });
    await real.query("insert into posts values (1000, 1, 'new')");
    const second = await session().paginate({ ...options, after: first.next });
    await real.query('delete from posts where id = 1000');
    expect(first.rows.at(-1)).toEqual({ id: 26 });
    expect(second.rows[0]).toEqual({ id: 25 });
  });

  test('a cursor that is forged, foreign or broken is E_BAD_CURSOR and never SQL', async () => {
    const options: PaginateBase = {
      table: 'users',
      columns: ['id'],
      orderBy: [{ column: 'id' }],
      pageSize: 5,
    };
    const { next } = await session().paginate({ ...options, after: null });
    const [mark] = JSON.parse(Buffer.from(next ?? '', 'base64url').toString()) as [string, string];
    const forge = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
    for (const after of [
      '',
      'x',
      '%%%',
      forge(),
      forge('other', '5'),
      forge(mark),
      forge(mark, 5),
      forge(mark, ['5']),
      forge(mark, '5', '6'),
      forge(mark, "5' or 1=1 --"),
      forge(mark, '9999999999999999999'),
      forge(mark, '5\0'),
      Buffer.from('{"__proto__":1}').toString('base64url'),
      'A'.repeat(9000),
    ]) {
      await expect(session().paginate({ ...options, after })).rejects.toMatchObject({ code: 'E_BAD_CURSOR' });
    }
    const other = { ...options, orderBy: [{ column: 'name' }] };
    await expect(session().paginate({ ...other, after: next })).rejects.toMatchObject({
      code: 'E_BAD_CURSOR',
    });
    expect((await session().paginate({ ...options, after: next })).rows[0]).toEqual({ id: 6 });
  });
});

describe('related rows', () => {
  test('each kind costs one statement more, whatever the number of rows', async () => {
    const work = async () => {
      const page = await session().paginate<{ id: number; author: { name: string } | null }>({
        table: 'posts',
        columns: ['id'],
        orderBy: [{ column: 'id' }],
        pageSize: 40,
        page: 1,
        include: { author: { table: 'users', columns: ['name'], kind: 'one', by: 'user_id' } },
      });
      expect(page.rows[0]).toEqual({ id: 1, author: { name: 'user 2' } });
      expect(page.rows[9]).toEqual({ id: 10, author: null });
    };
    expect(await count(work)).toBe(4); // two tables of the catalog, the list, the authors
    expect(rowsOf(keys)).toEqual(
      expect.arrayContaining(['users#1', 'users#2', 'users#3', 'users#4', 'users#5']),
    );
  });

  test('many: so many per row at most, in their order, with the value as dependency', async () => {
    const page = await session().paginate({
      table: 'users',
      columns: ['name'],
      orderBy: [{ column: 'id' }],
      pageSize: 6,
      page: 1,
      include: {
        posts: {
          table: 'posts',
          columns: ['id'],
          kind: 'many',
          by: 'user_id',
          limit: 2,
          orderBy: [{ column: 'id', direction: 'desc' }],
        },
      },
    });
    expect(page.rows[0]).toEqual({ name: 'user 1', posts: [{ id: 35 }, { id: 25 }] });
    expect(page.rows[1]).toEqual({ name: 'user 2', posts: [{ id: 36 }, { id: 31 }] });
    expect(page.rows[5]).toEqual({ name: 'user 6', posts: [] });
    expect([...keys]).toEqual(expect.arrayContaining([1, 2, 3, 4, 5, 6].map((id) => `posts.user_id=${id}`)));
    // Nothing of posts that belong to nobody shown.
    expect(keys).not.toContain('posts@rows');
  });
});
