// Every odd request: a clear 4xx or its page, never a 500, never a hang, and the next request on the same
// connection gets the right answer (or the connection is closed, where nothing after it can be trusted).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { page } from '../../src/index.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

let site: Site;
let seen: unknown[] = [];

beforeAll(async () => {
  site = await startSite({
    limits: { maxBodyBytes: 1000 },
    pages: {
      index: page({ view: () => ({ h1: 'home' }) }),
      'users/[id]': page({
        params: { id: z.coerce.number().int().positive() },
        query: {
          page: z.coerce.number().int().min(1).max(500).default(1),
          sort: z.enum(['a', 'b']).catch('a'),
          q: z.string().default(''),
        },
        load: ({ params, query }) => {
          seen.push(query);
          return { id: params.id, ...query };
        },
        view: ({ id, page, sort, q }) => ({ p: `user ${id} page ${page} sort ${sort} q ${q}` }),
      }),
      'docs/[...rest]': page({
        params: { rest: z.string() },
        load: ({ params }) => params,
        view: ({ rest }) => ({ p: rest }),
      }),
    },
  });
});
afterAll(() => site.close());

const NEXT = 'GET /users/7 HTTP/1.1\r\nHost: a.test\r\n\r\n';

interface Expected {
  readonly status: number;
  readonly location?: string;
  readonly body?: string;
  /** The server ends the connection after this. */
  readonly ends?: boolean;
}

/** Sends `request`, checks its answer, then sends a proper one on the same connection and checks that too. */
async function check(request: string | Buffer, expected: Expected, isHead = false): Promise<void> {
  const connection = new RawConnection(site.port);
  try {
    const response = await connection.ask(request, isHead);
    expect(response?.status).toBe(expected.status);
    if (expected.location !== undefined) expect(response?.headers.get('location')).toBe(expected.location);
    if (expected.body !== undefined) expect(response?.body.toString()).toContain(expected.body);
    if (expected.ends === true) {
      expect(response?.headers.get('connection')).toBe('close');
      await connection.closed();
      return;
    }
    const next = await connection.ask(NEXT);
    expect(next?.status).toBe(200);
    expect(next?.body.toString()).toContain('<p>user 7 page 1 sort a q </p>');
  } finally {
    connection.close();
  }
}

const get = (target: string, headers = 'Host: a.test\r\n') => `GET ${target} HTTP/1.1\r\n${headers}\r\n`;

describe('an odd address', () => {
  test.each<[string, Expected]>([
    ['/users/%', { status: 400 }],
    ['/users/%zz', { status: 400 }],
    ['/users/%c3%28', { status: 400 }],
    ['/users/%00', { status: 400 }],
    ['/users/1%00', { status: 400 }],
    ['/users/%0a', { status: 400 }],
    ['/users%2f7', { status: 400 }],
    ['/users/..%2f7', { status: 400 }],
    ['/users/%5c7', { status: 400 }],
    ['/users\\7', { status: 400 }],
    ['/%2e%2e/users/7', { status: 400 }],
    ['/users/7#part', { status: 400 }],
    ['//users/7', { status: 308, location: '/users/7' }],
    ['//evil.example/%2f..', { status: 400 }],
    ['//evil.example', { status: 308, location: '/evil.example' }],
    ['/users//7?page=2', { status: 308, location: '/users/7?page=2' }],
    ['/a/../users/./7', { status: 308, location: '/users/7' }],
    ['/../../../etc/passwd', { status: 308, location: '/etc/passwd' }],
    ['/users/7/', { status: 308, location: '/users/7' }],
    ['/users/7//', { status: 308, location: '/users/7' }],
    ['/users/%37', { status: 200, body: 'user 7 ' }],
    ['/docs/a/b%20c/d', { status: 200, body: '<p>a/b c/d</p>' }],
    ['/docs', { status: 404 }],
    ['/users/abc', { status: 404 }],
    ['/users/-1', { status: 404 }],
    ['/users/1.5', { status: 404 }],
    ['/users/9223372036854775808', { status: 404 }],
    ['/users/1e999', { status: 404 }],
    ['/_layout', { status: 404 }],
    ['/_404', { status: 404 }],
    ['/__proto__', { status: 404 }],
    ['/constructor', { status: 404 }],
  ])('%s', async (target, expected) => {
    await check(get(target), expected);
  });

  test('of 8000 characters is read, a longer one is not', async () => {
    await check(get(`/${'a'.repeat(7999)}`), { status: 404 });
    await check(get(`/${'a'.repeat(8000)}`), { status: 414 });
  });

  test('that is longer than all headers may be is still said to be too long', async () => {
    await check(get(`/${'a'.repeat(20_000)}`), { status: 414, ends: true });
  });

  test('with bytes that are not ASCII is refused', async () => {
    await check(Buffer.from(get('/users/\xfc'), 'latin1'), { status: 400, ends: true });
  });

  test('of no form that HTTP knows ends the connection', async () => {
    await check('GET users/7 HTTP/1.1\r\nHost: a.test\r\n\r\n', { status: 400, ends: true });
    await check('GET /users/7 with spaces HTTP/1.1\r\nHost: a.test\r\n\r\n', { status: 400, ends: true });
    await check('nonsense\r\n\r\n', { status: 400, ends: true });
  });
});

