import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { installSql } from '../../src/data/feed/install-sql.ts';
import { Outbox } from '../../src/data/feed/outbox.ts';
import { Database } from '../../src/data/read/database.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { silent } from '../support/silent.ts';

let held: TestDatabase;
let database: Database;
beforeAll(async () => {
  held = await testDatabase(installSql);
  database = new Database({ connectionString: held.url, logger: silent, clock: systemClock, max: 4 });
});
afterAll(async () => {
  await database.close();
  await held.close();
});
beforeEach(() => held.query('truncate coherent.outbox'));

const outbox = (more: { fleet?: string; maxWaitingKeys?: number } = {}) =>
  new Outbox({ database, fleet: 'f', newId: randomUUID, ...more });
const keys = (count: number, prefix = 'k') => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

describe('the outbox', () => {
  it('gives back what was added, in order, and keeps it until it is done', async () => {
    const first = outbox();
    await first.add([{ target: 't', keys: keys(250) }]);
    await first.add([{ target: 't', keys: ['\u0000odd "key"\\', 'k1'] }]);
    const batch = await first.next('t');
    expect(batch?.keys).toEqual([...keys(250), '\u0000odd "key"\\']);
    await first.done('t', batch?.id ?? '');
    expect(await first.next('t')).toBeUndefined();
  });

  it('a batch keeps its name and its keys over the death of whoever took it, whatever came meanwhile', async () => {
    await outbox().add([{ target: 't', keys: ['a'] }]);
    const taken = await outbox().next('t');
    await outbox().add([{ target: 't', keys: ['b'] }]);
    expect(await outbox().next('t')).toEqual(taken);
    await outbox().done('t', taken?.id ?? '');
    expect(await outbox().next('t')).toMatchObject({ keys: ['b'] });
  });

  it('keeps targets and fleets apart', async () => {
    await outbox().add([{ target: 't', keys: ['a'] }]);
    expect(await outbox().next('other')).toBeUndefined();
    expect(await outbox({ fleet: 'g' }).next('t')).toBeUndefined();
    expect(await outbox({ fleet: 'g' }).keepOnly([])).toBe(0);
    expect(await outbox().keepOnly(['t'])).toBe(0);
    expect(await outbox().keepOnly(['other'])).toBe(1);
  });

  it('is bounded: too much becomes "everything", with a count, and what is on its way is not touched', async () => {
    const small = outbox({ maxWaitingKeys: 300 });
    await small.add([{ target: 't', keys: ['on its way'] }]);
    const taken = await small.next('t');
    expect(await small.add([{ target: 't', keys: keys(299) }])).toBe(false);
    expect(await small.add([{ target: 't', keys: keys(10, 'x') }])).toBe(true);
    expect(await small.add([{ target: 't', keys: keys(100_000, 'y') }])).toBe(false);
    expect(await held.query('select count(*)::int as rows from coherent.outbox')).toEqual([{ rows: 2 }]);
    expect(small.stats()).toEqual({ collapsed: 1, dropped: 309 });
    expect(await small.next('t')).toEqual(taken);
    await small.done('t', taken?.id ?? '');
    const all = await small.next('t');
    expect(all).toMatchObject({ keys: undefined, dropped: 309 });
    // What comes while it is on its way was not in it.
    await small.add([{ target: 't', keys: ['after'] }]);
    await small.done('t', all?.id ?? '');
    expect(await small.next('t')).toMatchObject({ keys: ['after'] });
  });

  it('takes "everything" for all that waited', async () => {
    const one = outbox();
    await one.add([{ target: 't', keys: ['a', 'b'] }]);
    await one.add([{ target: 't', keys: undefined }]);
    expect(await one.next('t')).toMatchObject({ keys: undefined, dropped: 2 });
  });
});
