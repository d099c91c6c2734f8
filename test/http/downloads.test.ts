// Downloads: ranges, conditions, names of any characters, a reader who stalls; and exports that are larger than memory.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { csv, download, endpoint } from '../../src/index.ts';
import { attachment } from '../../src/page/endpoint/attachment.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { RawConnection } from '../support/raw-http.ts';
import { silent } from '../support/silent.ts';
import { type Site, startSite } from '../support/site.ts';

const LARGE = 200 * 1024 * 1024;
const bytes = randomBytes(100_000);
let folder: string;
let held: TestDatabase;
let database: Database;
let site: Site;
let left = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downloads-'));
  await writeFile(join(folder, 'a.bin'), bytes);
  await writeFile(join(folder, 'evil.html'), '<script>alert(1)</script>');
  await writeFile(join(folder, 'large.bin'), '');
  await truncate(join(folder, 'large.bin'), LARGE);
  held = await testDatabase(
    "create table orders (id int primary key, note text, at timestamptz); insert into orders select n, '=sum(1) \"' || n, now() from generate_series(1, 200000) n",
  );
  database = new Database({ connectionString: held.url, logger: silent, clock: systemClock, max: 2 });
  site = await startSite({
    writing: {
      writeScope: (signal) => database.writeScope(signal),
      visible: () => Promise.reject(new Error('no')),
    },
    limits: { sendTimeoutMs: 300, connectionsCheckingMs: 50 },
    pages: {
      'files/[name]': endpoint({
        params: { name: z.string() },
        query: { inline: z.stringbool().default(false) },
        GET: ({ params, query }) => download(join(folder, params.name), { inline: query.inline }),
      }),
      orders: endpoint({
        query: { from: z.coerce.number().default(0) },
        GET: ({ db, query }) => {
          const rows = db.stream<{ id: number; note: string }>(
            'select id, note from orders where id > $1 order by id',
            [query.from],
          );
          return csv(counted(rows), { name: 'orders.csv' });
        },
      }),
    },
  });
});
afterAll(async () => {
  await site.close();
  await database.close();
  await held.close();
  await rm(folder, { recursive: true });
});

async function* counted<T>(rows: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* rows;
  } finally {
    left++;
  }
}

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${site.origin}${path}`, { headers, method });

describe('a download', () => {
  it('is saved under its name, runs nothing, and is kept by no cache between', async () => {
    const answer = await ask('/files/a.bin');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="a.bin"');
    expect(answer.headers.get('cache-control')).toBe('private, no-cache');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    const shown = await ask('/files/evil.html?inline=true');
    expect(shown.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
    expect((await ask('/files/none.bin')).status).toBe(404);
    expect((await ask('/files/a.bin', {}, 'HEAD')).headers.get('content-length')).toBe('100000');
  });

  it('goes on where it broke off, as long as the file is the same', async () => {
    const whole = await ask('/files/a.bin');
    const etag = whole.headers.get('etag') ?? '';
    await whole.arrayBuffer();
    const rest = await ask('/files/a.bin', { range: 'bytes=99990-', 'if-range': etag });
    expect([rest.status, rest.headers.get('content-range')]).toEqual([206, 'bytes 99990-99999/100000']);
    expect(Buffer.from(await rest.arrayBuffer()).equals(bytes.subarray(99_990))).toBe(true);
    const changed = await ask('/files/a.bin', { range: 'bytes=99990-', 'if-range': '"other"' });
    expect([changed.status, (await changed.arrayBuffer()).byteLength]).toEqual([200, 100_000]);
    const connection = new RawConnection(site.port);
    const known = await connection.ask(
      `GET /files/a.bin HTTP/1.1\r\nhost: x\r\nif-none-match: ${etag}\r\n\r\n`,
    );
    expect(known?.status).toBe(304);
    connection.close();
    expect((await ask('/files/a.bin', { range: 'bytes=200000-' })).status).toBe(416);
    const many = await ask('/files/a.bin', {
      range: `bytes=${Array.from({ length: 300 }, () => '0-0').join(',')}`,
    });
    expect(many.status).toBe(200);
    await many.arrayBuffer();
  });

  it('of 200 MB needs little memory, and a reader who stalls is cut off', async () => {
    const before = process.memoryUsage().rss;
    const last = await ask('/files/large.bin', { range: `bytes=${LARGE - 5}-` });
    expect((await last.arrayBuffer()).byteLength).toBe(5);
    const socket = connect(site.port, '127.0.0.1');
    socket.write('GET /files/large.bin HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.pause();
    await new Promise((resolve) => socket.once('connect', resolve));
    await expect.poll(() => site.server.stats().slowReaders, { timeout: 10_000 }).toBe(1);
    socket.destroy();
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(60);
  });
});

describe('an export', () => {
  it('is streamed from a cursor, with formulas made harmless', async () => {
    const answer = await ask('/orders?from=199998');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(await answer.text()).toBe(
      `id,note\r\n199999,"'=sum(1) ""199999"\r\n200000,"'=sum(1) ""200000"\r\n`,
    );
    const whole = await (await ask('/orders')).text();
    expect(whole.split('\r\n')).toHaveLength(200_002);
  });

  it('gives its connection back when its reader leaves', async () => {
    left = 0;
    for (let visit = 0; visit < 5; visit++) {
      const leaving = new AbortController();
      const answer = await fetch(`${site.origin}/orders`, { signal: leaving.signal });
      await answer.body!.getReader().read();
      leaving.abort();
    }
    await expect.poll(() => left, { timeout: 10_000 }).toBe(5);
    // There are two connections; with one lost each time none would be left.
    expect((await ask('/orders?from=199999')).status).toBe(200);
  });

  it('whose statement fails is 500 before anything was sent', async () => {
    expect((await ask('/orders?from=99999999999')).status).toBe(400);
  });
});

test.each([
  ['plain.txt', 'attachment; filename="plain.txt"'],
  ['../../etc/passwd', 'attachment; filename="passwd"'],
  ['a"b\\c', 'attachment; filename="c"'],
  [
    'naïve résumé.pdf',
    `attachment; filename="na_ve r_sum_.pdf"; filename*=UTF-8''na%C3%AFve%20r%C3%A9sum%C3%A9.pdf`,
  ],
  [
    'a\r\nset-cookie: b',
    `attachment; filename="a__set-cookie: b"; filename*=UTF-8''a%0D%0Aset-cookie%3A%20b`,
  ],
  ['\ud800.txt', `attachment; filename="_.txt"; filename*=UTF-8''_.txt`],
])('the name %j is written so that every browser saves under it', (name, header) => {
  expect(attachment(name)).toBe(header);
});
