import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

const open: Site[] = [];
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  for (const site of open.splice(0)) await site.close();
});

const words = Array.from({ length: 700 }, (_, n) => `word${(n * 7919) % 1009}`).join(' ');

async function site() {
  const clock = new ManualClock();
  const started = await startSite({
    clock,
    pages: {
      index: page({
        load: ({ dependsOn }) => dependsOn('rows#1'),
        view: () => ({ p: words }),
      }),
    },
  });
  open.push(started);
  const connection = new RawConnection(started.port);
  connections.push(connection);
  const get = async (encoding: string) => {
    const response = await connection.ask(
      `GET / HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: ${encoding}\r\n\r\n`,
    );
    if (response === undefined) throw new Error('no answer');
    return response;
  };
  /** What memory holds now. */
  const held = () => started.cache.recentKeys(1).map((key) => started.cache.peek(key))[0];
  return { ...started, clock, get, held };
}

const plain = (response: { headers: ReadonlyMap<string, string>; body: Buffer }): string => {
  const encoding = response.headers.get('content-encoding');
  if (encoding === 'br') return brotliDecompressSync(response.body).toString();
  return (encoding === 'gzip' ? gunzipSync(response.body) : response.body).toString();
};

class CountingClock extends ManualClock {
  timers = 0;

  override after(delayMs: number, fire: () => void) {
    this.timers += 1;
    return super.after(delayMs, fire);
  }
}

/** Waits for what runs in the thread pool, not for time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test('who waits for a render gets it in the encoding he takes, and nothing else is compressed', async () => {
  const { get, held } = await site();
  const first = await get('br');
  expect(first.headers.get('content-encoding')).toBe('br');
  expect(plain(first)).toContain(words);
  expect(held()?.brotli).toBeDefined();
  expect(held()?.gzip).toBeUndefined();
});

test('asked for again it has what was asked for, and a second later both encodings are as small as they get, under another tag', async () => {
  const { get, held, clock } = await site();
  const first = await get('br');
  const gzipped = await get('gzip');
  expect(gzipped.headers.get('content-encoding')).toBe('gzip');
  expect(plain(gzipped)).toBe(plain(first));
  const draft = held();
  clock.advance(1000);
  await until(() => held() !== draft);
  const finished = await get('br');
  expect(finished.body.length).toBeLessThan(first.body.length);
  expect(plain(finished)).toBe(plain(first));
  expect(finished.headers.get('etag')).not.toBe(first.headers.get('etag'));
  expect(finished.headers.get('cache-status')).toContain('hit');
  // And so are those that lie prepared for the fast path.
  expect((await get('br')).body).toEqual(finished.body);
  expect(held()?.createdMs).toBe(draft?.createdMs);
});

test('a page that is purged before is not compressed well for nobody', async () => {
  const { get, held, clock, purge } = await site();
  await get('br');
  await get('br');
  purge('rows#1');
  clock.advance(1000);
  await get('br');
  const draft = held();
  expect(draft?.gzip).toBeUndefined();
  clock.advance(5000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(held()).toBe(draft);
});

test('who takes plain bytes has nothing compressed, however often he comes', async () => {
  const { get, held, clock } = await site();
  const first = await get('identity');
  await get('identity');
  clock.advance(1000);
  expect((await get('identity')).headers.get('etag')).toBe(first.headers.get('etag'));
  expect([held()?.brotli, held()?.gzip]).toEqual([undefined, undefined]);
  // The fast path knows the page by now, and leaves what is yet to be compressed to others.
  const compressed = await get('br');
  expect(compressed.headers.get('content-encoding')).toBe('br');
  expect((await get('br')).body).toEqual(compressed.body);
  expect(held()?.gzip).toBeUndefined();
});

test('many who wait for one render share one compression', async () => {
  const { pipeline, held } = await site();
  const responses = await Promise.all(
    Array.from({ length: 20 }, () =>
      pipeline.respond({
        segments: [],
        query: '',
        header: () => undefined,
        encoding: 'gzip',
        waits: () => ({ signal: new AbortController().signal }),
      }),
    ),
  );
  const entries = new Set(responses.map(({ entry }) => entry));
  expect(entries.size).toBe(1);
  expect(entries.has(held() ?? never())).toBe(true);
  expect(held()?.gzip).toBeDefined();
});

test('a page that was rendered anew while it was being compressed well is not put back', async () => {
  const { pipeline, get, held, clock } = await site();
  await get('br');
  await get('br');
  const draft = held();
  clock.advance(1000);
  const { entry } = await pipeline.respond({
    segments: [],
    query: '',
    header: () => undefined,
    encoding: 'br',
    bypass: true,
    waits: () => ({ signal: new AbortController().signal }),
  });
  expect(entry).not.toBe(draft);
  await pipeline.close();
  expect(held()).toBe(entry);
});

function never(): never {
  throw new Error('Memory holds nothing.');
}

test('no more than a thousand pages wait to be compressed well; what comes beyond waits when it is next asked for', async () => {
  const clock = new CountingClock();
  const many = await startSite({
    clock,
    cacheBytes: 200e6,
    pages: { '[id]': page({ params: { id: z.string() }, view: () => ({ p: words }) }) },
  });
  open.push(many);
  const visit = async (id: number) =>
    many.pipeline.respond({
      segments: [String(id)],
      query: '',
      header: () => undefined,
      encoding: 'gzip',
      waits: () => ({ signal: new AbortController().signal }),
    });
  for (let id = 0; id <= 1000; id++) await visit(id);
  clock.timers = 0;
  for (let id = 0; id <= 1000; id++) await visit(id);
  expect(clock.timers).toBe(1000);
  await many.pipeline.close();
});
