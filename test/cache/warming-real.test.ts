// Warming as an operator sees it: a server is started, visited, stopped and started again.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { type CountingApp, countingApp } from '../support/counting-app.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let build: Build;
let app: CountingApp;
let database: TestDatabase;
let server: RunningServer | undefined;

beforeAll(async () => {
  build = buildServer();
  app = countingApp(build, { warm: ['/slow/listed', '/slow/listed?page=2'] });
  database = await testDatabase('');
}, 120_000);
afterEach(() => server?.stop());
afterAll(async () => {
  await database?.close();
  build?.remove();
});

async function start(env: Readonly<Record<string, string>>): Promise<RunningServer> {
  server = await startBuilt(build, {
    ...app.env(50),
    NODE_ENV: 'production',
    DATABASE_URL: database.url,
    FEED: 'off',
    ...env,
  });
  return server;
}

const cacheStatus = async (path: string) =>
  (await fetch(new URL(path, server?.url))).headers.get('cache-status');

it('has the listed pages for whichever worker is asked before the first visitor, each rendered once', async () => {
  const { output } = await start({ WORKERS: '2', DATA_DIR: join(build.folder, 'listed') });
  for (let visit = 0; visit < 8; visit++) expect(await cacheStatus('/slow/listed')).toContain('hit');
  expect(await cacheStatus('/slow/listed?page=2')).toContain('; hit;');
  expect(app.told('listed')).toEqual(['begun', 'ended']);
  expect(app.told('listed?2')).toEqual(['begun', 'ended']);
  expect(output()).toMatch(/"done":2,"failed":0,"left":0.*"warming is over"/);
}, 60_000);

it('has what the run before was asked for, by whatever address', async () => {
  const folder = join(build.folder, 'remembered');
  const first = await start({ DATA_DIR: folder });
  await cacheStatus('/slow/wanted?utm_source=letter&page=03');
  await cacheStatus('/slow/a%20%C3%BC');
  await first.stop();
  const remembered: unknown = JSON.parse(readFileSync(join(folder, 'warm.json'), 'utf8'));
  expect(remembered).toEqual(expect.arrayContaining(['/slow/wanted?page=3', '/slow/a%20%C3%BC?page=1']));
  // As on a new disk: only the list is left.
  rmSync(join(folder, 'l3'), { recursive: true });
  await start({ DATA_DIR: folder });
  expect(app.told('wanted?3')).toHaveLength(4);
  expect(await cacheStatus('/slow/wanted?page=3')).toContain('; hit;');
  expect(await cacheStatus('/slow/a%20%C3%BC')).toContain('; hit;');
}, 60_000);

it('is ready when the time for warming is over, whatever has not been made', async () => {
  const { output } = await start({
    RENDER_MS: '600000',
    RENDER_TIMEOUT_MS: '700000',
    WARM_TIMEOUT_MS: '200',
    DATA_DIR: join(build.folder, 'slow'),
  });
  expect(output()).toMatch(/"left":2.*"warming is over"/);
}, 60_000);

it('can be turned off', async () => {
  const { output } = await start({ WARM_TIMEOUT_MS: '0', DATA_DIR: join(build.folder, 'off') });
  expect(output()).not.toContain('warming');
  expect(await cacheStatus('/slow/listed')).toContain('fwd=uri-miss');
}, 60_000);
