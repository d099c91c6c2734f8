import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { PageEntry } from '../../cache/entry.ts';
import { EncodingChoice } from '../response/negotiate.ts';
import { HitPath } from './fast-path.ts';

const HOST = 'example.com';

let clock: ManualClock;
let cached: Map<string, PageEntry>;
let hits: HitPath;
let server: Server;
let clients: Socket[];
/** What the ordinary path does; it marks its answers. */
let ordinary: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  clock = new ManualClock(Date.UTC(2026, 10, 22, 13));
  cached = new Map();
  clients = [];
  hits = new HitPath({
    cache: { peek: (key) => cached.get(key) },
    clock,
    encodings: new EncodingChoice(),
    maxBytes: 2 ** 22,
  });
  ordinary = (_, response) => response.end('ordinary');
  server = createServer((request, response) => ordinary(request, response));
  hits.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

function entry(body: string | Buffer, change: Partial<PageEntry> = {}): PageEntry {
  const untilMs = clock.now() + 60_000;
  return {
    status: 200,
    headers: [['content-type', 'text/html; charset=utf-8']],
    identity: Buffer.from(body),
    gzip: Buffer.from('gzipped'),
    brotli: undefined,
    tag: 'tag',
    keys: [],
    stamp: { epoch: 'e', seq: 0 },
    createdMs: clock.now(),
    freshUntilMs: untilMs,
    staleUntilMs: untilMs,
    errorUntilMs: untilMs,
    ...change,
  };
}

function remember(target: string, body: string | Buffer, change: Partial<PageEntry> = {}): PageEntry {
  const page = entry(body, change);
  cached.set(target, page);
  hits.learn({ target, host: HOST, key: target, entry: page, tier: 'l1', vary: [] });
  return page;
}

function get(target: string, ...headers: string[]): string {
  return [`GET ${target} HTTP/1.1`, `Host: ${HOST}`, ...headers, '', ''].join('\r\n');
}

function client(): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  clients.push(socket);
  return socket;
}

/** Sends, and gives back everything until the server closes. */
async function exchange(...requests: string[]): Promise<string> {
  const socket = client();
  socket.write(requests.join(''));
  return allOf(socket);
}

async function allOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** Reads until what has come satisfies the condition. */
async function until(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  let text = '';
  while (!enough(text)) {
    const [chunk] = await once(socket, 'data');
    text += chunk.toString('latin1');
  }
  return text;
}

/** At least so many bytes, cut there. */
async function firstBytes(socket: Socket, count: number): Promise<string> {
  const chunks: Buffer[] = [];
  for (let got = 0; got < count; ) {
    const [chunk] = await once(socket.resume(), 'data');
    chunks.push(chunk);
    got += chunk.length;
  }
  return Buffer.concat(chunks).toString('latin1', 0, count);
}

const CLOSE = 'Connection: close';
const bodiesIn = (text: string): string[] => text.split(/HTTP\/1\.1 .*?\r\n\r\n/s).slice(1);

test('a learned target is answered without the ordinary path', async () => {
  remember('/a', 'page a');
  const text = await exchange(get('/a'), get('/unknown', CLOSE));
  expect(bodiesIn(text)[0]).toBe('page a');
  expect(bodiesIn(text)[1]).toContain('ordinary');
  expect(hits.stats()).toMatchObject({ answers: 1, notModified: 0, targets: 1 });
});

test('an entry that the cache no longer calls fresh and valid is not sent', async () => {
  remember('/a', 'page a');
  cached.delete('/a');
  expect(await exchange(get('/a', CLOSE))).toContain('ordinary');
  expect(await exchange(get('/a'), get('/a', CLOSE))).not.toContain('page a');
  expect(hits.stats()).toMatchObject({ answers: 0, targets: 0 });
});

test('a page that was rendered again goes the ordinary way once, which learns it', async () => {
  remember('/a', 'old');
  cached.set('/a', entry('new', { tag: 'new' }));
  ordinary = (_, response) => {
    remember('/a', 'new', { tag: 'new' });
    response.end('ordinary');
  };
  const socket = client();
  socket.write(get('/a'));
  await until(socket, (text) => text.includes('ordinary'));
  socket.write(get('/a'));
  expect(await until(socket, (text) => text.endsWith('new'))).not.toContain('old');
  expect(hits.stats().answers).toBe(1);
});

