import { describe, expect, test } from 'vitest';
import { page } from '../../src/index.ts';
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
