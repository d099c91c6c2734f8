import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { layout, page, trusted } from '../../src/index.ts';
import { readPublicFiles } from '../../src/page/application/public-files.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

let folder: string;
let site: Site;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coherent-public-'));
  mkdirSync(join(folder, 'public/icons'), { recursive: true });
  mkdirSync(join(folder, 'public/.well-known'));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'public/style.css'), 'p { color: red }');
  writeFileSync(join(folder, 'public/app.js'), 'let several = "times the same";\n'.repeat(100));
  writeFileSync(join(folder, 'public/.env'), 'secret');
  writeFileSync(join(folder, 'public/.well-known/security.txt'), 'Contact: us');
  writeFileSync(join(folder, 'public/icons/a b.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  symlinkSync(join(folder, 'secret.txt'), join(folder, 'public/link.txt'));
  const _layout = layout({
    head: ({ asset }) => ({ link: { rel: 'stylesheet', href: asset('/style.css') } }),
    view: ({ content }) => [
      { script: { html: trusted('let a = 1 < 2;') } },
      { script: { src: '/x.js' } },
      content,
    ],
  });
  const index = page({ view: () => ({ h1: 'home <script>alert(1)</script>' }) });
  site = await startSite({ files: await readPublicFiles(join(folder, 'public')), pages: { index, _layout } });
});
afterAll(async () => {
  await site?.close();
  rmSync(folder, { recursive: true });
});

const ask = async (target: string, headers = '', method = 'GET') => {
  const connection = new RawConnection(site.port);
  const response = await connection.ask(
    `${method} ${target} HTTP/1.1\r\nHost: a.test\r\n${headers}\r\n`,
    method === 'HEAD',
  );
  connection.close();
  return response;
};

test('are served under their own name until they change, and under their hashed name for a year', async () => {
  const plain = await ask('/style.css');
  expect(plain?.status).toBe(200);
  expect(plain?.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
  expect(plain?.headers.get('x-content-type-options')).toBe('nosniff');
  const html = (await ask('/'))?.body.toString() ?? '';
  const [, href = ''] = /href="([^"]+)"/.exec(html) ?? [];
  const hashed = await ask(href);
  expect(hashed?.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(hashed?.body).toEqual(plain?.body);
  const etag = plain?.headers.get('etag');
  expect((await ask('/style.css', `If-None-Match: ${etag}\r\n`))?.status).toBe(304);
  const head = await ask('/style.css', '', 'HEAD');
  expect(head?.headers.get('content-length')).toBe('16');
  expect((await ask('/icons/a%20b.svg'))?.headers.get('content-type')).toBe('image/svg+xml');
  expect((await ask('/.well-known/security.txt'))?.status).toBe(200);
});

test('can be read in parts', async () => {
  const part = await ask('/style.css', 'Range: bytes=0-2\r\n');
  expect(part?.status).toBe(206);
  expect(part?.body.toString()).toBe('p {');
  expect((await ask('/style.css', 'Range: bytes=99-\r\n'))?.status).toBe(416);
});

test.each([
  '/.env',
  '/link.txt',
  '/../secret.txt',
  '/icons/..%2f..%2fsecret.txt',
  '/icons',
  '/style.000000000000.css',
  '/STYLE.css',
])('%s is not among them', async (target) => {
  const response = await ask(target);
  expect([400, 404, 308]).toContain(response?.status);
  expect(response?.body.toString()).not.toContain('secret\n');
});

test('a trusted inline script may run: the policy names its hash, and no other', async () => {
  const response = await ask('/');
  const policy = response?.headers.get('content-security-policy') ?? '';
  expect(policy.match(/'sha256-[^']+'/g)).toHaveLength(1);
  expect(policy).toContain("script-src 'self' 'sha256-");
});

test('text worth it is compressed for those who take it, under a tag that any server gives it', async () => {
  const plain = await ask('/app.js');
  expect(plain?.headers.get('content-type')).toBe('application/javascript; charset=utf-8');
  const compressed = await ask('/app.js', 'Accept-Encoding: br\r\n');
  expect(compressed?.headers.get('content-encoding')).toBe('br');
  expect(brotliDecompressSync(compressed?.body ?? Buffer.alloc(0))).toEqual(plain?.body);
  const etag = compressed?.headers.get('etag');
  expect((await ask('/app.js', `Accept-Encoding: br\r\nIf-None-Match: ${etag}\r\n`))?.status).toBe(304);
  expect((await ask('/app.js', 'Accept-Encoding: br\r\nX-No-Compression: 1\r\n'))?.body).toEqual(plain?.body);
  expect((await ask('/style.css', 'Accept-Encoding: br\r\n'))?.headers.has('content-encoding')).toBe(false);
});
