import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { FollowedSchema } from './followed-schema.ts';

let real: TestDatabase;
beforeAll(async () => {
  real = await testDatabase('create table users (id int primary key, name text)');
});
afterAll(() => real.close());

function followed(read = async (sql: string) => ({ rows: await real.query(sql) })) {
  const reads: string[] = [];
  const schema = new FollowedSchema({
    read: (sql) => {
      reads.push(sql);
      return read(sql);
    },
    publication: null,
    logger: silent,
  });
  const keysOf = async (sql: string, params: readonly unknown[], names: readonly string[]) => {
    const keys = new Set<string>();
    const fields = names.map((name) => ({ name }));
    await schema.onStatement(
      sql,
      params,
      { rows: [], fields },
      { add: (key) => keys.add(key), untracked: () => {} },
    );
    return [...keys];
  };
  return { schema, reads, keysOf };
}

const byId = ['select id, name from users where id = $1', [17], ['id', 'name']] as const;

describe('FollowedSchema', () => {
  it('takes its catalog snapshot once, also when many statements wait for it', async () => {
    const { keysOf, reads } = followed();
    const all = await Promise.all([keysOf(...byId), keysOf(...byId)]);
    for (const keys of all) expect(keys).toContain('users#17');
    expect(reads).toHaveLength(1);
    await keysOf(...byId);
    expect(reads).toHaveLength(1);
  });

  it('analyses nothing with a catalog snapshot that was called old', async () => {
    const { schema, keysOf } = followed();
    const added = ['select id, email from users where id = $1', [17], ['id', 'email']] as const;
    await keysOf(...byId);
    await real.query('alter table users add column email text');
    schema.changed();
    expect(await keysOf(...added)).toContain('users#17');
  });

  it('does not take a catalog snapshot for new that was asked for before the change', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reads = 0;
    const { schema, keysOf } = followed(async (sql) => {
      const snapshot = { rows: await real.query(sql) };
      if (reads++ === 0) await held;
      return snapshot;
    });
    const early = keysOf('select id, place from users where id = $1', [17], ['id', 'place']);
    await real.query('alter table users add column place text');
    schema.changed();
    release();
    expect(await early).toContain('users#17');
    expect(reads).toBe(2);
  });

  it('lets a render fail whose keys cannot be known, and tries again for the next', async () => {
    let down = true;
    const { keysOf } = followed(async (sql) => {
      if (down) throw new Error('no connection');
      return { rows: await real.query(sql) };
    });
    await expect(keysOf(...byId)).rejects.toThrow('no connection');
    down = false;
    expect(await keysOf(...byId)).toContain('users#17');
  });
});
