// A statement that was prepared before a table changed reads what it would read had it been prepared after.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import { Database } from './database.ts';
import { PLAN_LIFE_MS } from './names.ts';

const keyRecorder = { add: () => {}, untracked: () => {} };
let real: TestDatabase;
const open: Database[] = [];

beforeAll(async () => {
  real = await testDatabase();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => real.close());

function reading(clock = systemClock) {
  const database = new Database({ connectionString: real.url, logger: silent, clock, max: 1 });
  open.push(database);
  const db = database.readScope({ signal: new AbortController().signal, keyRecorder });
  return { database, db };
}

const SQL = 'select v from d where k = $1';

it.each([
  ['int to bigint', 'int', '1', 'alter table d alter column k type bigint', 3_000_000_000, '3000000000'],
  ['int to text', 'int', '1', 'alter table d alter column k type text', 'abc', "'abc'"],
  ['int to numeric', 'int', '1', 'alter table d alter column k type numeric', '1.5', '1.5'],
  [
    'int to uuid',
    'int',
    '1',
    "alter table d alter column k type uuid using '8c7f3f0e-6a2d-4f7e-9a49-0a54d2e0f3aa'",
    '8c7f3f0e-6a2d-4f7e-9a49-0a54d2e0f3ab',
    "'8c7f3f0e-6a2d-4f7e-9a49-0a54d2e0f3ab'",
  ],
  [
    'an enum of another name',
    'mood',
    "'ok'",
    "alter type mood rename to was; create type mood as enum ('ok', 'new'); alter table d alter column k type mood using k::text::mood; drop type was",
    'new',
    "'new'",
  ],
  ['a table made anew', 'int', '1', 'drop table d; create table d (k text, v text)', 'x', "'x'"],
])(
  '%s: the next statement is right without anybody telling',
  async (_, type, before, ddl, value, literal) => {
    await real.query(`drop table if exists d; drop type if exists mood; create type mood as enum ('ok');
    create table d (k ${type}, v text); insert into d values (${before}, 'old')`);
    const { db } = reading();
    expect(await db.query(SQL, [before.replaceAll("'", '')])).toEqual([{ v: 'old' }]);
    await real.query(`${ddl}; insert into d values (${literal}, 'new')`);
    expect(await db.query(SQL, [value])).toEqual([{ v: 'new' }]);
    expect(await db.query(SQL, [value])).toEqual([{ v: 'new' }]);
  },
);

const SILENT_CHANGE = `drop table if exists d; create table d (k date, v text); insert into d values ('2024-01-01', 'day')`;
const moments = async () => {
  await real.query(`alter table d alter column k type timestamptz using k::timestamp at time zone 'UTC';
    insert into d values ('2024-01-01T10:00:00Z', 'moment')`);
};

it('does not cut a moment to a day once it is told of the change', async () => {
  await real.query(SILENT_CHANGE);
  const { db, database } = reading();
  await db.query(SQL, ['2024-01-01']);
  await moments();
  database.schemaChanged();
  expect(await db.query(SQL, ['2024-01-01T10:00:00Z'])).toEqual([{ v: 'moment' }]);
});

it('nor for longer than a plan lives where nobody tells', async () => {
  await real.query(SILENT_CHANGE);
  const clock = new ManualClock();
  const { db } = reading(clock);
  await db.query(SQL, ['2024-01-01']);
  await moments();
  clock.advance(PLAN_LIFE_MS);
  expect(await db.query(SQL, ['2024-01-01T10:00:00Z'])).toEqual([{ v: 'moment' }]);
});

it('asks once where a plan is new: a bad value is no stale plan', async () => {
  await real.query(`drop table if exists d; create table d (k int, v text)`);
  const { db, database } = reading();
  await expect(db.query(SQL, ['abc'])).rejects.toMatchObject({ code: 'E_BAD_VALUE' });
  expect(database.usage.stats(5).failures).toBe(1);
});
