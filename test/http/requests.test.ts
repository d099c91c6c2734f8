// What a request is called, and what the log says of it.
import { afterEach, describe, expect, test } from 'vitest';
import { page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawConnection } from '../support/raw-http.ts';
import { until } from '../support/redis.ts';
import { type Site, type SiteOptions, startSite } from '../support/site.ts';

const open: Site[] = [];
afterEach(async () => {
  for (const site of open.splice(0)) await site.close();
});

const SECRET = 'a-secret-of-the-visitor';

const pages = {
  index: page({ view: () => 'hello' }),
  never: page({ cache: { ttlMs: 0 }, view: () => 'new' }),
  broken: page({
    load: () => {
      throw new Error('no luck');
    },
    view: () => 'never seen',
  }),
};

async function site(
  mode: 'off' | 'errors' | 'sampled' | 'all',
  {
    share = 0,
    random = () => 0.5,
    ...options
  }: Partial<SiteOptions> & { share?: number; random?: () => number } = {},
) {
  const started = await startSite({ pages, accessLog: { mode, share, random }, ...options });
  open.push(started);
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(new URL(path, started.origin), { headers });
    return { response, text: await response.text(), id: response.headers.get('x-request-id') };
  };
  const lines = () =>
    started.log.lines.filter(({ message }) => message === 'request').map(({ fields }) => fields);
  return { ...started, get, lines };
}

