// `coherent-server dev` as an author has it: a process, a browser, files that are saved.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { startChromium } from '../support/chromium.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { childrenOf, signal } from '../support/processes.ts';
import { makeProject, type Project, type Running } from '../support/project.ts';

let build: Build;
let database: TestDatabase;
let project: Project;
let browser: Browser;
let page: Page;
let dev: Running;
let origin: string;

const home = (word: string) => `import { page } from 'coherent-render-server';
export default page({
  view: () => ({ h1: '${word}' }),
});
`;
const LAYOUT = `import { layout } from 'coherent-render-server';
export default layout({
  head: ({ asset }) => ({ link: { rel: 'stylesheet', href: asset('/style.css') } }),
  view: ({ content }) => [{ header: 'Site' }, { main: { children: content } }],
});
`;
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    target: 'es2023',
    module: 'esnext',
    moduleResolution: 'bundler',
    strict: true,
    noImplicitAny: false,
    skipLibCheck: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: [],
    paths: { 'coherent-render-server': ['./types.d.ts'] },
  },
  include: ['pages', 'lib'],
});

beforeAll(async () => {
  build = buildServer();
  [database, browser] = await Promise.all([
    testDatabase(`create table users (id int primary key, name text not null, team int not null);
      insert into users select n, 'user ' || n, n % 10 from generate_series(1, 5000) n; analyze users`),
    startChromium(),
  ]);
  project = makeProject(build, {
    'package.json': '{ "type": "module" }',
    'tsconfig.json': TSCONFIG,
    // The build of the tests has no declarations.
    'types.d.ts': 'export const page: (d: any) => unknown; export const layout: (d: any) => unknown;',
    'pages/_layout.ts': LAYOUT,
    'pages/index.ts': home('first'),
    'pages/about.ts': home('about'),
    'public/style.css': 'h1 { color: rgb(1, 2, 3) }',
    '.env': 'SECRET_OF_ENV=1',
  });
  dev = project.start(['dev'], { DATABASE_URL: database.url, PORT: '0', HEARTBEAT_TIMEOUT_MS: '1500' });
  origin = await originOf(dev);
  page = await browser.newPage();
}, 120_000);

afterAll(async () => {
  dev?.child.kill('SIGTERM');
  await dev?.ended;
  await browser?.close();
  await database?.close();
  project?.close();
  build?.remove();
});

async function originOf(running: Running): Promise<string> {
  const found = await vi.waitUntil(() => /http:\/\/localhost:\d+/.exec(running.output())?.[0], {
    timeout: 30_000,
  });
  return found;
}

/** Other test files have the machine, too. */
const soon = (look: () => unknown) => vi.waitFor(look, { timeout: 15_000 });
const heading = (text: string) => page.waitForSelector(`h1:has-text("${text}")`, { timeout: 10_000 });

test('a save is shown by the browser without being asked', async () => {
  await page.goto(origin);
  await heading('first');
  project.write('pages/index.ts', home('second'));
  await heading('second');
});

test('a page that throws shows the line of its author, and comes back with the save that mends it', async () => {
  project.write(
    'pages/index.ts',
    `import { page } from 'coherent-render-server';

export default page({
  load: () => {
    throw new Error('No bread today');
  },
  view: () => null,
});
`,
  );
  await heading('No bread today');
  const text = (await page.textContent('main')) ?? '';
  expect(text).toContain('pages/index.ts:5:11');
  expect(await page.textContent('#frame')).toContain("> 5 |     throw new Error('No bread today');");
  project.write('pages/index.ts', home('third'));
  await heading('third');
});

test('a syntax error is one page, and the others live', async () => {
  project.write(
    'pages/index.ts',
    "import { page } from 'coherent-render-server';\nexport default page({ view: => 1 });\n",
  );
  await page.waitForSelector('#frame');
  expect(await page.textContent('main')).toContain('pages/index.ts:2:29');
  expect(await (await fetch(`${origin}/about`)).text()).toContain('<h1>about</h1>');
  project.write('pages/index.ts', home('fourth'));
  await heading('fourth');
});

test('a layout that is broken is told by every page, until it is mended', async () => {
  project.write('pages/_layout.ts', LAYOUT.replace('layout({', 'layout({,'));
  await page.waitForSelector('#frame');
  expect(await page.textContent('main')).toContain('pages/_layout.ts:2:');
  expect((await fetch(`${origin}/about`)).status).toBe(500);
  project.write('pages/_layout.ts', LAYOUT);
  await heading('fourth');
});

test('a statement that the database refuses is shown with the spot', async () => {
  project.write(
    'pages/index.ts',
    `import { page } from 'coherent-render-server';
export default page({
  load: ({ db }: any) => db.many('SELECT id, nam FROM users'),
  view: () => null,
});
`,
  );
  await page.waitForSelector('#statement');
  expect(await page.textContent('#statement')).toBe('SELECT id, nam FROM users');
  expect(await page.textContent('#statement b')).toBe('nam');
  expect(await page.textContent('main')).toContain('pages/index.ts:3:');
});

