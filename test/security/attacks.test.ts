// Every attack of the matrix on the built server, and after each the page as everybody asks for it. Twice: with the
// page in the cache and known to the fast path, and with the attack as the first request for it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { RawConnection, type RawResponse } from '../support/raw-http.ts';
import { attackedSite } from './attacked-site.ts';
import { ATTACKS, type Attack } from './matrix.ts';
import { HOST, MARK, type Target } from './matrix-site.ts';

let build: Build;
let server: RunningServer;
let port: number;
let reference: RawResponse;

beforeAll(async () => {
  build = buildServer();
  server = await startBuilt(build, attackedSite(build));
  port = Number(new URL(server.url).port);
  reference = await clean('/echo/1000');
  expect(reference.status).toBe(200);
}, 120_000);
afterAll(async () => {
  await server?.stop();
  build?.remove();
});

async function clean(path: string): Promise<RawResponse> {
  const connection = new RawConnection(port);
  const response = await connection.ask(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  connection.close();
  if (response === undefined) throw new Error(`no answer for ${path}`);
  return response;
}

let pages = 1000;
function freshPage(): Target {
  pages += 1;
  return { id: String(pages), path: `/echo/${pages}` };
}

/** What a page says for its number, made of one that nobody has attacked. */
const expected = (id: string) => reference.body.toString().replaceAll('1000', id);

/** The same names, and the same values but for what moves with time and page, and the name of a single request. */
function steady({ headers }: RawResponse): Record<string, string> {
  const moving = ['date', 'etag', 'cache-status'];
  const names = [...headers.keys()].filter((name) => name !== 'x-request-id');
  return Object.fromEntries(
    names.map((name) => [name, moving.includes(name) ? '' : (headers.get(name) ?? '')]),
  );
}

const LAST = '/echo/999999';

/** Sends an attack and, behind it on the same connection, a request of which the answer is known by its page. */
async function strike(attack: Attack, target: Target): Promise<RawResponse[]> {
  const connection = new RawConnection(port);
  const answers: RawResponse[] = [];
  connection.send(Buffer.from(attack.bytes(target), 'latin1'));
  const first = await connection.next(attack.isHead === true);
  if (first !== undefined) answers.push(first);
  connection.send(`GET ${LAST} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  for (;;) {
    const next = await connection.next();
    if (next === undefined || next.body.includes('Echo 999999')) break;
    answers.push(next);
  }
  connection.close();
  return answers;
}

async function check(attack: Attack, target: Target): Promise<void> {
  const answers = await strike(attack, target);
  expect(answers.map(({ status }) => status)).toEqual([attack.status]);
  for (const { headers } of answers) {
    expect([...headers].flat().join('\n')).not.toContain(MARK);
    expect(headers.has('set-cookie')).toBe(false);
    if (attack.status >= 400 && attack.status !== 404) expect(headers.get('cache-control')).toBe('no-store');
  }
  const after = await clean(target.path);
  expect(after.status).toBe(200);
  expect(after.body.toString()).toBe(expected(target.id));
  expect(after.body.toString()).not.toContain(MARK);
  expect(steady(after)).toEqual(steady(reference));
}

describe.each([...new Set(ATTACKS.map(({ group }) => group))])('%s', (group) => {
  const attacks = ATTACKS.filter((attack) => attack.group === group);

  test.each(attacks)('$name, as the first request for a page', async (attack) => {
    await check(attack, freshPage());
  });

  test.each(attacks)('$name, on a page that is cached', async (attack) => {
    const target = freshPage();
    for (let visit = 0; visit < 3; visit++) await clean(target.path);
    await check(attack, target);
    expect((await clean(target.path)).headers.get('cache-status')).toMatch(/^coherent; hit/);
  });
});

test('no attack was a failure of the server, but the redirect that a page must not make', () => {
  const errors = server
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":"error"'));
  expect(errors.filter((line) => !line.includes('E_REDIRECT'))).toEqual([]);
});
