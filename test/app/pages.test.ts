import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Commonplace, SIZES, startCommonplace } from './commonplace.ts';
import { attribute, text, within } from './document.ts';

let app: Commonplace;

beforeAll(async () => {
  app = await startCommonplace();
});
afterAll(() => app.close());

describe('the sample shows rows of its database', () => {
  test('home has the totals, the newest posts and the newest people', async () => {
    const { status, document } = await app.open('/');
    expect(status).toBe(200);
    expect(document.all('dd').map(text)).toEqual(['400', '2,000', '4,000']);
    const newest = await app.rows.query<{ title: string }>(
      'select title from posts order by created_at desc, id desc limit 12',
    );
    expect(document.all('h3').map(text)).toEqual(newest.map((post) => post.title));
    expect(text(document.withClass('people')[0]!)).toContain('Joined');
  });

  test('a person has a page with their posts, and a short address', async () => {
    const { document } = await app.open('/users/17');
    expect(document.textOf('h1')).toBe('Maren Okafor');
    expect(document.textOf('title')).toBe('Maren Okafor · Commonplace');
    const [row] = await app.rows.query<{ posts: number }>(
      'select count(*)::int as posts from posts where user_id = 17',
    );
    expect(document.all('dd').map(text)[0]).toBe(String(row?.posts));
    for (const [short, status] of [
      ['/u/17', 308],
      ['/u/maren-okafor', 307],
    ] as const) {
      const answer = await app.ask(short);
      expect([answer.status, answer.headers.get('location')]).toEqual([status, '/users/17']);
    }
  });

  test('a post has its text, its author and all comments', async () => {
    const [post] = await app.rows.query<{ id: number; title: string; comments: number }>(
      `select p.id, p.title, count(*)::int as comments from posts p join comments c on c.post_id = p.id
       group by p.id order by count(*) desc, p.id limit 1`,
    );
    const { document } = await app.open(`/posts/${post?.id}`);
    expect(document.textOf('h1')).toBe(post?.title);
    expect(text(document.byId('comments')!)).toBe(`${post?.comments} comments`);
    let shown = document.withClass('comment').length;
    for (let next = nextLink(document.links()); next !== undefined; ) {
      const more = await app.open(next);
      shown += more.document.withClass('comment').length;
      next = nextLink(more.document.links());
    }
    expect(shown).toBe(post?.comments);
  });

  test('a search finds titles, texts and people, and marks what it found', async () => {
    const { document } = await app.open('/search?q=Tortoises');
    const marks = document.all('mark').map((mark) => text(mark).toLowerCase());
    expect(marks.length).toBeGreaterThan(3);
    expect(new Set(marks)).toEqual(new Set(['tortoise']));
    expect((await app.open('/search?q=maren+okafor')).document.links()).toContain('/users/17');
    expect((await app.open('/search?q=zzzz')).document.textOf('h2')).toBe('No posts found');
  });

  test('topics narrow the list of posts', async () => {
    const { document } = await app.open('/posts?topic=sky');
    const topics = document
      .withClass('entry')
      .flatMap((entry) => within(entry, 'div').flatMap((div) => within(div, 'a')));
    expect(new Set(topics.map(text))).toEqual(new Set(['Sky']));
    expect(topics).toHaveLength(20);
  });
});

describe('long lists', () => {
  test('show every person once, whichever way they are sorted', async () => {
    for (const sort of ['joined', '-name']) {
      const seen: string[] = [];
      for (let page = 1; page <= SIZES.users / 40; page++) {
        const { document } = await app.open(`/users?sort=${sort}&page=${page}`);
        seen.push(...document.links().filter((link) => link.startsWith('/users/')));
      }
      expect(new Set(seen).size).toBe(SIZES.users);
      expect(seen).toHaveLength(SIZES.users);
    }
  });

  test('go on by cursor until every post was shown once', async () => {
    const seen: string[] = [];
    for (let path: string | undefined = '/users/1'; path !== undefined; ) {
      const { document } = await app.open(path);
      seen.push(
        ...document
          .withClass('entry')
          .flatMap((entry) => within(entry, 'h3'))
          .map(text),
      );
      path = nextLink(document.links());
    }
    const rows = await app.rows.query<{ title: string }>(
      'select title from posts where user_id = 1 order by created_at desc, id desc',
    );
    expect(rows.length).toBeGreaterThan(20);
    expect(seen).toEqual(rows.map((row) => row.title));
  });

  test('say how they are sorted, and offer the other way', async () => {
    const { document } = await app.open('/users?sort=name');
    const sorted = document.all('th').find((cell) => attribute(cell, 'aria-sort') !== undefined);
    expect(attribute(sorted!, 'aria-sort')).toBe('ascending');
    expect(within(sorted!, 'a').map((link) => attribute(link, 'href'))).toEqual(['/users?sort=-name']);
  });
});

describe('what is not there', () => {
  test.each([
    ['/users/999999', 404],
    ['/users/0', 404],
    ['/users/9223372036854775808', 404],
    ['/users/seventeen', 404],
    ['/posts/999999', 404],
    ['/u/nobody-of-that-name', 404],
    ['/users?page=400', 404],
    ['/users?page=501', 400],
    ['/users?sort=password', 400],
    ['/posts?topic=politics', 400],
  ])('%s answers %i with a page that helps', async (path, status) => {
    const answer = await app.open(path);
    expect(answer.status).toBe(status);
    expect(answer.document.all('h1')).toHaveLength(1);
    expect(answer.document.links()).toContain('/');
  });

  test('a cursor that nobody was given is no server error', async () => {
    for (const path of ['/posts?after=x', '/users/17?after=eyJhIjoxfQ', '/posts/5?after=%27']) {
      expect((await app.open(path)).status, path).toBeLessThan(500);
    }
  });

  test('whatever is typed into the search is no server error', async () => {
    for (const q of [
      "'",
      '"',
      '&|!:*()<->',
      '\\',
      ' ',
      '%00',
      '💥',
      '<script>',
      'a'.repeat(500),
      '\ue000',
      '\ud7ff',
    ]) {
      const path = `/search?q=${q === '%00' ? q : encodeURIComponent(q)}`;
      expect((await app.open(path)).status, path).toBeLessThan(500);
    }
  });
});

function nextLink(links: readonly string[]): string | undefined {
  return links.find((link) => link.includes('after='))?.replace(/#.*/, '');
}
