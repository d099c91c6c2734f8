// Clients that break off: in the middle of a body, in the middle of a pipeline, with or without a word. Nothing is kept
// for an answer that cannot come.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { page } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, type SiteOptions, startSite } from '../support/site.ts';

const BODY = 'name=somebody';
const form = (length: number, ...more: string[]) =>
  [
    'POST /form HTTP/1.1',
    'Host: a.test',
    'Sec-Fetch-Site: same-origin',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${length}`,
    ...more,
    '',
    '',
  ].join('\r\n');
const get = (target: string, ...more: string[]) =>
  [`GET ${target} HTTP/1.1`, 'Host: a.test', ...more, '', ''].join('\r\n');

let site: Site;
let ran: unknown[];
let finish: (text: string) => void;
let started: Promise<void>;
let wasStopped: Promise<void>;
const open: RawConnection[] = [];
/** The server's ends of its connections. */
const accepted = new Set<Socket>();

async function start(options: Partial<SiteOptions> = {}): Promise<void> {
  ran = [];
  let begun: () => void = () => {};
  let stopped: () => void = () => {};
  started = new Promise((resolve) => {
    begun = resolve;
  });
  wasStopped = new Promise((resolve) => {
    stopped = resolve;
  });
  const text = new Promise<string>((resolve) => {
    finish = resolve;
  });
  site = await startSite({
    hardTimeoutMs: 600_000,
    writing: { writeScope: () => ({}) as never, visible: () => ({}) as never },
    pages: {
      index: page({ view: () => ({ h1: 'home' }) }),
      form: page({
        form: { name: z.string() },
        action: ({ form }) => void ran.push(form.name),
        view: () => ({ h1: 'form' }),
      }),
      'slow/[id]': page({
        params: { id: z.string() },
        load: ({ signal }) => {
          begun();
          signal.addEventListener('abort', () => stopped());
          return text;
        },
        view: (text) => ({ p: text }),
      }),
    },
    ...options,
  });
  accepted.clear();
  site.server.http.on('connection', (socket: Socket) => accepted.add(socket));
}

beforeEach(() => start());
afterEach(async () => {
  for (const connection of open.splice(0)) connection.close();
  await site.close();
});

function client(): RawConnection {
  const connection = new RawConnection(site.port);
  open.push(connection);
  return connection;
}

const turn = () => new Promise(setImmediate);
const nothingIsLeft = async () => {
  while (site.server.stats().open > 0 || site.server.stats().inFlight > 0) await turn();
};

/** Everything that comes after these bytes and the end of what this client sends. */
async function sentAndEnded(bytes: string): Promise<string> {
  const socket = connect(site.port, '127.0.0.1');
  socket.end(bytes);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

describe('a form whose last byte does not come', () => {
  test('is closed at once when its client has left, and its action is not run', async () => {
    expect(await sentAndEnded(form(BODY.length) + BODY.slice(1))).toBe('');
    await nothingIsLeft();
    expect(ran).toEqual([]);
  });

  test('is closed when its client has left in the middle of a chunk', async () => {
    const chunked = form(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked');
    expect(await sentAndEnded(`${chunked}5\r\nab`)).toBe('');
    await nothingIsLeft();
  });

  test('waits for the answers before it, which the client still gets', async () => {
    const answers = sentAndEnded(get('/slow/1') + form(BODY.length) + BODY.slice(1));
    const [theirs]: Socket[] = await once(site.server.http, 'connection');
    await Promise.all([started, once(theirs as Socket, 'end')]);
    finish('late');
    expect(await answers).toContain('<p>late</p>');
    await nothingIsLeft();
  });

  test('is answered with 408 when its client is silent, behind the answers before it', async () => {
    await site.close();
    await start({ limits: { headersTimeoutMs: 50, requestTimeoutMs: 50, connectionsCheckingMs: 10 } });
    const connection = client();
    const first = await connection.ask(get('/') + form(BODY.length) + BODY.slice(1));
    expect(first?.status).toBe(200);
    const second = await connection.next();
    expect(second?.status).toBe(408);
    expect(second?.headers.get('connection')).toBe('close');
    expect(second?.headers.get('content-security-policy')).toContain("default-src 'none'");
    await connection.closed();
    await nothingIsLeft();
    expect(ran).toEqual([]);
  });

  test('is answered with 400 when what comes is no chunk', async () => {
    const connection = client();
    const chunked = form(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked');
    expect((await connection.ask(`${chunked}5\r\nhello\r\nzz\r\n`))?.status).toBe(400);
    await connection.closed();
    await nothingIsLeft();
  });

  test('gives way to new connections when all places are taken', async () => {
    await site.close();
    await start({ limits: { maxConnections: 20 } });
    const stalled = Array.from({ length: 20 }, client);
    for (const connection of stalled) connection.send(form(BODY.length) + BODY.slice(1));
    while (site.server.stats().inFlight < 20) await turn();
    for (let visits = 0; visits < 30; visits++) {
      const visitor = client();
      expect((await visitor.ask(get('/')))?.status).toBe(200);
    }
  });

  test('holds up a drain for a moment, and not until its deadline', async () => {
    const clock = new ManualClock();
    await site.close();
    await start({ clock });
    const stalled = client();
    const slowly = client();
    const length = BODY.length;
    stalled.send(form(length) + BODY.slice(1));
    slowly.send(form(length) + BODY.slice(0, 3));
    while (site.server.stats().inFlight < 2) await turn();
    const drained = site.drain(600_000);
    clock.advance(100);
    slowly.send(BODY.slice(3, 6));
    const read = () => [...accepted].reduce((bytes, socket) => bytes + socket.bytesRead, 0);
    const before = read();
    while (read() === before) await turn();
    clock.advance(1000);
    expect((await stalled.next())?.status).toBe(408);
    slowly.send(BODY.slice(6));
    expect((await slowly.next())?.status).toBe(303);
    await drained;
    expect(ran).toEqual(['somebody']);
  });
});

describe('a connection that is reset with requests in a pipeline', () => {
  test('leaves nothing behind: each request is told that its visitor has gone', async () => {
    const pipelines = Array.from({ length: 20 }, () => connect(site.port, '127.0.0.1'));
    let arrived = 0;
    let closed = 0;
    site.server.http.on('request', (_request, response) => {
      arrived += 1;
      response.once('close', () => {
        closed += 1;
      });
    });
    for (const socket of pipelines) socket.write(get('/slow/1') + get('/slow/2') + get('/slow/3'));
    while (arrived < 60) await turn();
    expect(site.server.stats().inFlight).toBe(20);
    for (const socket of pipelines) socket.resetAndDestroy();
    await wasStopped;
    await nothingIsLeft();
    expect(closed).toBe(60);
  });
});

describe('a client that closes its sending side at once', () => {
  test('gets its answer, of a page that was not in memory and of one that was', async () => {
    for (let visit = 0; visit < 4; visit++) {
      const answer = await sentAndEnded(get('/'));
      expect(answer).toContain('HTTP/1.1 200 OK');
      expect(answer).toContain('<h1>home</h1>');
    }
    await nothingIsLeft();
  });

  test('gets that of a slow page, of a form and of each request in a pipeline', async () => {
    const slow = sentAndEnded(get('/slow/1') + get('/') + form(BODY.length) + BODY);
    const [theirs]: Socket[] = await once(site.server.http, 'connection');
    await Promise.all([started, once(theirs as Socket, 'end')]);
    finish('late');
    const answers = await slow;
    expect(answers).toContain('<p>late</p>');
    expect(answers).toContain('<h1>home</h1>');
    expect(answers).toContain('HTTP/1.1 303 See Other');
    expect(ran).toEqual(['somebody']);
    await nothingIsLeft();
  });

  /** Its request is heard, and so is that it sends no more. */
  async function halfClosed(request: string) {
    const clock = new ManualClock();
    await site.close();
    await start({ clock });
    const socket = connect(site.port, '127.0.0.1');
    const [theirs]: Socket[] = await once(site.server.http, 'connection');
    socket.end(request);
    await Promise.all([started, once(theirs as Socket, 'end')]);
    return { clock, socket, theirs };
  }

  test('and waits is told after a moment that its page is on its way, and then gets it', async () => {
    const { clock, socket } = await halfClosed(get('/slow/1'));
    clock.advance(250);
    const [interim] = await once(socket, 'data');
    expect(String(interim)).toBe('HTTP/1.1 102 Processing\r\n\r\n');
    finish('late');
    let answer = '';
    for await (const part of socket) answer += part;
    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(answer).toContain('<p>late</p>');
    await nothingIsLeft();
  });

  test('and has left is found out by that after half a second, and its render stops', async () => {
    const { clock, socket } = await halfClosed(get('/slow/1'));
    socket.destroy();
    await once(socket, 'close');
    clock.advance(250);
    clock.advance(250);
    await wasStopped;
    await nothingIsLeft();
  });

  test('is not told so over HTTP/1.0, which knows no interim answers', async () => {
    const { clock, socket } = await halfClosed(get('/slow/1').replace('HTTP/1.1', 'HTTP/1.0'));
    clock.advance(250);
    finish('late');
    let answer = '';
    for await (const part of socket) answer += part;
    expect(answer.startsWith('HTTP/1.1 200 OK')).toBe(true);
    await nothingIsLeft();
  });

  test('has left when nothing has moved for two seconds', async () => {
    const { clock, socket, theirs } = await halfClosed(get('/slow/1'));
    clock.advance(250);
    clock.advance(250);
    clock.advance(1499);
    expect(theirs?.destroyed).toBe(false);
    clock.advance(1);
    await wasStopped;
    socket.destroy();
    await nothingIsLeft();
  });
});

describe('a client that waits to be asked for its body', () => {
  test('is asked, and its form is taken', async () => {
    const connection = client();
    expect((await connection.ask(form(BODY.length, 'Expect: 100-continue')))?.status).toBe(100);
    expect((await connection.ask(BODY))?.status).toBe(303);
    expect(ran).toEqual(['somebody']);
    expect((await connection.ask(get('/')))?.status).toBe(200);
  });

  test.each([
    ['is too large', 413, form(100_000, 'Expect: 100-continue')],
    ['comes from another site', 403, form(9, 'Expect: 100-continue').replace('same-origin', 'cross-site')],
    ['is no form', 415, form(9, 'Expect: 100-continue').replace('x-www-form-urlencoded', 'x-tar')],
    ['is for a page without an action', 405, form(9, 'Expect: 100-continue').replace('/form', '/')],
    ['comes with another expectation', 417, form(9, 'Expect: tea')],
    ['is not wanted', 200, get('/', 'Content-Length: 9', 'Expect: 100-continue')],
  ])('is told the final answer, and not asked, when the body %s', async (_name, status, head) => {
    const connection = client();
    const answer = await connection.ask(head);
    expect(answer?.status).toBe(status);
    expect(answer?.headers.get('connection')).toBe('close');
    await connection.closed();
  });

  test('is not asked over HTTP/1.0, which knows no such answer', async () => {
    const connection = client();
    const head = form(BODY.length, 'Expect: 100-continue').replace('HTTP/1.1', 'HTTP/1.0');
    expect((await connection.ask(head + BODY))?.status).toBe(303);
  });
});

test('a body that is refused for its size is taken while the answer is on its way, so that it is not lost', async () => {
  const large = 20_000_000;
  const socket = connect(site.port, '127.0.0.1').pause();
  socket.on('error', () => {});
  socket.write(form(large));
  // It reads when all is written, as blocking clients do.
  const error = await new Promise((resolve) => socket.write(Buffer.alloc(large, 'x'), resolve));
  expect(error ?? undefined).toBeUndefined();
  let text = '';
  for await (const chunk of socket) text += chunk;
  expect(text).toContain('HTTP/1.1 413 Payload Too Large');
});

describe('more requests in one pipeline than anybody needs', () => {
  test('are refused from the hundred and first on, and the connection ends', async () => {
    const connection = client();
    connection.send(get('/slow/1') + get('/').repeat(3000));
    await started;
    finish('late');
    const statuses: (number | undefined)[] = [];
    for (let answer = await connection.next(); answer !== undefined; answer = await connection.next())
      statuses.push(answer.status);
    expect(statuses).toEqual([...Array(100).fill(200), 503]);
    await nothingIsLeft();
  });
});
