import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Commonplace, startCommonplace } from './commonplace.ts';

let app: Commonplace;

beforeAll(async () => {
  app = await startCommonplace();
  // The first pages also read the catalog; that is not their own.
  for (const path of ['/users?page=9', '/users/300', '/posts/7']) await app.statementsOf(path);
});
afterAll(() => app.close());

// A list of twenty is as many statements as a list of one: its rows, its counts, all cards, all authors.
test.each([
  ['/', 6],
  ['/posts', 4],
  ['/posts?topic=sky', 4],
  ['/users', 2],
  ['/users?page=2&sort=-name', 2],
  ['/users/17', 5],
  ['/search?q=lemon', 3],
  ['/search', 0],
  ['/u/17', 0],
  ['/u/maren-okafor', 1],
  ['/fortunes', 1],
  ['/about', 0],
])('%s takes %i statements, and none when it is kept', async (path, statements) => {
  expect(await app.statementsOf(path)).toBe(statements);
  if (path !== '/fortunes' && path !== '/u/maren-okafor') expect(await app.statementsOf(path)).toBe(0);
});

test('a post with many comments takes as many as one with few', async () => {
  const rows = await app.rows.query<{ post_id: number; n: number }>(
    'select post_id, count(*)::int as n from comments group by post_id order by n desc, post_id',
  );
  const [most, few] = [rows.at(0), rows.at(-1)];
  expect(most?.n).toBeGreaterThan(15);
  expect(await app.statementsOf(`/posts/${most?.post_id}`)).toBe(6);
  expect(await app.statementsOf(`/posts/${few?.post_id}`)).toBe(6);
});