test('an entry taken from another tier that gives the same bytes is sent without learning it again', async () => {
  const page = remember('/a', 'page a');
  cached.set('/a', { ...page });
  const socket = client();
  socket.write(get('/a'));
  await until(socket, (text) => text.endsWith('page a'));
  expect(hits.stats().answers).toBe(1);
});

test('a page whose encodings were made after it was learned is learned again', async () => {
  const page = remember('/a', 'page a', { gzip: undefined });
  cached.set('/a', { ...page, gzip: Buffer.from('gzipped') });
  const socket = client();
  socket.write(get('/a', 'Accept-Encoding: gzip'));
  expect(await until(socket, (text) => text.includes('ordinary'))).not.toContain('page a');
});

test.each([
  ['a page that varies by a header', { vary: ['accept-language'], tier: 'l1' }],
  ['an answer from Redis', { vary: [], tier: 'l2' }],
] as const)('%s is not learned', async (_, change) => {
  const page = entry('page a');
  cached.set('/a', page);
  hits.learn({ target: '/a', host: HOST, key: '/a', entry: page, ...change });
  expect(await exchange(get('/a', CLOSE))).toContain('ordinary');
  expect(hits.stats().targets).toBe(0);
});

test('a connection that Node would end after the answer is left to Node, whatever the header is called', async () => {
  remember('/a', 'page a');
  expect(await exchange(get('/a', 'Proxy-Connection: close'))).toContain('ordinary');
});

test('another Host, another method, a body, HTTP/1.0 and Connection: close go the ordinary way', async () => {
  remember('/a', 'page a');
  expect(await exchange(get('/a', CLOSE))).toContain('ordinary');
  expect(await exchange(`GET /a HTTP/1.1\r\nHost: other\r\n\r\n`, get('/x', CLOSE))).not.toContain('page a');
  expect(
    await exchange(`GET /a HTTP/1.0\r\nHost: ${HOST}\r\nConnection: keep-alive\r\n\r\n`, get('/x', CLOSE)),
  ).not.toContain('page a');
  ordinary = (request, response) => request.resume().on('end', () => response.end('ordinary'));
  const posted = await exchange(
    `POST /a HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 3\r\n\r\nabc`,
    get('/x', CLOSE),
  );
  expect(bodiesIn(posted).length).toBe(2);
  const withBody = await exchange(`${get('/a', 'Content-Length: 3')}abc`, get('/x', CLOSE));
  expect(bodiesIn(withBody).length).toBe(2);
  expect(hits.stats().answers).toBe(0);
});

test('encodings, HEAD and If-None-Match are answered from the same entry', async () => {
  remember('/a', 'page a');
  const socket = client();
  socket.write(get('/a', 'Accept-Encoding: gzip, deflate, br'));
  expect(await until(socket, (text) => text.endsWith('gzipped'))).toMatch(
    /content-encoding: gzip\r\n.*etag: "tag-gz"/s,
  );
  socket.write(get('/a', 'Accept-Encoding: gzip', 'If-None-Match: "tag-gz"'));
  expect(await until(socket, (text) => text.endsWith('\r\n\r\n'))).toMatch(
    /^HTTP\/1\.1 304 Not Modified\r\n/,
  );
  socket.write(get('/a', 'If-None-Match: "tag-gz"'));
  expect(await until(socket, (text) => text.endsWith('page a'))).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  socket.write(get('/a').replace('GET', 'HEAD'));
  expect(await until(socket, (text) => text.endsWith('\r\n\r\n'))).toContain('content-length: 6\r\n');
  expect(hits.stats()).toMatchObject({ answers: 4, notModified: 1 });
});

test('pipelined answers keep their order, whichever way each of them goes', async () => {
  for (let index = 0; index < 50; index++) remember(`/hit/${index}`, `hit ${index};`);
  const sent: string[] = [];
  const expected: string[] = [];
  for (let index = 0; index < 50; index++) {
    sent.push(get(`/hit/${index}`));
    expected.push(`hit ${index};`);
    if (index % 7 !== 3) continue;
    sent.push(get(`/slow/${index}`, 'Connection: keep-alive'));
    expected.push(`slow /slow/${index};`);
  }
  ordinary = (request, response) => {
    const name = request.url ?? '';
    const body = name.startsWith('/hit/') ? `hit ${name.slice(5)};` : name === '/x' ? 'end' : `slow ${name};`;
    setImmediate(() => response.writeHead(200, { 'content-length': body.length }).end(body));
  };
  const bodies = bodiesIn(await exchange(...sent, get('/x', CLOSE)));
  expect(bodies).toEqual([...expected, 'end']);
  expect(hits.stats().answers).toBeGreaterThanOrEqual(4);
});

