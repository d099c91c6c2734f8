// Both servers, by the cases of http11-cases.ts: each gets its one answer, and what comes next on the connection is
// answered for itself, or the connection ends.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { page } from '../../src/index.ts';
import { readText } from '../../src/operations/json-body.ts';
import { Operations } from '../../src/operations/operations.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';
import { CASES, type Case } from './http11-cases.ts';

const NEXT = 'GET /page?clean HTTP/1.1\r\nHost: localhost\r\n\r\n';

let site: Site;
let operations: Operations;
const ports = { pages: 0, operations: 0 };

beforeAll(async () => {
  site = await startSite({
    writing: { writeScope: () => ({}) as never, visible: () => ({}) as never },
    pages: {
      page: page({ view: () => 'the page' }),
      smuggled: page({ view: () => 'smuggled' }),
      form: page({ form: { a: z.string().optional() }, action: () => undefined, view: () => 'the form' }),
    },
  });
  operations = new Operations({ host: '127.0.0.1', port: 0, token: undefined });
  const open = true;
  operations.route({
    method: 'GET',
    path: '/page',
    open,
    handler: () => ({ status: 200, body: 'the page' }),
  });
  operations.route({
    method: 'GET',
    path: '/smuggled',
    open,
    handler: () => ({ status: 200, body: 'smuggled' }),
  });
  operations.route({
    method: 'POST',
    path: '/form',
    open,
    handler: async (request) => ({ status: 303, body: await readText(request, 65_536) }),
  });
  ports.pages = site.port;
  ports.operations = await operations.start();
});
afterAll(async () => {
  await site.close();
  await operations.close();
});

async function check(port: number, { bytes, status, then, isHead = false }: Case): Promise<void> {
  const connection = new RawConnection(port);
  try {
    const response = await connection.ask(Buffer.from(bytes, 'latin1'), isHead);
    expect(status).toContain(response?.status);
    if (response?.status === 405) expect(response.headers.get('allow')).toContain('GET');
    if (then === 'end') {
      expect(await connection.next()).toBeUndefined();
      return;
    }
    const next = await connection.ask(NEXT);
    expect(next?.status).toBe(200);
    expect(next?.body.toString()).toContain('the page');
  } finally {
    connection.close();
  }
}

const named = CASES.map((each) => [`${each.section}: ${each.asks}`, each] as const);

describe.each(['pages', 'operations'] as const)('HTTP/1.1 by the book, the server of %s', (server) => {
  test.each(named)('%s', async (_name, each) => {
    await check(ports[server], each);
  });

  test('a body that is not asked for twice: 100, then the answer (9110, 10.1.1)', async () => {
    const connection = new RawConnection(ports[server]);
    const head =
      'POST /form HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 3\r\n';
    const form = 'Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n';
    expect((await connection.ask(head + form))?.status).toBe(100);
    expect((await connection.ask('a=b'))?.status).toBe(303);
    expect((await connection.ask(NEXT))?.status).toBe(200);
    connection.close();
  });

  test('every answer says when it was made, as dates are written (9110, 5.6.7 and 6.6.1)', async () => {
    const connection = new RawConnection(ports[server]);
    const response = await connection.ask(NEXT);
    const date = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;
    expect(response?.headers.get('date')).toMatch(date);
    expect(response?.headers.get('content-type')).toMatch(/^text\//);
    connection.close();
  });
});

test('OPTIONS says what is allowed, without a body (9110, 9.3.7 and 15.3.5)', async () => {
  const connection = new RawConnection(ports.pages);
  for (const target of ['*', '/page', '/form']) {
    const response = await connection.ask(`OPTIONS ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(response?.status).toBe(204);
    expect(response?.headers.get('allow')).toContain('GET, HEAD');
    expect(response?.headers.has('content-length')).toBe(false);
  }
  connection.close();
});
