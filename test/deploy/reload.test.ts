// A deploy: the style sheet and the code of a site change, and its workers are replaced one by one while people visit it.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const TOKEN = 'a-token-of-this-test';

const PAGE = `
import { page } from 'coherent-render-server';
import { z } from 'zod';
import { color } from '../color.js';

export default page({
  query: { page: z.coerce.number().int().default(1) },
  cache: { ttlMs: 600_000 },
  view: () => ({ p: 'this is ' + color }),
});`;
const LAYOUT = `
import { layout } from 'coherent-render-server';

export default layout({
  head: ({ asset }) => ({ link: { rel: 'stylesheet', href: asset('/style.css') } }),
  view: ({ content }) => content,
});`;

let build: Build;
let database: TestDatabase;
let server: RunningServer;
let folder: string;

beforeAll(async () => {
  build = buildServer();
  database = await testDatabase('');
  folder = join(build.folder, 'site');
  for (const name of ['pages', 'public', 'node_modules']) mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(join(build.folder, 'package'), join(folder, 'node_modules/coherent-render-server'));
  symlinkSync(join(modules, 'zod'), join(folder, 'node_modules/zod'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'pages/index.js'), PAGE);
  writeFileSync(join(folder, 'pages/_layout.js'), LAYOUT);
  put('red');
  server = await startBuilt(build, {
    APP: folder,
    NODE_ENV: 'production',
    DATABASE_URL: database.url,
    FEED: 'off',
    WORKERS: '2',
    OPS_TOKEN: TOKEN,
  });
}, 120_000);
afterAll(async () => {
  await server?.stop();
  await database?.close();
  build?.remove();
});

const sheet = (color: string) => `p { color: ${color} }\n`.repeat(100);

/** What a deploy puts on the disk. */
function put(color: string): void {
  writeFileSync(join(folder, 'public/style.css'), sheet(color));
  writeFileSync(join(folder, 'color.js'), `export const color = '${color}';`);
}

async function reload(): Promise<number> {
  const operations = /"operations":"([^"]+)"/.exec(server.output())?.[1]?.replace('localhost', '127.0.0.1');
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await fetch(`${operations}/reload`, { method: 'POST', headers })).status;
}

/** Over a connection of its own, so that each worker gets some. */
async function get(path: string) {
  const response = await fetch(new URL(path, server.url), { headers: { connection: 'close' } });
  return {
    status: response.status,
    cache: response.headers.get('cache-control'),
    text: await response.text(),
  };
}

/** The page and its style sheet, as a browser loads them. */
async function load(path: string) {
  const { status, text } = await get(path);
  const href = /href="(\/style\.[0-9a-f]+\.css)"/.exec(text)?.[1] ?? 'none';
  const style = await get(href);
  const [, color] = /this is (\w+)/.exec(text) ?? [];
  return { status, color, href, style };
}

test('whoever visits while the workers are replaced gets each page with the style sheet that it was made with', async () => {
  const hrefs: Record<string, string> = { red: (await load('/')).href };
  const colors: (string | undefined)[] = [];
  const wrong: unknown[] = [];
  let isOver = false;
  const visitor = async (id: number) => {
    for (let visit = 0; !isOver; visit++) {
      const path = visit % 2 === 0 ? '/' : `/?page=${id}${visit}`;
      const { status, color = 'none', href, style } = await load(path);
      hrefs[color] ??= href;
      const isRight =
        status === 200 &&
        style.status === 200 &&
        style.text === sheet(color) &&
        style.cache?.includes('immutable') === true &&
        hrefs[color] === href;
      if (!isRight) wrong.push({ path, status, color, href, style });
      colors.push(color);
      // A tab that was opened before the deploy.
      const old = await get(hrefs.red ?? '');
      if (old.status !== 200 || old.text !== sheet('red')) wrong.push({ old });
    }
  };
  const visitors = Promise.all(Array.from({ length: 6 }, (_, id) => visitor(id)));
  put('blue');
  expect(await reload()).toBe(200);
  const seenBy = colors.length;
  while (colors.length < seenBy + 12) await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  await visitors;
  expect(wrong).toEqual([]);
  expect(new Set(colors)).toEqual(new Set(['red', 'blue']));
  // The visits that began after the reload are of the new build, every one.
  expect(new Set(colors.slice(seenBy + 6))).toEqual(new Set(['blue']));
  expect(hrefs.blue).not.toBe(hrefs.red);
}, 60_000);
