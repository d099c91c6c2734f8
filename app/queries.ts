import type { Db } from 'coherent-render-server';

/** How many comments each of these posts has: one statement for a whole list. Posts without any are not in the map. */
export async function commentCounts(
  db: Db,
  postIds: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const rows = await db.query<{ post_id: number; comments: number }>(
    'select post_id, count(*) as comments from comments where post_id = any($1) group by post_id',
    [postIds],
  );
  return new Map(rows.map((row) => [row.post_id, row.comments]));
}

/** How many posts each of these people has written. */
export async function postCounts(db: Db, userIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const rows = await db.query<{ user_id: number; posts: number }>(
    'select user_id, count(*) as posts from posts where user_id = any($1) group by user_id',
    [userIds],
  );
  return new Map(rows.map((row) => [row.user_id, row.posts]));
}
