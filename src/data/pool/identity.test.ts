import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import { type DatabaseIdentity, identityName, serverName } from '../../core/database-identity.ts';
import { Database } from '../read/database.ts';
import { PoolIdentity } from './identity.ts';

const one: DatabaseIdentity = {
  systemIdentifier: '7314865012345678901',
  databaseOid: 16384,
  timeline: 1,
  isStandby: false,
  serverStartedAt: '1764525600000000',
};

describe("a database's identity", () => {
  it('is spelled in a way that names of keys and files can hold', () => {
    expect(identityName(one)).toBe('7314865012345678901-16384-1');
    expect(identityName({ ...one, isStandby: true })).toBe('7314865012345678901-16384-1-standby');
    expect(serverName(one)).toBe('7314865012345678901-16384-1@1764525600000000');
  });

  it('is told by every connection of a pool, differs between databases of one server, and is known to wait for', async () => {
    const [first, second] = [await testDatabase(), await testDatabase()];
    const names = [];
    for (const { url } of [first, second, first]) {
      const database = new Database({ connectionString: url, clock: systemClock, logger: silent });
      const known = database.identity.known();
      await database.run('SELECT 1');
      expect(database.identity.current).toEqual(await known);
      names.push(serverName(await database.identity.known()));
      await database.close();
    }
    expect(names[0]).toBe(names[2]);
    expect(names[0]).not.toBe(names[1]);
    const [row] = await first.query<{ id: string; oid: number }>(
      `select (select system_identifier::text from pg_control_system()) id, oid::int from pg_database where datname = current_database()`,
    );
    expect(names[0]).toMatch(new RegExp(`^${row?.id}-${row?.oid}-1@\\d{16}$`));
    await Promise.all([first.close(), second.close()]);
  });

  it('changes with the newest connection, and says which older ones belong elsewhere', () => {
    const pool = new PoolIdentity();
    const changes: unknown[] = [];
    const stop = pool.onChange((now, before) => changes.push([now?.timeline, before?.timeline]));
    const [a, b, c] = [{}, {}, {}];
    pool.found(a, one);
    pool.found(b, { ...one });
    expect(changes).toEqual([[1, undefined]]);
    pool.found(c, { ...one, timeline: 2 });
    expect(changes).toEqual([
      [1, undefined],
      [2, 1],
    ]);
    expect([a, b, c].map((each) => pool.isElsewhere(each))).toEqual([true, true, false]);
    pool.found(a, undefined);
    expect(pool.current).toBeUndefined();
    expect(pool.isElsewhere(c)).toBe(false);
    stop();
    pool.found(a, one);
    expect(changes).toHaveLength(3);
  });
});
