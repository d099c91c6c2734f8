// The headers that keep browsers safe, on every kind of answer there is.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorPage, notFound, page, redirect, trusted } from '../../src/index.ts';
import { readPublicFiles } from '../../src/page/application/public-files.ts';
import { RawConnection, type RawResponse } from '../support/raw-http.ts';
import { type Site, startSite } from '../support/site.ts';

let folder: string;
let site: Site;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coherent-headers-'));
  mkdirSync(join(folder, 'public'));
  writeFileSync(join(folder, 'public/small.css'), 'p {}');
  writeFileSync(join(folder, 'public/large.css'), 'p { color: red }\n'.repeat(1000));
  site = await startSite({
    files: await readPublicFiles(join(folder, 'public')),
    trustProxy: { publicOrigin: 'https://a.test', hsts: 'max-age=60', allowedHosts: 'a.test' },
    pages: {
      index: page({ view: () => ({ h1: 'home' }) }),
      gone: page({ load: () => notFound(), view: () => '' }),
      moved: page({ load: () => redirect('/'), view: () => '' }),
      broken: page({
        load: () => {
          throw new Error('no');
        },
        view: () => '',
      }),
      slow: page({ shell: () => ({ title: 'slow' }), load: () => pause(200), view: () => 'done' }),
      scripts: page({
        view: () => [
          { script: { type: 'application/json', id: 'state', html: trusted('{"a":"alert(1)"}') } },
          { script: { html: trusted('let a = 1;') } },
        ],
      }),
      _error: errorPage({ view: ({ status }) => ({ h1: `Error ${status}` }) }),
    },
  });
});
afterAll(async () => {
  await site?.close();
  rmSync(folder, { recursive: true });
});

async function ask(request: string, ...headers: readonly string[]): Promise<RawResponse> {
  const connection = new RawConnection(site.port);
  const text = [`${request} HTTP/1.1`, ...headers, '', ''].join('\r\n');
  const response = await connection.ask(text, request.startsWith('HEAD'));
  connection.close();
  if (response === undefined) throw new Error(`no answer to ${request}`);
  return response;
}

const host = 'Host: a.test';
const get = (path: string, ...headers: readonly string[]) => ask(`GET ${path}`, host, ...headers);

const KINDS: readonly (readonly [string, number, () => Promise<RawResponse>])[] = [
  ['a page', 200, () => get('/')],
  ['a page from memory', 200, () => get('/')],
  ['a page by the fast path', 200, () => get('/')],
  ['a head', 200, () => ask('HEAD /', host)],
  ['a page that is not there', 404, () => get('/nowhere')],
  ['a page whose data is not there', 404, () => get('/gone')],
  ['a redirect of a page', 307, () => get('/moved')],
  ['the one spelling of an address', 308, () => get('//x')],
  ['a page that fails', 500, () => get('/broken')],
  ['a page in pieces', 200, () => get('/slow')],
  ['a file from disk', 200, () => get('/small.css')],
  ['a piece of a file', 206, () => get('/small.css', 'Range: bytes=0-1')],
  ['a piece that is not there', 416, () => get('/small.css', 'Range: bytes=100-')],
  ['a file from memory', 200, () => get('/large.css')],
  ['a bad address', 400, () => get('/%00')],
  ['an address that is too long', 414, () => get(`/${'a'.repeat(8000)}`)],
  ['a method that is not there', 405, () => ask('DELETE /', host)],
  ['another host', 421, () => ask('GET /', 'Host: evil.example')],
  ['no host', 400, () => ask('GET /')],
  ['too many headers', 431, () => get('/', ...Array.from({ length: 120 }, () => 'a: b'))],
  ['what is allowed', 204, () => ask('OPTIONS /', host)],
];

const EVERYWHERE: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'strict-transport-security': 'max-age=60',
};

describe.each(KINDS)('%s (%i)', (_, status, asked) => {
  test('has every header once, forbids frames, and does not say what software answers', async () => {
    const response = await asked();
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject(EVERYWHERE);
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    for (const name of ['server', 'x-powered-by', 'via']) expect(response.headers.has(name)).toBe(false);
  });
});

test('the fast path was among them', () => {
  expect(site.hits.stats().answers).toBeGreaterThan(0);
});

test('a 304 leaves in place what the page came with', async () => {
  const response = await get('/', 'If-None-Match: *');
  expect(response.status).toBe(304);
  expect(response.headers.get('strict-transport-security')).toBe('max-age=60');
  // A cache takes over what a 304 repeats (RFC 9111, 3.2): nothing weaker than the page's own may stand here.
  expect(response.headers.has('content-security-policy')).toBe(false);
});

test('bytes that are no request are answered in words that no browser takes for a page', async () => {
  const response = await ask('nonsense');
  expect(response.status).toBe(400);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
});

test('a script is allowed by the hash of its text; a block of data is not run and needs none', async () => {
  const policy = (await get('/scripts')).headers.get('content-security-policy') ?? '';
  expect(policy.match(/'sha256-/g)).toHaveLength(1);
  expect(policy).toContain("script-src 'self' 'sha256-");
  expect(policy).not.toContain('nonce');
  expect(policy).not.toMatch(/script-src[^;]*unsafe/);
});
