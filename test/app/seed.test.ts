import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { comments } from '../../app/seed/comments.ts';
import { people } from '../../app/seed/people.ts';
import { posts } from '../../app/seed/posts.ts';
import { FULL, seedWith } from '../../app/seed.ts';

const users = [...people(FULL.users)];
const written = [...posts(FULL.posts, FULL.users)];

describe('the seed', () => {
  test('makes exactly as many rows as it says, in the order that references need', async () => {
    const tables: [string, number, number][] = [];
    await seedWith({ users: 50, posts: 120, comments: 300 })({
      insert: async (table, columns, rows, total) => {
        const made = [...rows];
        for (const row of made) expect(row).toHaveLength(columns.length);
        tables.push([table, made.length, total]);
      },
      query: async () => [],
    });
    expect(tables).toEqual([
      ['users', 50, 50],
      ['posts', 120, 120],
      ['comments', 300, 300],
      ['fortune', 12, 12],
    ]);
    expect([users.length, written.length]).toEqual([10_000, 50_000]);
  });

  test('makes the same rows every time', () => {
    const digest = (rows: Iterable<unknown>) =>
      [...rows]
        .reduce(
          (hash: ReturnType<typeof createHash>, row) => hash.update(JSON.stringify(row)),
          createHash('sha256'),
        )
        .digest('hex');
    expect(digest(people(FULL.users))).toBe(digest(users));
    expect(digest(posts(2000, 400))).toBe(digest(posts(2000, 400)));
    expect(digest(comments(2000, 900, 400))).toBe(digest(comments(2000, 900, 400)));
  });

  test('gives everybody a handle of their own that an address can hold', () => {
    const handles = users.map((user) => user.handle);
    expect(new Set(handles).size).toBe(handles.length);
    expect(handles.filter((handle) => !/^[a-z0-9-]{1,60}$/.test(handle))).toEqual([]);
  });

  test('leaves no slot of a template unfilled, and begins every text with a capital', () => {
    const texts = written.flatMap((post) =>
      post.lang === 'en' ? [post.title, post.summary, post.body] : [],
    );
    expect(texts.filter((text) => /\{\w+\}/.test(text))).toEqual([]);
    expect(texts.filter((text) => /^[a-z]/.test(text))).toEqual([]);
  });

  test('has nobody write before they came, and no answer before its question', () => {
    let last = 0;
    for (const post of written) {
      expect(post.createdMs >= last && post.userId >= 1 && post.userId <= FULL.users).toBe(true);
      last = post.createdMs;
    }
    let amount = 0;
    for (const { postId, createdMs, userId } of comments(FULL.comments, FULL.posts, FULL.users)) {
      const post = written[postId - 1];
      if (post === undefined || createdMs <= post.createdMs || userId > FULL.users) {
        expect.fail(`comment on post ${postId} by ${userId} at ${createdMs}`);
      }
      amount++;
    }
    expect(amount).toBe(FULL.comments);
  });
});
