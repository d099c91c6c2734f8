import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import type { Where } from '../db.ts';
import { Database } from './database.ts';

interface Post {
  id: number;
  topic: string | null;
  title: string;
  at: Date;
}

let held: TestDatabase;
let database: Database;

beforeAll(async () => {
  held = await testDatabase(`
    create table posts (id int primary key, topic text, title text not null, at timestamptz not null);
    insert into posts values
      (1, 'sky', 'Clouds', '2026-01-01'), (2, 'sky', '100% rain', '2026-02-01'),
      (3, 'books', 'cloud_atlas', '2026-03-01'), (4, null, 'Nothing', '2026-04-01')`);
  database = new Database({ connectionString: held.url, logger: silent, clock: systemClock });
});
afterAll(async () => {
  await database.close();
  await held.close();
});

async function ids(where: Where<Post>, or?: readonly Where<Post>[]): Promise<number[]> {
  const found = await database.writeScope(new AbortController().signal).paginate<Post>({
    table: 'posts',
    columns: ['id'],
    where,
    ...(or && { or }),
    orderBy: [{ column: 'id' }],
    pageSize: 10,
    page: 1,
  });
  expect(found.total).toBe(found.rows.length);
  return found.rows.map(({ id }) => id);
}

describe('where', () => {
  it.each<[string, Where<Post>, number[]]>([
    ['one of several', { topic: { in: ['sky', 'garden'] } }, [1, 2]],
    ['none of them', { topic: { in: [] } }, []],
    ['of numbers, some of which no row can have', { id: { in: [1, 2 ** 40, 3] } }, [1, 3]],
    ['only such numbers', { id: { in: [2 ** 40] } }, []],
    ['a range', { at: { gte: new Date('2026-02-01'), lt: new Date('2026-04-01') } }, [2, 3]],
    ['ranges of numbers', { id: { gt: 1, lte: 3 } }, [2, 3]],
    ['nothing', { topic: null }, [4]],
    ['anything', { topic: { not: null } }, [1, 2, 3]],
    ['another value, nothing included', { topic: { not: 'sky' } }, [3, 4]],
    ['a pattern', { title: { ilike: 'cloud%' } }, [1, 3]],
    ['text that was typed', { title: { contains: 'CLOUD' } }, [1, 3]],
    ['text whose wildcards are none', { title: { contains: '0%' } }, [2]],
    ['text whose wildcards are none, once more', { title: { contains: 'd_a' } }, [3]],
    ['two conditions', { topic: 'sky', title: { contains: 'rain' } }, [2]],
  ])('%s', async (_, where, expected) => {
    expect(await ids(where)).toEqual(expected);
  });

  it('with groups of which one must hold', async () => {
    expect(await ids({}, [{ topic: 'books' }, { topic: null }])).toEqual([3, 4]);
    expect(await ids({ id: { lt: 4 } }, [{ topic: 'sky', id: 2 }, { title: { contains: 'atlas' } }])).toEqual(
      [2, 3],
    );
    expect(await ids({}, [{ id: 2 ** 40 }, { id: 1 }])).toEqual([1]);
    expect(await ids({}, [{ id: 2 ** 40 }])).toEqual([]);
    expect(await ids({}, [])).toEqual([]);
    expect(await ids({ topic: 'sky' }, [{}, { id: 9 }])).toEqual([1, 2]);
  });

  it.each<[Where, RegExp]>([
    [{ topic: undefined }, /where.topic is undefined/],
    [{ topic: { in: 'sky' } }, /takes a list/],
    [{ topic: { in: [null] } }, /without null/],
    [{ id: { gt: null } }, /nothing compares/],
    [{ id: { near: 1 } }, /has 'near'/],
  ])('%j is refused by a message that says why', async (where, message) => {
    await expect(ids(where as Where<Post>)).rejects.toThrow(message);
  });

  it('takes no name that is no column, wherever it stands', async () => {
    await expect(ids({ '1=1 or id': 1 } as Where<Post>)).rejects.toMatchObject({ code: 'E_UNKNOWN_NAME' });
    await expect(ids({}, [{ '1=1 or id': 1 } as Where<Post>])).rejects.toMatchObject({
      code: 'E_UNKNOWN_NAME',
    });
  });

  it('goes on by cursor', async () => {
    const db = database.writeScope(new AbortController().signal);
    const seen: number[] = [];
    for (let after: string | null | undefined = null; after !== undefined; ) {
      const page: { rows: readonly Post[]; next: string | null } = await db.paginate<Post>({
        table: 'posts',
        columns: ['id'],
        or: [{ topic: { in: ['sky', 'books'] } }, { topic: null }],
        orderBy: [{ column: 'at', direction: 'desc' }],
        pageSize: 1,
        after,
      });
      seen.push(...page.rows.map(({ id }) => id));
      after = page.next ?? undefined;
    }
    expect(seen).toEqual([4, 3, 2, 1]);
  });
});