describe('an odd query', () => {
  test.each<[string, Expected]>([
    ['page=0', { status: 400, body: 'page' }],
    ['page=501', { status: 400 }],
    ['page=abc', { status: 400 }],
    ['page=1&page=2', { status: 400, body: 'more than once' }],
    ['page=1&p%61ge=2', { status: 400 }],
    ['page=%', { status: 400 }],
    ['q=%00', { status: 400 }],
    ['sort=nonsense', { status: 200, body: 'sort a' }],
    ['page=2&unknown=1&unknown=2&x=%', { status: 200, body: 'page 2' }],
    ['%=1', { status: 200 }],
    ['&&&=&page=3&', { status: 200, body: 'page 3' }],
    ['q=%3Cscript%3E', { status: 200, body: '&lt;script' }],
    ['__proto__=1&constructor=2&toString=3', { status: 200 }],
    ['page=2?page=3', { status: 400 }],
    ['a&'.repeat(999), { status: 200, body: 'page 1' }],
    ['a&'.repeat(1000), { status: 400 }],
  ])('%s', async (query, expected) => {
    await check(get(`/users/7?${query}`), expected);
  });

  test('gives the page nothing but what it declared', async () => {
    seen = [];
    await check(get('/users/12345?utm=1&__proto__=x&q=a+b%2B'), { status: 200 });
    expect(seen[0]).toEqual({ page: 1, sort: 'a', q: 'a b+' });
    expect(Object.isFrozen(seen[0])).toBe(true);
  });
});

