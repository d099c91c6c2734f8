import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Commonplace, startCommonplace } from './commonplace.ts';

let app: Commonplace;

beforeAll(async () => {
  app = await startCommonplace();
});
afterAll(() => app.close());

test('the feed has the newest posts, and the home page leads to it', async () => {
  const answer = await app.ask('/feed.xml');
  expect(answer.headers.get('content-type')).toBe('application/rss+xml; charset=utf-8');
  const text = await answer.text();
  expect(text.match(/<item>/g)).toHaveLength(30);
  // Every post whose title looks like HTML is text here, too.
  expect(text).not.toMatch(/<(?!\/?(?:\?xml|rss|channel|title|link|description|item|pubDate))/);
  expect(await (await app.ask('/')).text()).toContain('application/rss+xml');
});

test('the sitemap has all posts, joined of one piece a topic', async () => {
  const text = await (await app.ask('/sitemap.xml')).text();
  const [posts] = await app.rows.query<{ count: number }>('select count(*)::int as count from posts');
  expect(text.match(/<loc>/g)).toHaveLength(posts?.count ?? 0);
});

const page = z.object({
  posts: z.array(z.object({ id: z.number(), topic: z.string() })),
  next: z.string().nullable(),
});

test('the API goes through all posts of two topics by cursor', async () => {
  const ids = new Set<number>();
  for (let after: string | null = ''; after !== null; ) {
    const cursor: string = after === '' ? '' : `&after=${after}`;
    const answer = await app.ask(`/api/posts?topic=sky&topic=books${cursor}`);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    const { posts, next } = page.parse(await answer.json());
    for (const { id, topic } of posts) {
      expect(['sky', 'books']).toContain(topic);
      ids.add(id);
    }
    after = next;
  }
  const [all] = await app.rows.query<{ count: number }>(
    "select count(*)::int as count from posts where topic in ('sky', 'books')",
  );
  expect(ids.size).toBe(all?.count);
  expect((await app.ask('/api/posts?topic=nothing')).status).toBe(400);
});
