// A slow page that another worker renders: two sites that agree about who renders, and share a tier.
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { PageEntry } from '../../src/cache/entry.ts';
import { LocalFlights } from '../../src/cache/render/flights.ts';
import type { Tier } from '../../src/cache/shared/tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import { HttpUsage } from '../../src/http/observability/usage.ts';
import { fragment, layout, notFound, page } from '../../src/index.ts';
import { type Site, startSite } from '../support/site.ts';

const open: Site[] = [];
afterEach(async () => {
  for (const site of open.splice(0)) await site.close();
});

function sharedTier(): Tier<PageEntry> {
  const entries = new Map<string, PageEntry>();
  return {
    name: 'l2',
    usable: true,
    get: async (key) => entries.get(key),
    set: async (key, value) => void entries.set(key, value),
    delete: async (key) => void entries.delete(key),
    clear: async () => entries.clear(),
    stats: () => ({}),
    close: async () => {},
  };
}

/** Two workers. What `load` and the layout of each come to is for the test to say. */
async function workers(nav: (worker: number) => unknown = () => 'nav') {
  let answer: (outcome: () => unknown) => void = () => {};
  const told = new Promise<() => unknown>((resolve) => {
    answer = resolve;
  });
  const loads: number[] = [];
  const flights = new LocalFlights();
  const shared = [sharedTier()];
  const start = async (worker: number) => {
    const Nav = fragment('nav', {
      key: () => 0,
      load: () => nav(worker),
      view: (text) => ({ nav: String(text) }),
    });
    const report = page({
      params: { id: z.string() },
      shell: ({ params }) => ({ title: `Report ${params.id}` }),
      load: async () => {
        loads.push(worker);
        return (await told)();
      },
      view: (rows) => ({ p: `rows: ${String(rows)}` }),
    });
    const around = layout({ view: ({ content }) => [Nav({}), { main: { children: [content] } }] });
    const usage = new HttpUsage(systemClock);
    const pages = { _layout: around, 'reports/[id]': report };
    const site = await startSite({ pages, flights, shared, usage });
    open.push(site);
    return { site, usage, address: `${site.origin}/reports/7` };
  };
  return { one: await start(1), two: await start(2), answer, loads };
}

/** The answer up to where its first bytes end, and then the rest. */
async function begin(address: string, signal?: AbortSignal) {
  const response = await fetch(address, {
    headers: { 'accept-encoding': 'identity' },
    signal: signal ?? null,
  });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const read = async () => decoder.decode((await reader?.read())?.value, { stream: true });
  const first = await read();
  const rest = async () => {
    let text = '';
    for (let part = await read(); part !== ''; part = await read()) text += part;
    return text;
  };
  return { status: response.headers.get('cache-status'), first, rest };
}

test('its shell goes out here while it is rendered there, and its rest when it is there', async () => {
  const { one, two, answer, loads } = await workers();
  const there = await begin(one.address);
  const here = [await begin(two.address), await begin(two.address)];
  for (const { first, status } of here) {
    expect(first).toBe(there.first);
    expect(status).toBe('coherent; fwd=uri-miss; collapsed; detail=STREAMED');
  }
  expect(there.first.endsWith('<nav>nav</nav><main>')).toBe(true);
  expect(loads).toEqual([1]);
  answer(() => 3);
  const whole = there.first + (await there.rest());
  expect(whole).toContain('<main><p>rows: 3</p></main>');
  for (const { first, rest } of here) expect(first + (await rest())).toBe(whole);
  expect(loads).toEqual([1]);

  // Who waited for a render was no hit; who comes now is.
  const cached = await fetch(two.address);
  expect(cached.headers.get('cache-status')).toMatch(/^coherent; hit; ttl=\d+; detail=L1$/);
  expect(two.usage.stats().cache).toEqual([
    { route: '/reports/[id]', tier: 'none', result: 'miss', requests: 2, collapsed: 2 },
    { route: '/reports/[id]', tier: 'l1', result: 'hit', requests: 1, collapsed: 0 },
  ]);
});

test('where it is not streamed it is no hit either for who waited for the other worker', async () => {
  const { one, two, answer } = await workers();
  const there = await begin(one.address);
  const whole = fetch(two.address, { headers: { 'if-none-match': '"none"' } });
  // It waits as well, and came later.
  const here = await begin(two.address);
  answer(() => 3);
  expect((await whole).headers.get('cache-status')).toBe('coherent; fwd=uri-miss; stored; collapsed');
  expect(await here.rest()).toBe(await there.rest());
});

test('a shell that turns out to be another is not glued to the page: the visitor is sent to the page', async () => {
  const { one, two, answer } = await workers((worker) => `nav ${worker}`);
  const there = await begin(one.address);
  const here = await begin(two.address);
  expect(here.first).toContain('nav 2');
  answer(() => 3);
  expect(await there.rest()).toContain('rows: 3');
  const rest = await here.rest();
  expect(rest).toContain('<meta http-equiv="refresh" content="0">');
  expect(rest).not.toContain('rows');
  expect(await (await fetch(two.address)).text()).toContain('rows: 3');
});

test('a layout that is not ready in time keeps nothing up: the page comes as it is', async () => {
  let isAsked: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const { one, two, answer } = await workers((worker) => {
    if (worker === 1) return 'nav';
    isAsked();
    return new Promise(() => {});
  });
  const there = await begin(one.address);
  const here = fetch(two.address);
  await asked;
  answer(() => 3);
  const response = await here;
  expect(response.headers.has('content-length')).toBe(true);
  expect(await response.text()).toBe(there.first + (await there.rest()));
});

test('what the other worker finds missing is told in the page here, too', async () => {
  const { one, two, answer } = await workers();
  await begin(one.address);
  const here = await begin(two.address);
  answer(() => notFound());
  expect(await here.rest()).toContain(
    '<main><meta name="robots" content="noindex"><h1>Not found</h1>'.slice(6),
  );
});

test('a visitor of the other worker who leaves costs those here nothing: the page is rendered here', async () => {
  const { one, two, answer, loads } = await workers();
  const leaving = new AbortController();
  await begin(one.address, leaving.signal);
  const here = await begin(two.address);
  leaving.abort();
  while (loads.length < 2) await new Promise((resolve) => setImmediate(resolve));
  answer(() => 3);
  expect(here.first + (await here.rest())).toContain('<nav>nav</nav><main><p>rows: 3</p></main>');
  expect(loads).toEqual([1, 2]);
});