describe('an odd head', () => {
  test.each<[string, string, Expected]>([
    ['no Host', get('/users/7', ''), { status: 400, ends: true }],
    ['two Hosts', get('/users/7', 'Host: a.test\r\nHost: b.test\r\n'), { status: 400 }],
    ['two equal Hosts', get('/users/7', 'Host: a.test\r\nhost: a.test\r\n'), { status: 400 }],
    ['a Host with a tag in it', get('/users/7', 'Host: a.com"><script>\r\n'), { status: 400 }],
    ['a Host with a path', get('/users/7', 'Host: a.com/x\r\n'), { status: 400 }],
    ['a Host with a user', get('/users/7', 'Host: me@a.com\r\n'), { status: 400 }],
    ['an empty Host', get('/users/7', 'Host:\r\n'), { status: 400 }],
    ['a Host with a port', get('/users/7', 'Host: a.test:8080\r\n'), { status: 200 }],
    ['an IPv6 Host', get('/users/7', 'Host: [::1]:8080\r\n'), { status: 200 }],
    ['an absolute form', get('http://a.test/users/7'), { status: 200, body: 'user 7' }],
    ['an absolute form in capitals', get('HTTP://A.TEST/users/7'), { status: 200, body: 'user 7' }],
    ['an absolute form without a path', get('http://a.test'), { status: 200, body: 'home' }],
    ['an absolute form of another host', get('http://evil.example/users/7'), { status: 400 }],
    ['an absolute form of another scheme', get('ftp://a.test/users/7'), { status: 400 }],
    ['an asterisk', get('*'), { status: 400 }],
    ['101 headers', get('/users/7', `Host: a.test\r\n${'a: b\r\n'.repeat(100)}`), { status: 431 }],
    ['3000 headers', get('/users/7', `Host: a.test\r\n${'a:b\r\n'.repeat(3000)}`), { status: 431 }],
    [
      '64 KB of headers',
      get('/users/7', `Host: a.test\r\nx: ${'y'.repeat(65_536)}\r\n`),
      { status: 431, ends: true },
    ],
    [
      'an upgrade',
      get('/users/7', 'Host: a.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n'),
      { status: 200, ends: true },
    ],
    [
      'an upgrade to h2c',
      get(
        '/users/7',
        'Host: a.test\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n',
      ),
      { status: 200, ends: true },
    ],
    [
      'CL and TE',
      get('/users/7', 'Host: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
      { status: 400, ends: true },
    ],
    [
      'chunks over HTTP/1.0',
      'POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      { status: 400, ends: true },
    ],
    [
      'a transfer coding that is not known',
      get('/users/7', 'Host: a.test\r\nTransfer-Encoding: gzip, chunked\r\n'),
      { status: 501, ends: true },
    ],
    ['an obsolete fold', get('/users/7', 'Host: a.test\r\nX: a\r\n b\r\n'), { status: 400, ends: true }],
    ['an odd expectation', get('/users/7', 'Host: a.test\r\nExpect: tea\r\n'), { status: 417, ends: true }],
    [
      'a malformed If-None-Match',
      get('/users/7', 'Host: a.test\r\nIf-None-Match: abc"\r\n'),
      { status: 200 },
    ],
    [
      'a malformed Accept-Encoding',
      get('/users/7', 'Host: a.test\r\nAccept-Encoding: ;;q=,\r\n'),
      { status: 200 },
    ],
    ['__proto__ as a header', get('/users/7', 'Host: a.test\r\n__proto__: x\r\n'), { status: 200 }],
  ])('%s', async (_name, request, expected) => {
    await check(request, expected);
  });
});

describe('a method other than GET and HEAD', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'PURGE', 'TRACE'])(
    '%s is answered with 405 and what is allowed',
    async (method) => {
      const connection = new RawConnection(site.port);
      const response = await connection.ask(`${method} /users/7 HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      expect(response?.status).toBe(405);
      expect(response?.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
      expect((await connection.ask(NEXT))?.status).toBe(200);
      connection.close();
    },
  );

  test('OPTIONS says what is allowed', async () => {
    for (const target of ['*', '/users/7']) {
      await check(`OPTIONS ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`, { status: 204 });
    }
  });

  test('CONNECT opens no tunnel', async () => {
    await check('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n', {
      status: 405,
      ends: true,
    });
  });

  test('one that does not exist ends the connection', async () => {
    await check('BREW /users/7 HTTP/1.1\r\nHost: a.test\r\n\r\n', { status: 400, ends: true });
  });
});

describe('a body', () => {
  const withBody = (method: string, body: string) =>
    `${method} /users/8 HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  test('on GET is dropped, and never taken for the next request', async () => {
    const smuggled = 'GET /users/666 HTTP/1.1\r\nHost: a.test\r\n\r\n';
    await check(withBody('GET', smuggled), { status: 200, body: 'user 8 ' });
    await check(withBody('GET', 'page=9'), { status: 200, body: 'user 8 page 1' });
    await check(withBody('POST', smuggled), { status: 405 });
  });

  test('in chunks is dropped as well', async () => {
    const chunks = '5\r\nhello\r\n0\r\n\r\n';
    await check(`GET /users/8 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`, {
      status: 200,
      body: 'user 8 ',
    });
  });

  test('that says it is too large is refused unread', async () => {
    await check('GET /users/8 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 99999999\r\n\r\n', {
      status: 413,
      ends: true,
    });
  });

  test('without an end is cut off', async () => {
    const connection = new RawConnection(site.port);
    connection.send('GET /users/8 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect((await connection.next())?.status).toBe(200);
    for (let sent = 0; sent < 3; sent += 1) connection.send(`400\r\n${'x'.repeat(1024)}\r\n`);
    await connection.closed();
  });

  // What follows may be the body or, from a client that changed its mind, a request: nothing after it can be trusted.
  test('is not asked for: the answer comes at once and is the last', async () => {
    const head = 'Host: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
    await check(`POST /users/8 HTTP/1.1\r\n${head}hello`, { status: 405, ends: true });
    await check(`GET /users/8 HTTP/1.1\r\n${head}`, { status: 200, body: 'user 8 ', ends: true });
  });
});

describe('requests in one go', () => {
  test('are answered in their order, also when the last of them is no request', async () => {
    const connection = new RawConnection(site.port);
    connection.send(`${get('/users/31')}${get('/')}${get('/users/32')}garbage\r\n\r\n`);
    expect((await connection.next())?.body.toString()).toContain('user 31');
    expect((await connection.next())?.body.toString()).toContain('home');
    expect((await connection.next())?.body.toString()).toContain('user 32');
    expect((await connection.next())?.status).toBe(400);
    await connection.closed();
  });

  // Node drops what came behind a request with Upgrade. An answer that kept the connection open would have the client
  // wait for the next one for ever.
  test('end with the one that asks for another protocol: the client is told to send the rest again', async () => {
    const connection = new RawConnection(site.port);
    const upgrade = get('/users/7', 'Host: a.test\r\nConnection: upgrade\r\nUpgrade: x\r\n');
    connection.send(upgrade + get('/users/8'));
    const response = await connection.next();
    expect(response?.body.toString()).toContain('user 7');
    expect(response?.headers.get('connection')).toBe('close');
    expect(await connection.next()).toBeUndefined();
  });

  test('HTTP/1.0 is served and the connection closed', async () => {
    const connection = new RawConnection(site.port);
    expect((await connection.ask('GET /users/7 HTTP/1.0\r\n\r\n'))?.status).toBe(200);
    await connection.closed();
  });
});

test('nothing of all this was a failure of the server', () => {
  expect(site.log.lines.filter((line) => line.level === 'error')).toEqual([]);
});
