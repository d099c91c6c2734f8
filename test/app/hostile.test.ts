import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Commonplace, startCommonplace } from './commonplace.ts';
import { attribute, text } from './document.ts';

let app: Commonplace;

beforeAll(async () => {
  app = await startCommonplace();
});
afterAll(() => app.close());

test.each([
  [13, "Robert'); DROP TABLE users;--"],
  [42, '<b>Bold</b> & "Brave"'],
  [99, '<script>alert("hello")</script>'],
  [77, 'דנה לוי'],
  [128, 'Ada 🌻 Marie 👩🏽‍🌾 Vidal'],
])('the name of person %i is text wherever it stands', async (id, name) => {
  const { html, document } = await app.open(`/users/${id}`);
  expect(document.textOf('h1')).toBe(name);
  expect(document.textOf('title')).toBe(`${name} · Commonplace`);
  const property = document.all('meta').find((meta) => attribute(meta, 'property') === 'og:title');
  expect(attribute(property!, 'content')).toBe(name);
  expect(html).not.toContain('<b>');
});

test('a page in which every text is hostile has no element, attribute or link of theirs', async () => {
  const paths = [
    '/users/99',
    '/users?page=1',
    '/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E',
    '/posts',
    '/',
  ];
  const posts = await app.rows.query<{ id: number }>(
    "select distinct p.id from posts p left join comments c on c.post_id = p.id where p.title like '%<%' or c.body like '%<%'",
  );
  expect(posts.length).toBeGreaterThan(10);
  for (const path of [...paths, ...posts.map(({ id }) => `/posts/${id}`)]) {
    const { document } = await app.open(path);
    expect(document.all('script', 'img', 'b', 'iframe', 'object', 'style'), path).toEqual([]);
    for (const element of document.elements) {
      for (const { name, value } of element.attrs) {
        expect(name, path).not.toMatch(/^on|^style$/);
        if (name === 'href') expect(value, path).toMatch(/^(\/|#)/);
      }
    }
  }
});

test('what was searched stands in the field as it was typed, in small letters', async () => {
  const typed = "\"><img src=x onerror=alert(1)> & 'tea'";
  const { document } = await app.open(`/search?q=${encodeURIComponent(typed)}`);
  expect(attribute(document.byId('q')!, 'value')).toBe(typed);
  expect(document.all('img')).toEqual([]);
});

test('text from right to left has its direction, and other languages are named', async () => {
  const [post] = await app.rows.query<{ id: number }>("select id from posts where lang = 'ar' limit 1");
  const { document } = await app.open(`/posts/${post?.id}`);
  const [title] = document.all('h1');
  expect([attribute(title!, 'dir'), attribute(title!, 'lang')]).toEqual(['auto', 'ar']);
  expect(text(title!)).toBe('أول رغيف خبز في مطبخي الجديد');
});

test('fortunes are what the TechEmpower test asks for, made anew each time', async () => {
  const answer = await app.open('/fortunes');
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.document.textOf('title')).toBe('Fortunes');
  expect(answer.html).toContain('<body><table><tr><th>id</th><th>message</th></tr><tr><td>11</td>');
  expect(answer.html).toContain(
    '<td>&lt;script&gt;alert(&quot;This should not be displayed in a browser alert box.&quot;);&lt;/script&gt;</td>',
  );
  expect(answer.html).toMatch(
    /<td>12<\/td><td>フレームワークのベンチマーク<\/td><\/tr><\/table><\/body><\/html>$/,
  );
  const cells = answer.document.all('td').map(text);
  expect(cells.filter((_, at) => at % 2 === 0).map(Number)).toEqual([
    11, 4, 5, 2, 8, 0, 3, 7, 10, 6, 9, 1, 12,
  ]);
  expect(await app.statementsOf('/fortunes')).toBe(1);
});
