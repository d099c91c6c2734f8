// Connections that a firewall or a NAT has forgotten: they stay open, and nothing comes over them any more.
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { systemClock } from '../../core/clock.ts';
import type { StatementObserver } from '../observer.ts';
import { Database, type DatabaseOptions } from '../read/database.ts';

/** All statements of these tests may run plain; without an observer none does. */
const plain: StatementObserver = { check: () => true, onStatement: () => {} };
const forms = [
  ['plain', plain],
  ['between BEGIN and ROLLBACK', undefined],
] as const;

const keyRecorder = { add: () => {}, untracked: () => {} };
let real: TestDatabase;
let proxy: TcpProxy;
const open: Database[] = [];

beforeAll(async () => {
  real = await testDatabase('create table t (id int primary key); insert into t values (1)');
  proxy = await TcpProxy.to({ port: Number(new URL(real.url).port) });
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(async () => {
  await proxy.close();
  await real.close();
});

async function reading(options: Partial<DatabaseOptions> = {}) {
  const url = new URL(real.url);
  url.port = String(proxy.port);
  const database = new Database({
    connectionString: url.href,
    logger: silent,
    clock: systemClock,
    max: 5,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  });
  open.push(database);
  const db = database.readScope({ signal: new AbortController().signal, keyRecorder });
  await Promise.all(Array.from({ length: 5 }, () => db.query('select pg_sleep(0.02)')));
  expect(database.counts.total).toBe(5);
  return { database, db };
}

it.each(forms)(
  'a read meets them, is answered over a new one, and none of them is used again: %s',
  async (_form, observer) => {
    const { database, db } = await reading({ observer: observer as StatementObserver });
    proxy.silenceExisting();
    const startedMs = performance.now();
    for (let i = 0; i < 10; i++) expect(await db.query('select id from t')).toEqual([{ id: 1 }]);
    // One silence was waited for, not five: the others of that moment are closed unasked.
    expect(performance.now() - startedMs).toBeLessThan(4000);
    expect(database.counts.total).toBeLessThan(5);
  },
);

it.each(forms)(
  'many reads at the same time all meet them, and all are answered: %s',
  async (_form, observer) => {
    const { db } = await reading({ observer: observer as StatementObserver });
    proxy.silenceExisting();
    const reads = Array.from({ length: 20 }, () => db.query('select id from t'));
    for (const rows of await Promise.all(reads)) expect(rows).toEqual([{ id: 1 }]);
  },
);

it.each(forms)(
  'connections in full use fall silent at once, and all their reads are answered: %s',
  async (_form, observer) => {
    const { db } = await reading({ observer: observer as StatementObserver });
    let left = 400;
    const busy = Array.from({ length: 20 }, async () => {
      for (; left > 0; left--) {
        if (left === 200) proxy.silenceExisting();
        expect(await db.query('select id from t')).toEqual([{ id: 1 }]);
      }
    });
    const startedMs = performance.now();
    await Promise.all(busy);
    expect(performance.now() - startedMs).toBeLessThan(4000);
  },
);

it.each(forms)('a statement that waits for a lock is slow, not silent: %s', async (_form, observer) => {
  const { database, db } = await reading({ observer: observer as StatementObserver, connectTimeoutMs: 600 });
  await real.query('begin; lock table t');
  const waiting = db.query('select id from t');
  await vi
    .waitUntil(async () => {
      // A transaction sees one picture of what the server does.
      await real.query('select pg_stat_clear_snapshot()');
      const rows = await real.query(
        "select 1 from pg_stat_activity where query like '%select id from t%' and wait_event_type = 'Lock' and clock_timestamp() > query_start + interval '700 ms'",
      );
      return rows.length === 1;
    }, 10_000)
    .finally(() => real.query('rollback'));
  expect(await waiting).toEqual([{ id: 1 }]);
  expect(database.counts.total).toBe(5);
});

it('a transaction meets them before anything has happened, and begins on a new one', async () => {
  const { database } = await reading({ connectTimeoutMs: 500 });
  proxy.silenceExisting();
  const startedMs = performance.now();
  expect(await database.transaction((own) => own.one('select id from t'))).toEqual({ id: 1 });
  expect(performance.now() - startedMs).toBeLessThan(4000);
});

it.each(forms)(
  'a statement that had begun is given up after its time, and its connection is closed: %s',
  async (_form, observer) => {
    const { database, db } = await reading({
      observer: observer as StatementObserver,
      statementTimeoutMs: 1500,
    });
    // Two seconds beyond its own limit.
    const sleeping = db.query('select pg_sleep(60)');
    await vi.waitUntil(async () => {
      const rows = await real.query(
        "select 1 from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()",
      );
      return rows.length === 1;
    });
    proxy.silenceExisting();
    await expect(sleeping).rejects.toMatchObject({ code: 'E_QUERY_TIMEOUT' });
    expect(await db.query('select id from t')).toEqual([{ id: 1 }]);
    expect(database.counts.total).toBeLessThan(5);
  },
);
