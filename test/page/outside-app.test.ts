// An application that is not the sample, in a folder of its own, which knows the server only by its package.
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const fixture = fileURLToPath(new URL('../fixtures/tiny-app', import.meta.url));
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

let build: Build;
let database: TestDatabase;
let server: RunningServer;

beforeAll(async () => {
  build = buildServer();
  const site = join(build.folder, 'site');
  cpSync(fixture, site, { recursive: true });
  mkdirSync(join(site, 'node_modules'));
  symlinkSync(join(build.folder, 'package'), join(site, 'node_modules/coherent-render-server'));
  symlinkSync(join(modules, 'zod'), join(site, 'node_modules/zod'));
  database = await testDatabase(`
    CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL, price int NOT NULL);
    INSERT INTO things VALUES (1, 'Kettle <steel>', 40), (2, 'Spoon', 3)`);
  server = await startBuilt(build, { NODE_ENV: 'production', DATABASE_URL: database.url, APP: site });
}, 120_000);

afterAll(async () => {
  await server?.stop();
  await database?.close();
  build?.remove();
});

const get = (path: string) => fetch(new URL(path, server.url));

test('its pages show rows of its database, and the second time they come from memory', async () => {
  const first = await get('/things/1');
  const html = await first.text();
  expect(first.status).toBe(200);
  expect(html).toContain('<html lang="eo">');
  expect(html).toContain(
    '<main data-route="/things/[id]"><article><h1>Kettle &lt;steel&gt;</h1><p>40 crowns</p>',
  );
  expect(first.headers.get('cache-status')).toBe('coherent; fwd=uri-miss; stored');
  expect((await get('/things/1?ref=elsewhere')).headers.get('cache-status')).toContain('hit');
});

test('its style sheet is served for a year under the name its layout links to', async () => {
  const [, href = ''] = /<link rel="stylesheet" href="([^"]+)">/.exec(await (await get('/')).text()) ?? [];
  expect(href).toMatch(/^\/things\.[0-9a-f]{12}\.css$/);
  const sheet = await get(href);
  expect(sheet.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(sheet.headers.get('content-type')).toContain('text/css');
});

test('what is not there is 404, what does not fit is 400 or 404, what breaks is 500 without internals', async () => {
  expect((await get('/things/3')).status).toBe(404);
  expect((await get('/things/9223372036854775808')).status).toBe(404);
  const tooLargeForTheColumn = await get('/things/3000000000');
  expect(tooLargeForTheColumn.status).toBeGreaterThanOrEqual(400);
  expect(tooLargeForTheColumn.status).toBeLessThan(500);
  const broken = await get('/broken');
  const html = await broken.text();
  expect(broken.status).toBe(500);
  expect(html).not.toContain('secret');
  const [, id = ''] = /reference <code>([0-9a-f]+)<\/code>/.exec(html) ?? [];
  expect(server.output()).toContain(id);
  expect(server.output()).toContain('a secret of the kitchen');
});

test('with a database that is not there it starts, says so, and serves what needs none', async () => {
  const DATABASE_URL = 'postgres://nobody:hunter2@127.0.0.1:1/nothing';
  const alone = await startBuilt(build, {
    NODE_ENV: 'production',
    DATABASE_URL,
    APP: join(build.folder, 'site'),
  });
  try {
    expect(alone.output()).toContain('the server keeps trying');
    expect(alone.output()).not.toContain('hunter2');
    expect((await fetch(new URL('/', alone.url))).status).toBe(200);
    const thing = await fetch(new URL('/things/1', alone.url));
    expect(thing.status).toBe(503);
    expect(Number(thing.headers.get('retry-after'))).toBeGreaterThanOrEqual(2);
  } finally {
    expect(await alone.stop()).toBe(0);
  }
});

test('it stops when it is asked to', async () => {
  expect(await server.stop()).toBe(0);
});