test('a reader who does not read is not sent more than the socket wants, and gets every byte in the end', async () => {
  const body = Buffer.alloc(300_000, 'abcdefghij');
  remember('/large', body);
  ordinary = (_, response) => response.writeHead(200, { 'content-length': body.length }).end(body);
  const arrived = once(server, 'connection');
  const socket = client();
  const [served] = (await arrived) as [Socket];
  socket.pause();
  const count = 200;
  socket.write(get('/large').repeat(count));
  // All that was read of the requests before the socket was full has been answered when the loop comes round.
  while (!served.isPaused()) await new Promise(setImmediate);
  expect(hits.stats().answers).toBeLessThan(count);
  expect(served.writableLength).toBeLessThan(5 * body.length);
  socket.write(get('/x', CLOSE));
  const all = await allOf(socket);
  expect(bodiesIn(all).length).toBe(count + 1);
  expect(all.length - count * body.length).toBeLessThan(count * 1000 + body.length + 1000);
});

test('what a slow reader still gets is not changed by the clock', async () => {
  remember('/a', Buffer.alloc(1000, 'x'));
  const arrived = once(server, 'connection');
  const slow = client();
  const [served] = (await arrived) as [Socket];
  slow.pause();
  // Until whole answers, heads included, wait in this process.
  while (served.writableLength < 4000) {
    slow.write(get('/a').repeat(5));
    await new Promise(setImmediate);
  }
  const before = hits.stats().answers;
  clock.advance(5000);
  const other = client();
  other.write(get('/a'));
  expect(await until(other, (text) => text.includes('\r\n\r\n'))).toContain('13:00:05 GMT');
  const text = await firstBytes(slow, hits.stats().bytes * (before / hits.stats().answers) - 2000);
  expect(text).not.toContain('13:00:05 GMT');
});

test('a client that leaves in the middle of a body disturbs nobody', async () => {
  remember('/large', Buffer.alloc(5_000_000, 'x'));
  remember('/a', 'page a');
  for (let index = 0; index < 20; index++) {
    const arrived = once(server, 'connection');
    const socket = client();
    const [served] = (await arrived) as [Socket];
    socket.write(get('/large'));
    await once(socket, 'data');
    socket.resetAndDestroy();
    await new Promise((resolve) => served.once('close', resolve));
  }
  const socket = client();
  socket.write(get('/a'));
  expect(await until(socket, (text) => text.endsWith('page a'))).toContain('200 OK');
});

test('the idle time of a connection does not cut a slow answer that follows a hit', async () => {
  remember('/a', 'page a');
  const seen: (number | undefined)[] = [];
  ordinary = (request, response) => {
    seen.push(request.socket.timeout);
    response.end('ordinary');
  };
  const arrived = once(server, 'connection');
  const socket = client();
  const [served] = (await arrived) as [Socket];
  for (const target of ['/a', '/x', '/a', '/x']) {
    socket.write(get(target));
    await once(socket, 'data');
    if (target === '/a') expect(served.timeout).toBe(server.keepAliveTimeout + 1000);
    expect(served).toMatchObject({ parser: { incoming: null } });
  }
  expect(seen).toEqual([0, 0]);
});

test('an idle connection is closed when its time is over', async () => {
  server.keepAliveTimeout = 1;
  remember('/a', 'page a');
  const socket = client();
  socket.write(get('/a'));
  await once(socket, 'data');
  await once(socket.resume(), 'close');
});

test('a draining worker says Connection: close on every answer', async () => {
  remember('/a', 'page a');
  hits.stop();
  remember('/b', 'page b');
  ordinary = (_, response) => response.writeHead(200, { connection: 'close' }).end('ordinary');
  expect(await exchange(get('/a'))).toContain('ordinary');
  expect(await exchange(get('/b'))).toContain('ordinary');
  expect(hits.stats().targets).toBe(0);
});

test('while somebody observes every request, Node sees every request', async () => {
  remember('/a', 'page a');
  const seen = (): void => {};
  subscribe('http.server.request.start', seen);
  try {
    const socket = client();
    socket.write(get('/a'));
    expect(await until(socket, (text) => text.includes('\r\n\r\n'))).not.toContain('cache-status');
  } finally {
    unsubscribe('http.server.request.start', seen);
  }
});
