// Reads that leave nothing behind and find a connection free: the short way (reads.ts, plain-query.ts, idle-connections.ts).
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import type { StatementObserver } from '../observer.ts';
import { typeParsers } from '../pool/values.ts';
import { Database, type DatabaseOptions } from './database.ts';

const observer: StatementObserver = { check: () => true, onStatement: () => {} };
const keyRecorder = { add: () => {}, untracked: () => {} };
let real: TestDatabase;
let driver: pg.Client;
const open: Database[] = [];

beforeAll(async () => {
  real = await testDatabase(
    'create table t (id int primary key, name text); insert into t values (1, $$a$$)',
  );
  driver = new pg.Client({ connectionString: real.url, types: typeParsers });
  await driver.connect();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(async () => {
  await driver.end();
  await real.close();
});

function reading(options: Partial<DatabaseOptions> = {}, signal = new AbortController().signal) {
  const settings = { logger: silent, clock: systemClock, observer, max: 1, ...options };
  const database = new Database({ connectionString: real.url, ...settings });
  open.push(database);
  return { database, db: database.readScope({ signal, keyRecorder }) };
}

it('gives the rows that the driver gives, the first time and when the columns are known', async () => {
  const { db } = reading();
  const statements = [
    'select * from t',
    'select id from t where false',
    'select 1 as a, 2 as b, 3 as a',
    `select 1 as "__proto__", 2 as "constructor"`,
    `select now()::date = current_date as d, null::int as n, '{"a": [1]}'::jsonb as j, array[1, 2] as l, 12345678901234567890::numeric as big`,
    `select n, 'x' || n as x from generate_series(1, 300) n`,
    'select from t',
  ];
  for (const sql of statements) {
    const { rows } = await driver.query(sql);
    for (let time = 0; time < 3; time++) expect(await db.query(sql)).toEqual(rows);
  }
});

it('sends values as the driver does', async () => {
  const { db } = reading();
  const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''));
  const scalar = fc.oneof(
    text,
    fc.integer(),
    fc.bigInt(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
  );
  const value = fc.oneof(
    scalar,
    fc.array(scalar),
    fc.array(fc.array(text, { minLength: 2, maxLength: 2 }), { minLength: 1 }),
    fc.dictionary(text, text),
  );
  const sql = 'select $1::text as a, $2::text as b';
  await fc.assert(
    fc.asyncProperty(value, value, async (a, b) => {
      const { rows } = await driver.query(sql, [a, b]);
      expect(await db.query(sql, [a, b])).toEqual(rows);
    }),
    { numRuns: 200 },
  );
});

it('sends bytes as bytes, dates in UTC, and refuses what is neither', async () => {
  const { db } = reading();
  const bytes = Buffer.from([0, 1, 254, 255]);
  const at = new Date(1_700_000_000_123);
  const sql = 'select $1::bytea as a, $2::bytea as b, $3::timestamptz as c, $4::bytea[] as d, $5::text as e';
  const made = { toPostgres: () => 'made' };
  const values = [bytes, new Uint8Array(bytes), at, [bytes], made];
  expect(await db.query(sql, values)).toEqual([{ a: bytes, b: bytes, c: at, d: [bytes], e: 'made' }]);
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  await expect(db.query('select $1::text', [circular])).rejects.toThrow('circular');
  await expect(db.query('select $1::text', [new Date(Number.NaN)])).rejects.toThrow('Invalid time value');
  const tooMany = Array.from({ length: 70_000 }, () => 1);
  await expect(db.query('select 1', tooMany)).rejects.toThrow();
  expect(await db.query('select 1 as one')).toEqual([{ one: 1 }]);
});

it('sees the columns of a table that has changed under its statement', async () => {
  const { db } = reading();
  await real.query('create table changes (id int); insert into changes values (1)');
  for (let time = 0; time < 2; time++) expect(await db.query('select * from changes')).toEqual([{ id: 1 }]);
  await real.query('alter table changes add column name text default $$new$$');
  expect(await db.query('select * from changes')).toEqual([{ id: 1, name: 'new' }]);
  await real.query('alter table changes rename column name to title');
  expect(await db.query('select * from changes')).toEqual([{ id: 1, title: 'new' }]);
});

it('tells of a statement that fails, once, and goes on over the same connection', async () => {
  const ended: boolean[] = [];
  const { database, db } = reading({ onStatementEnd: (_ms, failed) => ended.push(failed) });
  await db.query('select 1');
  for (let time = 0; time < 2; time++)
    await expect(db.query('select 1 / $1::int', [0])).rejects.toMatchObject({ code: 'E_BAD_VALUE' });
  expect(await db.query('select 2 as two')).toEqual([{ two: 2 }]);
  expect(ended).toEqual([false, true, true, false]);
  expect(database.counts).toMatchObject({ total: 1, idle: 1, waiting: 0 });
});

it('is told at once of an abort, and its connection serves the next when the server has stopped', async () => {
  const controller = new AbortController();
  const { database, db } = reading({}, controller.signal);
  await db.query('select 1');
  const sleeping = db.query('select pg_sleep(30)');
  await vi.waitUntil(async () => (await activeSleepers()) === 1);
  controller.abort(new Error('nobody waits'));
  await expect(sleeping).rejects.toMatchObject({ code: 'E_QUERY_ABORTED' });
  const other = database.readScope({ signal: new AbortController().signal, keyRecorder });
  expect(await other.query('select 3 as three')).toEqual([{ three: 3 }]);
  expect(await activeSleepers()).toBe(0);
  expect(database.counts.total).toBe(1);
});

it('hands a connection to those who wait before it counts as free', async () => {
  const { database, db } = reading();
  const all = await Promise.all(Array.from({ length: 30 }, (_, n) => db.query('select $1::int as n', [n])));
  expect(all).toEqual(Array.from({ length: 30 }, (_, n) => [{ n }]));
  expect(database.counts).toMatchObject({ total: 1, idle: 1, waiting: 0 });
});

it('closes a connection that has had no work for its time, and none that has', async () => {
  const { database, db } = reading({ idleTimeoutMs: 200, max: 2 });
  await Promise.all([db.query('select 1'), db.query('select 1')]);
  expect(database.counts.total).toBe(2);
  // One at a time: the one that had work last is used again and again, and the other goes.
  await vi.waitUntil(async () => {
    await db.query('select 1');
    return database.counts.total === 1;
  });
  await vi.waitUntil(() => database.counts.total === 0);
});

it('drops a free connection that the server has ended, and says so', async () => {
  const warn = vi.fn();
  const { database, db } = reading({ logger: { ...silent, warn } });
  const [row] = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
  await real.query('select pg_terminate_backend($1)', [row?.pid]);
  await vi.waitUntil(() => database.counts.total === 0);
  expect(warn).toHaveBeenCalledWith(expect.anything(), 'an idle database connection broke');
  expect(await db.query('select 1 as one')).toEqual([{ one: 1 }]);
});

it('leaves no connection open when it is closed', async () => {
  const { database, db } = reading({ max: 3 });
  await Promise.all([db.query('select 1'), db.query('select 2'), db.query('select 3')]);
  await database.close();
  expect(database.counts).toMatchObject({ total: 0, idle: 0, waiting: 0 });
});

async function activeSleepers(): Promise<number> {
  const rows = await real.query(
    `select 1 from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid() and datname = current_database()`,
  );
  return rows.length;
}
