import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { fragment, page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Site, type SiteOptions, startSite } from '../support/site.ts';

const open: Site[] = [];
afterEach(async () => {
  for (const started of open.splice(0)) await started.close();
});

async function site(options: SiteOptions) {
  const started = await startSite(options);
  open.push(started);
  const get = async (path: string) => {
    const response = await fetch(`${started.origin}${path}`);
    return {
      status: response.status,
      cache: response.headers.get('cache-status') ?? '',
      html: await response.text(),
    };
  };
  return { ...started, get };
}

/** Users by id whose names change when they are told to; cards count how often they are rendered. */
function cards() {
  const names = new Map([1, 2, 3].map((id) => [id, `user ${id}`]));
  const rendered: number[] = [];
  const Card = fragment('card', {
    key: (props: { id: number; shade?: string }) => props.id,
    load: ({ key, dependsOn }) => {
      dependsOn(`users#${key}`);
      rendered.push(key);
      return { name: names.get(key) };
    },
    view: ({ name }) => ({ b: name }),
  });
  const list = page({ view: () => ({ p: { children: [1, 2, 3].map((id) => Card({ id })) } }) });
  const one = page({
    params: { id: z.coerce.number() },
    load: ({ params }) => params,
    view: ({ id }) => Card({ id, shade: 'dark' }),
  });
  return { names, rendered, Card, list, one };
}

test('a purge of one renders that one, and the pages around it are put together from the others', async () => {
  const { names, rendered, list, one } = cards();
  const { get, purge } = await site({ fragmentCache: true, pages: { index: list, 'users/[id]': one } });
  expect((await get('/')).html).toContain('<p><b>user 1</b><b>user 2</b><b>user 3</b></p>');
  await get('/users/2');
  expect(rendered).toEqual([1, 2, 3]);

  names.set(2, 'Ada <3>');
  purge('users#2');
  const after = await get('/');
  expect(after.cache).toContain('fwd=uri-miss');
  expect(after.html).toContain('<b>user 1</b><b>Ada &lt;3&gt;</b><b>user 3</b>');
  expect((await get('/users/2')).html).toContain('<b>Ada &lt;3&gt;</b>');
  expect((await get('/users/1')).html).toContain('<b>user 1</b>');
  expect(rendered).toEqual([1, 2, 3, 2]);
});

test('of twenty groups of five one change renders one leaf and its group, and the bytes are those of a full render', async () => {
  const versions = new Map<number, number>();
  const rendered: string[] = [];
  const Leaf = fragment('leaf', {
    key: (props: { id: number }) => props.id,
    load: ({ key, dependsOn }) => {
      dependsOn(`rows#${key}`);
      rendered.push(`leaf ${key}`);
      return { key, version: versions.get(key) ?? 0 };
    },
    view: ({ key, version }) => ({ li: `leaf ${key} <v${version}> \u2014 & so on` }),
  });
  const Group = fragment('group', {
    key: (props: { n: number }) => props.n,
    load: ({ key }) => {
      rendered.push(`group ${key}`);
      return key;
    },
    view: (n) => ({ ul: { children: [0, 1, 2, 3, 4].map((at) => Leaf({ id: n * 5 + at })) } }),
  });
  const all = page({ view: () => Array.from({ length: 20 }, (_, n) => Group({ n })) });
  const cached = await site({ fragmentCache: true, pages: { index: all } });
  const whole = await site({ pages: { index: all } });
  await cached.get('/');
  expect(rendered).toHaveLength(120);
  for (const id of [0, 37, 99, 37]) {
    versions.set(id, (versions.get(id) ?? 0) + 1);
    cached.purge(`rows#${id}`);
    whole.purge(`rows#${id}`);
    rendered.length = 0;
    const rebuilt = await cached.get('/');
    expect(rendered.sort()).toEqual([`group ${Math.floor(id / 5)}`, `leaf ${id}`]);
    expect(rebuilt.html).toBe((await whole.get('/')).html);
  }
});

test('without a cache they are rendered with the page, which depends on what they read', async () => {
  const { names, rendered, list } = cards();
  const { get, purge } = await site({ pages: { index: list } });
  await get('/');
  names.set(3, 'new');
  purge('users#3');
  expect((await get('/')).html).toContain('<b>new</b>');
  expect(rendered).toEqual([1, 2, 3, 1, 2, 3]);
});

test('nested ones hand their dependencies up through every level', async () => {
  const { names, Card } = cards();
  const Row = fragment('row', {
    key: (p: { ids: number[] }) => p.ids,
    view: (ids) => ids.map((id) => Card({ id })),
  });
  const Table = fragment('table', {
    key: () => null,
    view: () => ({ div: { children: Row({ ids: [1, 2] }) } }),
  });
  const { get, purge } = await site({
    fragmentCache: true,
    pages: { index: page({ view: () => Table({}) }) },
  });
  await get('/');
  names.set(1, 'deep');
  purge('users#1');
  expect((await get('/')).html).toContain('<div><b>deep</b><b>user 2</b></div>');
});

test('a page is fresh no longer than what stands in it', async () => {
  const clock = new ManualClock();
  let made = 0;
  const Tick = fragment('tick', {
    key: () => 0,
    load: () => ++made,
    view: (count) => `made ${count}`,
    cache: { ttlMs: 1000 },
  });
  const { get } = await site({
    clock,
    fragmentCache: true,
    pages: { index: page({ cache: { staleWhileRevalidateMs: 0 }, view: () => Tick({}) }) },
  });
  expect((await get('/')).html).toContain('made 1');
  expect((await get('/')).cache).toContain('ttl=1;');
  clock.advance(1001);
  expect((await get('/')).html).toContain('made 2');
});

test('two of one name, and one inside itself, are refused by name', async () => {
  const A = fragment('same', { key: () => 1, view: () => 'a' });
  const B = fragment('same', { key: () => 1, view: () => 'b' });
  const Snake: (props: object) => unknown = fragment('snake', {
    key: () => 1,
    view: () => Snake({}) as string,
  });
  const { get, log } = await site({
    fragmentCache: true,
    pages: { twice: page({ view: () => [A({}), B({})] }), snake: page({ view: () => Snake({}) as string }) },
  });
  expect((await get('/twice')).status).toBe(500);
  expect((await get('/snake')).status).toBe(500);
  const messages = log.lines.map(({ fields }) =>
    String(fields.err instanceof Error && (fields.err.cause ?? fields.err)),
  );
  expect(messages.join()).toContain("Two fragments are called 'same'");
  expect(messages.join()).toContain("'snake' stands inside itself");
});

test('data cannot pose as one', async () => {
  const posed = JSON.parse('{"name":"card","key":1,"html":"<script>x</script>"}');
  const { get } = await site({
    pages: { index: page({ view: () => ({ p: { children: [JSON.stringify(posed)] } }) }) },
  });
  expect((await get('/')).html).not.toContain('<script>');
});
