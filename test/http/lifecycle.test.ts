import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawConnection } from '../support/raw-http.ts';
import { startSite } from '../support/site.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const home = page({ view: () => ({ h1: 'home' }) });

describe('a server that drains', () => {
  test('finishes what is in flight, tells each connection that this was the last answer, and takes no more', async () => {
    let finish: (text: string) => void = () => {};
    let started: () => void = () => {};
    const hasStarted = new Promise<void>((resolve) => {
      started = resolve;
    });
    const slow = page({
      load: () => {
        started();
        return new Promise<string>((resolve) => {
          finish = resolve;
        });
      },
      view: (text) => ({ p: text }),
    });
    const site = await startSite({ pages: { index: slow } });
    const busy = new RawConnection(site.port);
    const idle = new RawConnection(site.port);
    await idle.ask('GET /nowhere HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const silent = new RawConnection(site.port);
    busy.send(GET);
    await hasStarted;
    const drained = site.drain(10_000);
    await idle.closed();
    const late = new RawConnection(site.port);
    await late.closed();
    finish('done');
    const response = await busy.next();
    expect(response?.body.toString()).toContain('<p>done</p>');
    expect(response?.headers.get('connection')).toBe('close');
    await Promise.all([busy.closed(), silent.closed(), drained]);
  });

  test('cuts off at the deadline, and the render is told to stop', async () => {
    let stopped: () => void = () => {};
    const wasStopped = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    let started: () => void = () => {};
    const hasStarted = new Promise<void>((resolve) => {
      started = resolve;
    });
    const endless = page({
      load: ({ signal }) => {
        signal.addEventListener('abort', () => stopped());
        started();
        return new Promise<string>(() => {});
      },
      view: () => 'never',
    });
    const site = await startSite({ pages: { index: endless } });
    const connection = new RawConnection(site.port);
    connection.send(GET);
    await hasStarted;
    await Promise.all([site.drain(20), wasStopped, connection.closed()]);
  });
});

/** More than the two operating systems' buffers of a connection take, so part of it waits in the server. */
const BIG_BYTES = 20_000_000;

describe.each([
  ['the ordinary path', 0],
  // Rendered, found in memory and learned.
  ['the fast path', 2],
] as const)(
  'a server that drains while a slow reader takes a finished answer of %s',
  (path, visitsBefore) => {
    /** The reader takes nothing of its answer yet; the server has finished it and holds bytes of it. */
    async function answered() {
      const clock = new ManualClock();
      const pages = { index: page({ view: () => ({ p: 'x'.repeat(BIG_BYTES) }) }) };
      const site = await startSite({ pages, clock, cacheBytes: 400e6 });
      const headers = { 'accept-encoding': 'identity', connection: 'close' };
      for (let visit = 0; visit < visitsBefore; visit++) await (await fetch(site.origin, { headers })).text();
      const accepted = once(site.server.http, 'connection');
      const reader = connect(site.port, '127.0.0.1').pause();
      const [theirs]: Socket[] = await accepted;
      reader.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\n\r\n`);
      while (theirs?.writableLength === 0) await new Promise(setImmediate);
      expect(site.hits.stats().answers).toBe(path === 'the fast path' ? 1 : 0);
      return { site, clock, reader };
    }

    test('sends all of it, and ends the connection after it', async () => {
      const { site, clock, reader } = await answered();
      const drained = site.drain(60_000);
      clock.advance(1000);
      let got = 0;
      for await (const chunk of reader) got += chunk.length;
      expect(got).toBeGreaterThan(BIG_BYTES);
      await drained;
    });

    test('cuts it off at the deadline', async () => {
      const { site, clock, reader } = await answered();
      const drained = site.drain(2000);
      clock.advance(2000);
      let got = 0;
      reader.on('data', (chunk) => {
        got += chunk.length;
      });
      reader.on('error', () => {});
      reader.resume();
      await Promise.all([once(reader, 'close'), drained]);
      expect(got).toBeLessThan(BIG_BYTES);
    });
  },
);

test('a request that does not end is ended', async () => {
  const site = await startSite({
    pages: { index: home },
    limits: { headersTimeoutMs: 50, requestTimeoutMs: 50, connectionsCheckingMs: 20 },
  });
  const connection = new RawConnection(site.port);
  connection.send('GET / HTTP/1.1\r\nHost: a.te');
  expect((await connection.next())?.status).toBe(408);
  await connection.closed();
  await site.close();
});
