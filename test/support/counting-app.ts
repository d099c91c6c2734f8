// An application of slow pages that write down each of their renders, for tests of whole servers.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Build } from './built-server.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

const SLOW_PAGE = `
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { page } from 'coherent-render-server';
import { z } from 'zod';

const tell = (what, id) => appendFileSync(process.env.RENDERS_FILE, what + ' ' + id + '\\n');

export default page({
  params: { id: z.string() },
  query: { page: z.coerce.number().int().default(1) },
  cache: { ttlMs: 600_000 },
  load: async ({ params: { id }, query, signal }) => {
    const name = query.page === 1 ? id : id + '?' + query.page;
    tell('begun', name);
    try {
      await pause(Number(process.env.RENDER_MS), undefined, { signal });
      tell('ended', name);
    } catch (error) {
      tell('aborted', name);
      throw error;
    }
    return name;
  },
  view: (name) => ({ p: 'page ' + name }),
});`;

/** Next to no CPU, and a statement that takes 300 ms. */
const WAITING_PAGE = `
import { appendFileSync } from 'node:fs';
import { notFound, page } from 'coherent-render-server';
import { z } from 'zod';

export default page({
  params: { id: z.string() },
  cache: { ttlMs: 600_000 },
  load: async ({ params: { id }, db }) => {
    if (id.startsWith('missing')) return notFound();
    appendFileSync(process.env.RENDERS_FILE, 'begun ' + id + '\\n');
    await db.query('select pg_sleep(0.3)');
    return id;
  },
  view: (name) => ({ p: 'page ' + name }),
});`;

export interface CountingApp {
  readonly folder: string;
  /** For the servers: where the application is, where it writes, and how slow it is. */
  env(renderMs: number): Readonly<Record<string, string>>;
  /** What became of the renders of a page, in their order: begun, ended, aborted. */
  told(id: string): string[];
}

/** `settings`: what stands in application({ ... }). */
export function countingApp(build: Build, settings: Readonly<Record<string, unknown>> = {}): CountingApp {
  const folder = join(build.folder, 'site');
  const file = join(build.folder, 'renders');
  mkdirSync(join(folder, 'pages/slow'), { recursive: true });
  mkdirSync(join(folder, 'pages/waiting'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(build.folder, 'package'), join(folder, 'node_modules/coherent-render-server'));
  symlinkSync(join(modules, 'zod'), join(folder, 'node_modules/zod'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'pages/slow/[id].js'), SLOW_PAGE);
  writeFileSync(join(folder, 'pages/waiting/[id].js'), WAITING_PAGE);
  writeFileSync(
    join(folder, 'app.js'),
    `import { application } from 'coherent-render-server';\nexport default application(${JSON.stringify(settings)});`,
  );
  writeFileSync(file, '');
  return {
    folder,
    env: (renderMs) => ({ APP: folder, RENDERS_FILE: file, RENDER_MS: String(renderMs) }),
    told: (id) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith(` ${id}`))
        .map((line) => line.slice(0, line.indexOf(' '))),
  };
}