describe('the id of a request', () => {
  test('goes out with what was made for this request, and with nothing that lies in memory', async () => {
    const { get } = await site('off');
    const made = await get('/');
    expect(made.id).toMatch(/^id\d+$/);
    for (const again of [await get('/'), await get('/'), await get('/?x=1')]) {
      expect(again.response.headers.get('cache-status')).toContain('hit');
      expect(again.id).toBeNull();
    }
    expect((await get('/never')).id).not.toBe((await get('/never')).id);
    expect((await get('/nowhere')).id).toMatch(/^id\d+$/);
    expect((await get('/%')).id).toMatch(/^id\d+$/);
  });

  test('is what the visitor is shown of a failure, and what stands in its line and in that of the request', async () => {
    const { get, log, lines } = await site('errors');
    const { id, text, response } = await get('/broken');
    expect(response.status).toBe(500);
    expect(text).toContain(`reference <code>${id}</code>`);
    const failure = log.lines.find(({ message }) => message === 'a page failed');
    expect(failure?.fields.id).toBe(id);
    await until(() => lines().length === 1);
    expect(lines()[0]).toMatchObject({ requestId: id, 'http.route': '/broken', cache: 'error' });
  });

  test('is that of an action that failed, too: on its page, in its line and in that of the request', async () => {
    const { port, log, lines } = await site('errors', {
      writing: { writeScope: () => ({}) as never, visible: () => ({}) as never },
      pages: {
        index: page({
          action: () => {
            throw new Error('no luck');
          },
          view: () => 'form',
        }),
      },
    });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: same-origin\r\n';
    const type = 'Content-Type: application/x-www-form-urlencoded\r\n';
    const visitor = new RawConnection(port);
    const answer = await visitor.ask(`${head}${type}Content-Length: 0\r\n\r\n`);
    visitor.close();
    const id = answer?.headers.get('x-request-id');
    expect(answer?.status).toBe(500);
    expect(answer?.body.toString()).toContain(`reference <code>${id}</code>`);
    expect(log.lines.find(({ message }) => message === 'an action failed')?.fields.id).toBe(id);
    await until(() => lines().length === 1);
    expect(lines()[0]).toMatchObject({ requestId: id, 'http.route': '_action' });
    expect(lines()[0]?.errorId).toBeUndefined();
  });

  test('is taken from a trusted proxy, or is the trace that he names', async () => {
    const { get } = await site('off', { trustProxy: { trustedProxies: '127.0.0.1' } });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect((await get('/never', { 'x-request-id': 'from.the-proxy_1' })).id).toBe('from.the-proxy_1');
    expect((await get('/never', { traceparent })).id).toBe('0af7651916cd43dd8448eb211c80319c');
    expect((await get('/never', { traceparent, 'x-request-id': 'p' })).id).toBe('p');
    for (const strange of ['a b', 'x'.repeat(65), '<script>', '"', 'a;b', ''])
      expect((await get('/never', { 'x-request-id': strange })).id, strange).toMatch(/^id\d+$/);
    for (const none of [`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'nonsense'])
      expect((await get('/never', { traceparent: none })).id, none).toMatch(/^id\d+$/);
  });

  test('is never taken from anybody else', async () => {
    for (const trustProxy of [{}, { trustedProxies: '10.0.0.0/8' }]) {
      const { get } = await site('off', { trustProxy });
      expect((await get('/never', { 'x-request-id': 'mine' })).id).toMatch(/^id\d+$/);
    }
  });

  test('is in no key: who names his request is answered from memory like all others', async () => {
    const { get } = await site('off', { trustProxy: { trustedProxies: '127.0.0.1' } });
    await get('/', { 'x-request-id': 'one' });
    const second = await get('/', { 'x-request-id': 'two' });
    expect(second.response.headers.get('cache-status')).toContain('hit');
    expect(second.id).toBeNull();
  });
});

describe('the access log', () => {
  test('with `all` has a line for each answer, of the fast path and of the ordinary path', async () => {
    const { get, lines, hits } = await site('all');
    for (let at = 0; at < 4; at++) await get('/');
    await get('/nowhere');
    await get('/%');
    await until(() => lines().length === 6);
    expect(hits.stats().answers).toBeGreaterThan(0);
    expect(
      lines().map((line) => [line['http.route'], line['http.response.status_code'], line.cache]),
    ).toEqual([
      ['/', 200, 'miss'],
      ['/', 200, 'hit l1'],
      ['/', 200, 'hit l1'],
      ['/', 200, 'hit l1'],
      ['_404', 404, 'miss'],
      [undefined, 400, undefined],
    ]);
    for (const line of lines()) {
      expect(line).toMatchObject({ 'http.request.method': 'GET', 'client.address': '127.0.0.1' });
      expect(line['http.response.size']).toBeGreaterThan(200);
    }
  });

  test('says nothing of queries, headers, cookies and fragments, whatever the mode and the path', async () => {
    const { get, lines, log } = await site('all');
    const headers = {
      cookie: SECRET,
      authorization: `Bearer ${SECRET}`,
      'user-agent': SECRET,
      'x-a': SECRET,
      referer: `http://h/${SECRET}`,
    };
    for (const path of ['/', '/', '/broken', '/nowhere', '/%']) await get(`${path}?token=${SECRET}`, headers);
    await until(() => lines().length === 5);
    expect(
      JSON.stringify(log.lines, (_, value) => (value instanceof Error ? String(value.stack) : value)),
    ).not.toContain(SECRET);
  });

  test('with `errors` has those that failed and those that were cut off, and no others', async () => {
    let release = () => {};
    const slow = page({
      cache: { ttlMs: 0 },
      shell: () => ({ title: 'slow' }),
      load: () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
      view: () => 'rest',
    });
    const { get, lines, port } = await site('errors', { pages: { ...pages, slow } });
    for (const path of ['/', '/', '/nowhere', '/%']) await get(path);
    await get('/broken');
    await until(() => lines().length === 1);
    expect(lines()[0]).toMatchObject({ 'http.response.status_code': 500 });
    const visitor = new RawConnection(port);
    visitor.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await visitor.began();
    visitor.close();
    await until(() => lines().length === 2);
    expect(lines()[1]).toMatchObject({ 'http.response.status_code': 200, cut: true });
    release();
  });

  test('with `sampled` has its share of hits, of which the fast path asks nothing but one comparison', async () => {
    // Every draw in the middle: with a share of a tenth, one in seven.
    const { get, lines, hits } = await site('sampled', { share: 0.1 });
    for (let at = 0; at < 31; at++) await get('/');
    const { answers } = hits.stats();
    expect(answers).toBe(29);
    await until(() => lines().length === 4);
    expect(lines().map(({ cache }) => cache)).toEqual(Array(4).fill('hit l1'));
  });

  test('with `off` has none, and a share of nothing is none', async () => {
    for (const options of [
      ['off', 1],
      ['sampled', 0],
    ] as const) {
      const { get, lines } = await site(options[0], { share: options[1] });
      for (let at = 0; at < 5; at++) await get('/');
      expect(lines()).toEqual([]);
    }
  });
});

describe('the lines about failures', () => {
  const wrong = page({
    cache: { ttlMs: 0 },
    load: () => {
      throw Object.assign(new Error(`the cursor ${SECRET} is none of ours`), { code: 'E_BAD_CURSOR' });
    },
    view: () => '',
  });

  test('have no stack and nothing of what was sent where the mistake is the client’s', async () => {
    const { get, log } = await site('off', { pages: { ...pages, wrong } });
    const { response, id } = await get('/wrong?after=x1');
    expect(response.status).toBe(400);
    const [line] = log.lines.filter(({ message }) => message === 'a page failed');
    expect(line?.level).toBe('warn');
    expect(line?.fields).toEqual({ code: 'E_BAD_CURSOR', id, status: 400, route: '/wrong' });
  });

  test('are so many a second; the next one says how many were left out, and mistakes hide no failure', async () => {
    const clock = new ManualClock();
    const { get, log } = await site('off', { pages: { ...pages, wrong }, clock });
    const failed = () => log.lines.filter(({ message }) => message === 'a page failed');
    for (let request = 0; request < 50; request++) await get('/wrong');
    expect(failed()).toHaveLength(20);
    await get('/broken');
    expect(failed().at(-1)?.fields).toMatchObject({ status: 500, err: expect.any(Error) });
    clock.advance(1000);
    await get('/wrong');
    expect(failed()).toHaveLength(22);
    expect(failed().at(-1)?.fields).toMatchObject({ status: 400, leftOut: 30 });
  });
});
