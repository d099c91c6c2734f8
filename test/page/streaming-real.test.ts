// A slow page of real servers, two hosts of two workers: whichever worker a visitor comes to, the shell goes out at once.
import { appendFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';
import { scrape } from '../support/scrape.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const VISITORS = 40;

/** Its load waits until the test says so. */
const PAGE = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { page } from 'coherent-render-server';

export default page({
  cache: { ttlMs: 600_000 },
  shell: () => ({ title: 'A slow page' }),
  load: async ({ signal }) => {
    appendFileSync(process.env.RENDERS_FILE, 'render\\n');
    while (!existsSync(process.env.GATE_FILE)) await pause(20, undefined, { signal });
    return 'the rows';
  },
  view: (rows) => ({ p: rows }),
});`;

let build: Build;
let database: TestDatabase;
let redis: TestRedis;
let boxes: RunningServer[] = [];
let renders: string;
let gate: string;

beforeAll(async () => {
  build = buildServer();
  [database, redis] = await Promise.all([testDatabase(''), testRedis()]);
  const folder = join(build.folder, 'site');
  [renders, gate] = [join(build.folder, 'renders'), join(build.folder, 'gate')];
  for (const name of ['pages', 'node_modules']) mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(join(build.folder, 'package'), join(folder, 'node_modules/coherent-render-server'));
  symlinkSync(join(modules, 'zod'), join(folder, 'node_modules/zod'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'pages/index.js'), PAGE);
  const start = (box: string) =>
    startBuilt(build, {
      APP: folder,
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      FEED: 'off',
      WORKERS: '2',
      DATA_DIR: join(build.folder, box),
      RENDERS_FILE: renders,
      GATE_FILE: gate,
    });
  boxes = await Promise.all(['a', 'b'].map(start));
}, 120_000);
afterAll(async () => {
  await Promise.all(boxes.map((box) => box.stop()));
  await database?.close();
  await redis?.close();
  build?.remove();
});

/** Resolves when the shell is here. */
async function visit(box: RunningServer) {
  const response = await fetch(box.url, { headers: { connection: 'close' } });
  const parts = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  const read = async () => (await parts?.next())?.value ?? '';
  let first = '';
  while (!first.includes('<title>A slow page</title>')) first += await read();
  const whole = async () => {
    let text = first;
    for (let part = await read(); part !== ''; part = await read()) text += part;
    return text;
  };
  return { status: response.headers.get('cache-status'), whole };
}

/** By result, of all workers. */
async function counted(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const box of boxes) {
    const operations = /"operations":"([^"]+)"/.exec(box.output())?.[1]?.replace('localhost', '127.0.0.1');
    for (const [name, value] of (await scrape(operations ?? '')).series) {
      const result = /^coherent_cache_requests_total\{.*result="(\w+)"/.exec(name)?.[1];
      if (result !== undefined) counts[result] = (counts[result] ?? 0) + value;
    }
  }
  return counts;
}

test('visitors of each worker of two hosts have the shell before the one render has its data, and none is a hit', async () => {
  const visits = await Promise.all(
    Array.from({ length: VISITORS }, (_, id) => visit(boxes[id % 2] as RunningServer)),
  );
  expect(existsSync(gate)).toBe(false);
  const own = 'coherent; fwd=uri-miss; detail=STREAMED';
  expect(visits.filter(({ status }) => status === own)).toHaveLength(1);
  expect(visits.filter(({ status }) => status?.includes('collapsed'))).toHaveLength(VISITORS - 1);
  appendFileSync(gate, '');
  const answers = new Set(await Promise.all(visits.map(({ whole }) => whole())));
  expect(answers.size).toBe(1);
  expect([...answers][0]).toContain('<p>the rows</p>');
  expect(readFileSync(renders, 'utf8')).toBe('render\n');
  expect(await counted()).toEqual({ miss: VISITORS });
}, 60_000);