test('an import that is not there yet is found once it is', async () => {
  project.write(
    'pages/index.ts',
    `import { page } from 'coherent-render-server';
import { word } from '../lib/word.ts';
export default page({ view: () => ({ h1: word }) });
`,
  );
  await page.waitForSelector('h1:has-text("lib/word.ts")', { timeout: 10_000 });
  project.write('lib/word.ts', "export const word = 'fifth';\n");
  await heading('fifth');
  project.write('lib/word.ts', "export const word = 'sixth';\n");
  await heading('sixth');
});

test('a page that is deleted is gone, and a new one is there', async () => {
  project.write('pages/new.ts', home('new'));
  await soon(async () => expect(await (await fetch(`${origin}/new`)).text()).toContain('<h1>new</h1>'));
  project.remove('pages/new.ts');
  await soon(async () => expect((await fetch(`${origin}/new`)).status).toBe(404));
});

test('a style sheet is exchanged without loading the page anew', async () => {
  page = await browser.newPage();
  await page.goto(`${origin}/about`);
  await page.evaluate(() => Reflect.set(globalThis, 'mark', 'here'));
  project.write('public/style.css', 'h1 { color: rgb(3, 2, 1) }');
  await soon(async () =>
    expect(await page.evaluate("getComputedStyle(document.querySelector('h1')).color")).toBe('rgb(3, 2, 1)'),
  );
  expect(await page.evaluate(() => Reflect.get(globalThis, 'mark'))).toBe('here');
});

test('types are checked behind the page, and shown in its corner', async () => {
  page = await browser.newPage();
  await page.goto(`${origin}/about`);
  project.write('lib/word.ts', "export const word: number = 'seventh';\n");
  await page.waitForSelector('#coherent-types summary:has-text("1 type error")', { timeout: 20_000 });
  expect(dev.output()).toContain('TS2322 lib/word.ts:1:14');
  project.write('lib/word.ts', "export const word = 'eighth';\n");
  await page.waitForSelector('#coherent-types', { state: 'detached', timeout: 20_000 });
});

test('what could be better is told once, with its line', async () => {
  project.write(
    'pages/index.ts',
    `import { page } from 'coherent-render-server';
export default page({
  load: async ({ db }: any) => {
    for (let id = 1; id < 9; id++) await db.one('SELECT name FROM users WHERE id = $1', [id]);
    return db.many('SELECT name FROM users WHERE team = $1', [3]);
  },
  view: () => ({ h1: 'noted' }),
});
`,
  );
  await soon(async () => expect(await (await fetch(origin)).text()).toContain('noted'));
  await fetch(origin);
  await soon(() => expect(dev.output()).toMatch(/note pages\/index\.ts:5:\d+ users \(about 5,000 rows\)/));
  expect(dev.output().match(/note pages\/index\.ts:4:\d+ One render ran this statement/g)).toHaveLength(1);
});

test.each(['/.env', '/package.json', '/pages/index.ts', '/@fs/etc/passwd', '/..%2f.env', '/@vite/client'])(
  '%s is not served',
  async (path) => {
    const response = await fetch(`${origin}${path}`);
    expect([400, 404]).toContain(response.status);
    expect(await response.text()).not.toContain('SECRET_OF_ENV');
  },
);

test.each([
  ['GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', '421'],
  [upgrade('localhost', 'http://evil.example'), '403'],
  [upgrade('localhost', undefined), '403'],
  [upgrade('evil.example', 'http://evil.example'), '403'],
  [upgrade('localhost', 'http://localhost'), '101'],
])('%j is answered %s', async (request, status) => {
  expect(await firstLine(request)).toContain(` ${status} `);
});

test('an endless loop costs the author one save', async () => {
  project.write(
    'pages/loop.ts',
    `import { page } from 'coherent-render-server';
export default page({ load: () => { for (;;); }, view: () => null });
`,
  );
  await vi.waitUntil(
    () => {
      // The first ones may come before the page is there.
      void fetch(`${origin}/loop`).catch(() => {});
      return dev.output().includes('an endless loop?');
    },
    { timeout: 15_000, interval: 500 },
  );
  project.remove('pages/loop.ts');
  await soon(async () => expect((await fetch(`${origin}/about`)).status).toBe(200));
});

test('it refuses to run in production', async () => {
  const { code, output } = await project.run(['dev'], { NODE_ENV: 'production', DATABASE_URL: database.url });
  expect(code).toBe(1);
  expect(output).toContain('E_NOT_FOR_PRODUCTION');
});

test('Ctrl-C ends it with 0, and leaves no process behind', async () => {
  const pids = everyBelow(dev.child.pid ?? 0);
  expect(pids.length).toBeGreaterThan(0);
  // As a terminal does it: to all of them.
  for (const pid of [dev.child.pid ?? 0, ...pids]) signal(pid, 'SIGINT');
  expect(await dev.ended).toBe(0);
  await soon(() => expect(pids.filter(isRunning)).toEqual([]));
});

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch {
    return false;
  }
}

function everyBelow(pid: number): readonly number[] {
  return childrenOf(pid).flatMap((child) => [child.pid, ...everyBelow(child.pid)]);
}

function upgrade(host: string, from: string | undefined): string {
  const lines = [
    'GET /__coherent/live HTTP/1.1',
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
  ];
  const keys = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  return `${[...lines, ...keys, ...(from === undefined ? [] : [`Origin: ${from}`])].join('\r\n')}\r\n\r\n`;
}

function firstLine(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(request));
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1').split('\r\n')[0] ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
