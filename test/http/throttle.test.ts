// What is sent too often: refused by address before it is read, by account before it is run; for all hosts together.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { connectForCommands } from '../../src/cache/redis/redis-connect.ts';
import { parseRedisUrl } from '../../src/core/redis-url.ts';
import { invalid, page } from '../../src/index.ts';
import { memoryCounter, redisCounter } from '../../src/visitor/throttle/counters.ts';
import { Throttle } from '../../src/visitor/throttle/throttle.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { testRedis } from '../support/redis.ts';
import { noWriting, type Site, startSite } from '../support/site.ts';

let runs = 0;
const login = page({
  form: { email: z.string().toLowerCase() },
  throttle: {
    address: { max: 5, withinMs: 60_000 },
    account: { max: 3, withinMs: 600_000, of: ({ form }) => form.email },
  },
  action: () => {
    runs++;
    return invalid({ email: 'Wrong.' });
  },
  view: () => ({ h1: 'Sign in' }),
});

let site: Site;
beforeEach(async () => {
  runs = 0;
  site = await startSite({
    pages: { index: login },
    trustProxy: { trustedProxies: '127.0.0.1' },
    throttle: new Throttle(memoryCounter(), new ManualClock()),
    writing: noWriting,
  });
});
afterEach(() => site.close());

const send = (email: string, from: string, headers: Record<string, string> = {}) =>
  fetch(site.origin, {
    method: 'POST',
    headers: { origin: site.origin, 'x-forwarded-for': from, ...headers },
    body: new URLSearchParams({ email }),
  });

it('from one address 500 at once run five times, and another address notices nothing', async () => {
  const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => send(`a${n}@x`, '10.0.0.1')));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 422)).toHaveLength(5);
  expect(statuses.filter((status) => status === 429)).toHaveLength(495);
  expect(runs).toBe(5);
  const refused = answers.find(({ status }) => status === 429);
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(50);
  expect(refused?.headers.get('cache-control')).toContain('no-store');
  expect(await refused?.text()).toContain('Too many attempts');
  expect((await send('b@x', '10.0.0.2')).status).toBe(422);
});

it('one IPv6 network is one address', async () => {
  for (let n = 0; n < 5; n++) await send(`a${n}@x`, `2001:db8::${n + 1}`);
  expect((await send('c@x', '2001:db8::ff:1')).status).toBe(429);
  expect((await send('c@x', '2001:db9::1')).status).toBe(422);
});

it('to one account it is refused whoever sends it, in whatever spelling the schema makes one of', async () => {
  const statuses = [];
  for (let n = 0; n < 5; n++)
    statuses.push((await send(n % 2 === 0 ? 'Ada@x' : 'ada@x', `10.0.1.${n}`)).status);
  expect(statuses).toEqual([422, 422, 422, 429, 429]);
  expect(runs).toBe(3);
  expect((await send('grace@x', '10.0.1.9')).status).toBe(422);
});

it('an address that is claimed without a trusted proxy counts for nothing', async () => {
  await site.close();
  site = await startSite({
    pages: { index: login },
    throttle: new Throttle(memoryCounter(), new ManualClock()),
    writing: noWriting,
  });
  const statuses = [];
  for (let n = 0; n < 6; n++) statuses.push((await send(`a${n}@x`, `10.0.0.${n}`)).status);
  expect(statuses).toEqual([422, 422, 422, 422, 422, 429]);
});

it('two hosts count together by Redis, each by itself while it is away, and nothing there names anybody', async () => {
  const redis = await testRedis();
  const clients = [0, 1].map(() => connectForCommands(parseRedisUrl(redis.url), 250));
  await Promise.all(clients.map((client) => new Promise((ready) => client.once('ready', ready))));
  const hosts = clients.map((client) => new Throttle(redisCounter(client, 'coherent:'), new ManualClock()));
  const rule = { max: 4, withinMs: 60_000 };
  const ask = async (n: number) =>
    (await hosts[n % 2]?.over(['/in', 'account', 'ada@x'], rule)) === undefined;
  const allowed = [];
  for (let n = 0; n < 6; n++) allowed.push(await ask(n));
  expect(allowed).toEqual([true, true, true, true, false, false]);
  const keys = await redis.admin.keys('*');
  expect(keys).toHaveLength(1);
  expect(keys[0]).toMatch(/^coherent:throttle:4\/60000:[\w-]{43}$/);
  await redis.close();
  const alone = [];
  for (let n = 0; n < 5; n++)
    alone.push((await hosts[0]?.over(['/in', 'account', 'noor@x'], rule)) === undefined);
  expect(alone).toEqual([true, true, true, true, false]);
  for (const client of clients) client.disconnect();
});
