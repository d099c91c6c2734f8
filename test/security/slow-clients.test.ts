// Clients that take their time: with their head, their body, their reading, and those that only hold connections.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, type SiteOptions, startSite } from '../support/site.ts';

const open: Site[] = [];
afterEach(async () => {
  for (const site of open.splice(0)) await site.close();
});

/** More than the operating system keeps for a reader who takes nothing. */
const BIG_BYTES = 20_000_000;

async function start(options: SiteOptions = {}) {
  const renders: string[] = [];
  const big = page({
    load: () => void renders.push('big'),
    view: () => ({ p: 'x'.repeat(BIG_BYTES) }),
  });
  const index = page({ view: () => ({ h1: 'home' }) });
  const site = await startSite({ pages: { big, index }, cacheBytes: 400e6, ...options });
  open.push(site);
  const visit = async (path: string) =>
    (
      await fetch(site.origin + path, { headers: { 'accept-encoding': 'identity', connection: 'close' } })
    ).text();
  /** A reader that lets its window go to zero, and the server's end of its connection. */
  const reader = async (path: string) => {
    const accepted = once(site.server.http, 'connection');
    const mine = connect(site.port, '127.0.0.1').pause();
    mine.on('error', () => {});
    const [theirs]: [Socket] = (await accepted) as [Socket];
    mine.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\n\r\n`);
    while (theirs.writableLength === 0) await new Promise(setImmediate);
    return { mine, theirs };
  };
  return { ...site, renders, visit, reader };
}

/** Of the one large write that is under way. */
function left(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return 0;
  return Number(Reflect.get(handle, 'writeQueueSize'));
}

const turn = () => new Promise(setImmediate);

describe('a visitor who takes nothing of his answer', () => {
  test.each([
    ['the ordinary path', 0],
    ['the fast path', 2],
  ] as const)('is cut off, and what waited for him is let go: %s', async (path, visitsBefore) => {
    const clock = new ManualClock();
    const { server, hits, visit, reader } = await start({ clock });
    for (let visits = 0; visits < visitsBefore; visits++) await visit('/big');
    const { theirs } = await reader('/big');
    expect(hits.stats().answers).toBe(path === 'the fast path' ? 1 : 0);
    clock.advance(29_999);
    expect(theirs.destroyed).toBe(false);
    clock.advance(10_001);
    expect(theirs.destroyed).toBe(true);
    while (server.stats().open > 0) await turn();
    expect(server.stats().slowReaders).toBe(1);
    expect(theirs.writableLength).toBe(0);
  });

  test('holds no render: twenty of them cost one, and others are answered meanwhile', async () => {
    const clock = new ManualClock();
    const { server, renders, visit, reader } = await start({ clock });
    await visit('/big');
    for (let readers = 0; readers < 20; readers++) await reader('/big');
    expect(await visit('/')).toContain('home');
    expect(await visit('/big')).toHaveLength((await visit('/big')).length);
    expect(renders).toHaveLength(1);
    while (server.stats().open > 20) await turn();
    clock.advance(40_000);
    while (server.stats().open > 0) await turn();
    expect(server.stats().slowReaders).toBe(20);
  });

  test('is waited for as long as he goes on taking, though his answer is one write', async () => {
    const clock = new ManualClock();
    const { server, reader } = await start({ clock });
    const { mine, theirs } = await reader('/big');
    let got = 0;
    let spans = 0;
    while (left(theirs) > 0) {
      const before = left(theirs);
      while (left(theirs) > Math.max(0, before - 1_000_000)) {
        got += mine.read()?.length ?? 0;
        await turn();
      }
      clock.advance(30_000);
      expect(theirs.destroyed).toBe(false);
      spans += 1;
    }
    expect(spans).toBeGreaterThan(3);
    while (got < BIG_BYTES) {
      got += mine.read()?.length ?? 0;
      await turn();
    }
    expect(server.stats().slowReaders).toBe(0);
    mine.destroy();
  });
});

describe('a client that does not finish', () => {
  const quick = { headersTimeoutMs: 100, requestTimeoutMs: 200, connectionsCheckingMs: 20 };

  test('its head is told so and closed, however often it sends another byte', async () => {
    const { port, visit } = await start({ limits: quick });
    const connection = new RawConnection(port);
    connection.send('GET / HTTP/1.1\r\nHost: a.test\r\nX: ');
    const dripping = setInterval(() => connection.send('a'), 10);
    const answer = await connection.next();
    clearInterval(dripping);
    expect(answer?.status).toBe(408);
    await connection.closed();
    expect(await visit('/')).toContain('home');
  });

  test('its body has its answer at once, and no second one when it is closed', async () => {
    const { port } = await start({ limits: quick });
    const connection = new RawConnection(port);
    connection.send('GET / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\n');
    const dripping = setInterval(() => connection.send('a'), 10);
    expect((await connection.next())?.status).toBe(200);
    expect(await connection.next()).toBeUndefined();
    clearInterval(dripping);
  });

  test('anything at all is closed, too', async () => {
    const { port } = await start({ limits: quick });
    const connection = new RawConnection(port);
    expect((await connection.next())?.status).toBe(408);
    await connection.closed();
  });
});

describe('more connections than there may be', () => {
  test('cost an idle one each, and visitors are answered', async () => {
    const { port, server, visit } = await start({ limits: { maxConnections: 50 } });
    const idle = Array.from({ length: 120 }, () => new RawConnection(port));
    while (server.stats().refused < 70) await turn();
    expect(server.stats().open).toBeLessThanOrEqual(50);
    for (let visits = 0; visits < 10; visits++) expect(await visit('/')).toContain('home');
    for (const connection of idle) connection.close();
  });

  test('never cost one that waits for its answer: the new one goes', async () => {
    let finish: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const slow = page({ load: () => finished, view: () => 'done' });
    const { port, server } = await start({ pages: { slow }, limits: { maxConnections: 20 } });
    const busy = Array.from({ length: 20 }, () => new RawConnection(port));
    let arrived = 0;
    server.http.on('request', () => {
      arrived += 1;
    });
    for (const connection of busy) connection.send('GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n');
    while (arrived < 20) await turn();
    const late = new RawConnection(port);
    await late.closed();
    finish();
    for (const connection of busy) expect((await connection.next())?.body.toString()).toContain('done');
    for (const connection of busy) connection.close();
  });
});
