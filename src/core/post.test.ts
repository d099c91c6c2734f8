import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { openPoster, type Poster } from './post.ts';

const open: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

async function serverThat(answers: RequestListener): Promise<string> {
  const server: Server = createServer(answers).listen(0, '127.0.0.1');
  open.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`;
}

function poster(timeoutMs = 5000): Poster {
  const opened = openPoster({ timeoutMs, clock: systemClock });
  open.push(() => opened.close());
  return opened;
}

const never = new AbortController().signal;
const hello = (url: string) => ({ url, headers: { 'content-type': 'text/plain' }, body: 'hello' });

describe('a post', () => {
  it('is delivered once the other side says so', async () => {
    let received = '';
    const url = await serverThat(async (request, response) => {
      for await (const chunk of request) received += chunk;
      response.writeHead(204).end();
    });
    expect(await poster().post(hello(url), never)).toEqual({ outcome: 'delivered', status: 204 });
    expect(received).toBe('hello');
  });

  it.each([
    [500, {}, { outcome: 'failed', why: 'answered 500', afterMs: undefined }],
    [429, { 'retry-after': '7' }, { outcome: 'failed', why: 'answered 429', afterMs: 7000 }],
    [503, { 'retry-after': 'soon' }, { outcome: 'failed', why: 'answered 503', afterMs: undefined }],
    [404, {}, { outcome: 'refused', why: 'answered 404' }],
    [302, { location: '/elsewhere' }, { outcome: 'refused', why: 'answered 302' }],
  ])('that is answered %i with %o', async (status, headers, outcome) => {
    let asked = 0;
    const url = await serverThat((_, response) => {
      asked += 1;
      response.writeHead(status, headers).end();
    });
    expect(await poster().post(hello(url), never)).toEqual(outcome);
    expect(asked).toBe(1);
  });

  it('understands a Retry-After that is a date', async () => {
    const url = await serverThat((_, response) =>
      response.writeHead(429, { 'retry-after': new Date(1_700_000_060_000).toUTCString() }).end(),
    );
    const dated = openPoster({ timeoutMs: 5000, clock: { now: () => 1_700_000_000_000 } });
    open.push(() => dated.close());
    expect(await dated.post(hello(url), never)).toMatchObject({ afterMs: 60_000 });
  });

  it('ends in time where nothing is ever answered', async () => {
    const url = await serverThat(() => {});
    expect(await poster(150).post(hello(url), never)).toMatchObject({ outcome: 'failed' });
  });

  it('ends in time where headers come and the body never ends', async () => {
    const url = await serverThat((_, response) => response.writeHead(200).write('x'));
    expect(await poster(150).post(hello(url), never)).toMatchObject({ outcome: 'delivered' });
  });

  it('ends in time where a byte comes now and then, for ever', async () => {
    const url = await serverThat((_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    });
    expect(await poster(150).post(hello(url), never)).toMatchObject({ outcome: 'delivered' });
  });

  it('reads no more than a little of an answer without end', async () => {
    let written = 0;
    let closed = false;
    const url = await serverThat((_, response) => {
      response.writeHead(200);
      const block = Buffer.alloc(65_536);
      const fill = () => {
        while (!response.destroyed && response.write(block)) written += block.length;
      };
      response.on('drain', fill).on('close', () => {
        closed = true;
      });
      fill();
    });
    expect(await poster(20_000).post(hello(url), never)).toMatchObject({ outcome: 'delivered' });
    await expect.poll(() => closed).toBe(true);
    expect(written).toBeLessThan(16_000_000);
  });

  it('reads no more than a little of headers without end', async () => {
    const sockets: Socket[] = [];
    const server = createSocketServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n');
      const flood = () => {
        while (!socket.destroyed && socket.write(`x-flood: ${'y'.repeat(4000)}\r\n`));
      };
      socket.on('drain', flood);
      flood();
    }).listen(0, '127.0.0.1');
    open.push(
      () => {
        for (const socket of sockets) socket.destroy();
      },
      () => server.close(),
    );
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(await poster().post(hello(url), never)).toMatchObject({
      outcome: 'failed',
      why: 'UND_ERR_HEADERS_OVERFLOW',
    });
  });

  it('says why without the address where nobody listens', async () => {
    const answer = await poster().post(hello('http://127.0.0.1:1/secret-path'), never);
    expect(answer).toEqual({ outcome: 'failed', why: 'ECONNREFUSED', afterMs: undefined });
  });

  it('ends at once when it is stopped', async () => {
    const stop = new AbortController();
    const url = await serverThat(() => stop.abort());
    expect(await poster(60_000).post(hello(url), stop.signal)).toMatchObject({ outcome: 'failed' });
  });
});
