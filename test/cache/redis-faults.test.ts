// L2 when Redis is down, hung, slow, flushed, full, or no Redis at all: right bytes or a render, nothing hangs, and a
// counter shows it.
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connected, type Host, l2, openHost, pageFill, wait } from '../support/host.ts';
import { freePort, type TestRedis, testRedis, until } from '../support/redis.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

let redis: TestRedis;
let proxy: TcpProxy;
let box: Host;

beforeEach(async () => {
  redis = await testRedis();
  proxy = await TcpProxy.to({ path: `${redis.folder}/redis.sock` });
  // Patient, for a busy machine is not a fault; the tests of hung ones open an impatient host of their own.
  box = await openHost({ redisUrl: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 5000 });
  await connected(box);
});
afterEach(async () => {
  await box[Symbol.asyncDispose]();
  await proxy.close();
  await redis.close();
});

const pages = () => box.caches.pages;
const breaker = () => l2(box.caches).store.breaker;

/** The host anew, with the timeout that servers have. */
async function impatient(): Promise<void> {
  await box[Symbol.asyncDispose]();
  box = await openHost({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  await connected(box);
  await until(() => breaker() === 'closed');
}

/** Commands that failed: each may have cost its request the timeout. */
const failures = () => Number(l2(box.caches).store.redisErrors);

/** So many requests for cold keys, one after another. */
async function requests(prefix: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { value } = await pages().fetch(`${prefix}${index}`, wait, pageFill(`${prefix}${index}`));
    expect(value.identity.toString()).toBe(`${prefix}${index}`);
  }
}

describe('a Redis that is well', () => {
  it('serves another host what this one rendered, and not what was purged since', async () => {
    await using other = await openHost({ redisUrl: redis.url });
    await connected(other);
    await requests('a', 3);
    await pages().flushed();
    const found = await other.caches.pages.fetch('a1', wait, async () => expect.fail('rendered twice'));
    expect(found).toMatchObject({ result: 'hit', tier: 'l2', value: { tag: 'a1' } });
    other.purges.apply(1, ['users#1'], 'purge');
    const missed = await other.caches.pages.fetch('a2', wait, pageFill('new'));
    expect(missed).toMatchObject({ result: 'miss', value: { tag: 'new' } });
    expect(l2(other.caches).purged).toBeGreaterThan(0);
  });

  /** The commands that it is sent meanwhile. */
  async function commandsOf(work: () => Promise<void>): Promise<string[]> {
    const seen: string[] = [];
    const monitor = await redis.admin.monitor();
    monitor.on('monitor', (_time: string, args: string[]) => seen.push(String(args[0]).toLowerCase()));
    await work();
    await redis.admin.echo('end');
    await until(() => seen.includes('echo'));
    monitor.disconnect();
    return seen.filter((name) => name !== 'echo');
  }

  it('costs one round trip a read', async () => {
    await requests('a', 1);
    await pages().flushed();
    pages().evict('a0');
    const seen = await commandsOf(async () => {
      await pages().fetch('a0', wait, async () => expect.fail('rendered'));
    });
    expect(seen).toEqual(['pttl', 'get']);
  });

  it('is asked nothing for what is in memory', async () => {
    await requests('a', 1);
    await pages().flushed();
    const seen = await commandsOf(async () => {
      for (let times = 0; times < 100; times++) {
        const { tier } = await pages().fetch('a0', wait, async () => expect.fail('rendered'));
        expect(tier).toBe('l1');
      }
    });
    expect(seen).toEqual([]);
  });

  it('gets a time to live with every key, and keys of one prefix only', async () => {
    await requests('a', 5);
    await pages().flushed();
    for (const key of await redis.admin.keys('*')) {
      expect(key).toMatch(/^crs:/);
      // -2: a lease that was given back meanwhile; -1 would be a key without end.
      expect(await redis.admin.pttl(key)).not.toBe(-1);
    }
  });

  it('is cleared of ours and of nothing else', async () => {
    await redis.admin.set('theirs', 'kept');
    await redis.admin.set('crs:pages-of-others', 'kept');
    const many = redis.admin.pipeline();
    for (let index = 0; index < 1200; index++) many.set(`crs:page:${index}`, 'ours', 'PX', 60_000);
    await many.exec();
    await pages().clear();
    expect((await redis.admin.keys('*')).filter((key) => !key.startsWith('crs:lease'))).toEqual(
      expect.arrayContaining(['theirs', 'crs:pages-of-others']),
    );
    expect(await redis.admin.keys('crs:page:*')).toEqual([]);
  });
});

describe('a Redis that is ill', () => {
  it('down: requests go on at once, and L2 is back by itself', async () => {
    await impatient();
    proxy.refuse();
    const before = failures();
    await requests('down', 50);
    expect(failures() - before).toBeLessThanOrEqual(3);
    proxy.refuse(false);
    await until(() => breaker() === 'closed');
    await connected(box);
  });

  it('hung: one request pays the timeout, the next ones nothing', async () => {
    await impatient();
    const pid = await redis.pid();
    process.kill(pid, 'SIGSTOP');
    try {
      const before = failures();
      await requests('hung', 50);
      expect(failures() - before).toBeLessThanOrEqual(2);
      expect(breaker()).not.toBe('closed');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(() => breaker() === 'closed');
    await connected(box);
  });

  it('paused by its operator: the same', async () => {
    await impatient();
    await redis.admin.client('PAUSE', 600);
    const before = failures();
    await requests('paused', 50);
    expect(failures() - before).toBeLessThanOrEqual(2);
    await until(() => breaker() === 'closed');
    await connected(box);
  });

  it('half-open, a connection that swallows everything: the same', async () => {
    await impatient();
    proxy.silence();
    const before = failures();
    await requests('silent', 50);
    expect(failures() - before).toBeLessThanOrEqual(2);
    proxy.silence(false);
    proxy.cut();
    await until(() => breaker() === 'closed');
    await connected(box);
  });

  it('slow, but within the timeout: slower answers, right ones', async () => {
    await using patient = await openHost({
      redisUrl: `redis://127.0.0.1:${proxy.port}`,
      commandTimeoutMs: 5000,
    });
    await connected(patient);
    proxy.delay(20);
    const { pages: slow } = patient.caches;
    await slow.fetch('slow', wait, pageFill('slow'));
    await slow.flushed();
    slow.evict('slow');
    expect((await slow.fetch('slow', wait, async () => expect.fail('rendered'))).tier).toBe('l2');
  });

  it('flushed by a person: rendered again', async () => {
    await requests('a', 3);
    await pages().flushed();
    await redis.admin.flushall();
    pages().evict('a1');
    expect((await pages().fetch('a1', wait, pageFill('again'))).value.tag).toBe('again');
    expect(breaker()).toBe('closed');
  });

  it('full: what is there is served, what is new is rendered, and the counter says full', async () => {
    await requests('a', 3);
    await pages().flushed();
    await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.admin.config('SET', 'maxmemory', '1');
    await requests('full', 5);
    await pages().flushed();
    expect(l2(box.caches).store.redisFull).toBeGreaterThan(0);
    expect(breaker()).toBe('closed');
    pages().evict('a1');
    expect((await pages().fetch('a1', wait, async () => expect.fail('rendered'))).tier).toBe('l2');
  });

  it.each<[string, (bytes: Buffer) => Buffer, string]>([
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 1), 'flaw_truncated'],
    [
      'of another version',
      (bytes) => Buffer.concat([bytes.subarray(0, 3), Buffer.of(99), bytes.subarray(4)]),
      'flaw_version',
    ],
    ['with a flipped bit', (bytes) => flipped(bytes, bytes.length - 3), 'flaw_checksum'],
    ['of somebody else', () => Buffer.from('{"html":"<script>"}'), 'flaw_foreign'],
    ['of no length', () => Buffer.alloc(0), 'flaw_truncated'],
  ])('holding an entry %s: a miss, counted, removed', async (_, damage, counter) => {
    await requests('a', 1);
    await pages().flushed();
    const key = 'crs:page:a0';
    const bytes = await redis.admin.getBuffer(key);
    await redis.admin.set(key, damage(bytes ?? Buffer.alloc(0)), 'PX', 60_000);
    pages().evict('a0');
    const outcome = await pages().fetch('a0', wait, async (context) => ({
      ...(await pageFill('again')(context)),
      store: false,
    }));
    expect(outcome.value.tag).toBe('again');
    expect(l2(box.caches).store[counter]).toBe(1);
    await until(async () => (await redis.admin.exists(key)) === 0);
  });

  it('holding another page under our key: a miss', async () => {
    await requests('a', 2);
    await pages().flushed();
    await redis.admin.copy('crs:page:a0', 'crs:page:a1', 'REPLACE');
    pages().evict('a1');
    expect((await pages().fetch('a1', wait, pageFill('right'))).value.tag).toBe('right');
    expect(l2(box.caches).store.flaw_key).toBe(1);
  });
});

describe('what is no Redis', () => {
  it('answers garbage: requests go on without it', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n\0\0\0'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    {
      await using lost = await openHost({ redisUrl: `redis://127.0.0.1:${port}` });
      for (let index = 0; index < 20; index++) {
        const { value } = await lost.caches.pages.fetch(`g${index}`, wait, pageFill(`g${index}`));
        expect(value.tag).toBe(`g${index}`);
      }
      expect(l2(lost.caches).errors).toBeGreaterThan(0);
    }
    server.close();
  });

  it('is not there at all: the same', async () => {
    await using alone = await openHost({ redisUrl: `redis://127.0.0.1:${await freePort()}` });
    for (let index = 0; index < 20; index++) await alone.caches.pages.fetch(`g${index}`, wait, pageFill('x'));
    expect(Number(l2(alone.caches).store.redisErrors)).toBeLessThanOrEqual(2);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 4, at);
  return copy;
}
