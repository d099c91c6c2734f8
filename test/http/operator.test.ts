import { afterEach, expect, test } from 'vitest';
import { page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Site, type SiteOptions, startSite } from '../support/site.ts';

const open: Site[] = [];
afterEach(async () => {
  for (const site of open.splice(0)) await site.close();
});

const token = 'a-token-of-the-operator';

function counted() {
  let renders = 0;
  return page({
    cache: { sharedMaxAgeMs: 30_000, ttlMs: 10_000, staleWhileRevalidateMs: 50_000 },
    load: ({ dependsOn }) => {
      dependsOn('users#17', 'posts.title=a "b", c\\d', 'posts@rows');
      renders += 1;
      return renders;
    },
    view: (count) => `render ${count}`,
  });
}

async function site(options: SiteOptions = {}) {
  const started = await startSite({ pages: { index: counted() }, ...options });
  open.push(started);
  const get = async (headers: Record<string, string> = {}) => {
    const response = await fetch(started.origin, { headers });
    const [, render] = /render (\d+)/.exec(await response.text()) ?? [];
    return { render, headers: response.headers };
  };
  return { ...started, get };
}

const keys = 'posts.title=a%20%22b%22%2C%20c%5Cd posts@rows users#17';

test('a reload does not render anew, whoever does it without the token', async () => {
  const { get } = await site({ debugToken: token });
  await get();
  for (const headers of [
    { 'cache-control': 'no-cache' },
    { pragma: 'no-cache', 'cache-control': 'no-cache', 'x-coherent-token': 'a-token-of-the-operatos' },
    { 'cache-control': 'no-store', 'x-coherent-token': '' },
  ]) {
    const answer = await get(headers);
    expect(answer.render).toBe('1');
    expect(answer.headers.has('server-timing')).toBe(false);
    expect(answer.headers.has('surrogate-key')).toBe(false);
  }
});

test('without a configured token nobody is an operator', async () => {
  const { get } = await site();
  await get();
  expect((await get({ 'cache-control': 'no-cache', 'x-coherent-token': 'undefined' })).render).toBe('1');
});

test('an operator renders anew with no-cache, for all, and is told how an answer was made', async () => {
  const { get } = await site({ debugToken: token });
  await get();
  const held = await get({ 'x-coherent-token': token });
  expect(held.render).toBe('1');
  expect(held.headers.get('server-timing')).toMatch(/^cache;desc="hit l1", total;dur=\d+\.\d$/);
  expect(held.headers.get('surrogate-key')).toBe(keys);
  const anew = await get({ 'x-coherent-token': token, 'cache-control': 'max-age=0, no-cache' });
  expect(anew.render).toBe('2');
  expect(anew.headers.get('server-timing')).toContain('cache;desc="miss"');
  const after = await get();
  expect(after.render).toBe('2');
  expect(after.headers.has('server-timing')).toBe(false);
});

test('caches in front are told what a page was made from only where that is switched on', async () => {
  const off = await (await site()).get();
  expect(off.headers.has('surrogate-key')).toBe(false);
  const { get } = await site({ surrogateKeys: true });
  for (const { headers } of [await get(), await get(), await get()]) {
    expect(headers.get('surrogate-key')).toBe(keys);
    expect(headers.get('cache-groups')).toBe(
      '"posts.title=a%20%22b%22%2C%20c%5Cd", "posts@rows", "users#17"',
    );
    expect(headers.get('cdn-cache-control')).toBe('max-age=30, stale-while-revalidate=50');
  }
});

test('a page that depends on more than can be named is kept by no cache in front', async () => {
  const many = page({
    cache: { sharedMaxAgeMs: 30_000 },
    load: ({ dependsOn }) => dependsOn(...Array.from({ length: 2000 }, (_, id) => `users#${id}`)),
    view: () => 'many',
  });
  const { get } = await site({ surrogateKeys: true, pages: { index: many } });
  const { headers } = await get();
  expect(headers.has('surrogate-key')).toBe(false);
  expect(headers.has('cdn-cache-control')).toBe(false);
  expect(headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
});

test('a stale answer says its age, and no cache in front may keep it; a fresh one has none', async () => {
  const clock = new ManualClock();
  const { get } = await site({ clock });
  const fresh = await get();
  expect(fresh.headers.has('age')).toBe(false);
  expect(fresh.headers.get('cache-control')).toContain('s-maxage=30');
  clock.advance(12_300);
  const stale = await get();
  expect(stale.render).toBe('1');
  expect(stale.headers.get('age')).toBe('12');
  expect(stale.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
  expect(stale.headers.has('cdn-cache-control')).toBe(false);
});

// nginx and CDNs keep an answer under the address and what Vary names. Neither header is named there.
test('what a header chose that is in no Vary is kept by no cache', async () => {
  const { get, origin } = await site({ debugToken: token });
  await get();
  const plain = await get();
  expect(plain.headers.get('cache-control')).toContain('s-maxage');
  const asked: Record<string, string>[] = [
    { 'x-no-compression': '1' },
    { 'x-no-compression': '' },
    { 'x-coherent-token': token },
  ];
  for (const headers of asked) {
    const answer = await get(headers);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.has('cdn-cache-control')).toBe(false);
    const etag = answer.headers.get('etag') ?? '';
    const again = await fetch(origin, {
      headers: { ...headers, 'if-none-match': etag, 'cache-control': 'max-age=0' },
    });
    expect([again.status, again.headers.get('cache-control')]).toEqual([304, 'no-store']);
  }
  expect((await get({ 'x-coherent-token': 'guessed' })).headers.get('cache-control')).toContain('s-maxage');
});
