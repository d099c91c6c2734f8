import type { Seed, SeedContext } from 'coherent-render-server';
import { joinedAt } from './seed/calendar.ts';
import { comments } from './seed/comments.ts';
import { FORTUNES } from './seed/fortunes.ts';
import { people } from './seed/people.ts';
import { posts } from './seed/posts.ts';

/** How many rows of each. */
export interface Sizes {
  readonly users: number;
  readonly posts: number;
  readonly comments: number;
}

export const FULL: Sizes = { users: 10_000, posts: 50_000, comments: 100_000 };

/** Fills the tables of schema.sql. Equal sizes give equal rows; rows are made while they are inserted. */
export function seedWith(sizes: Sizes): Seed {
  return async (context) => {
    await context.insert(
      'users',
      ['id', 'handle', 'name', 'place', 'bio', 'joined_at'],
      userRows(sizes),
      sizes.users,
    );
    await context.insert(
      'posts',
      ['id', 'user_id', 'topic', 'lang', 'title', 'summary', 'body', 'created_at'],
      postRows(sizes),
      sizes.posts,
    );
    await context.insert(
      'comments',
      ['id', 'post_id', 'user_id', 'body', 'created_at'],
      commentRows(sizes),
      sizes.comments,
    );
    await context.insert('fortune', ['id', 'message'], FORTUNES, FORTUNES.length);
    for (const table of ['users', 'posts', 'comments']) await continueIds(context, table);
  };
}

export default seedWith(FULL);

function* userRows({ users }: Sizes) {
  let id = 0;
  for (const person of people(users)) {
    id++;
    yield [id, person.handle, person.name, person.place, person.bio, new Date(joinedAt(id, users))];
  }
}

function* postRows({ posts: count, users }: Sizes) {
  let id = 0;
  for (const post of posts(count, users)) {
    id++;
    yield [
      id,
      post.userId,
      post.topic,
      post.lang,
      post.title,
      post.summary,
      post.body,
      new Date(post.createdMs),
    ];
  }
}

function* commentRows({ comments: count, posts: postCount, users }: Sizes) {
  let id = 0;
  for (const comment of comments(count, postCount, users)) {
    id++;
    yield [id, comment.postId, comment.userId, comment.body, new Date(comment.createdMs)];
  }
}

/** The rows came with their ids; the next row that comes without one must follow on. */
async function continueIds(context: SeedContext, table: string): Promise<void> {
  await context.query(
    `select setval(pg_get_serial_sequence('${table}', 'id'), (select coalesce(max(id), 1) from ${table}))`,
  );
}
