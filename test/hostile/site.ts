// The pages that are asked for: quick ones, slow ones, a form, and two that fail.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Build } from '../support/built-server.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const PAGE = "import { page } from 'coherent-render-server';\nimport { z } from 'zod';\n";

const PAGES: Readonly<Record<string, string>> = {
  'index.js': `export default page({ view: () => ({ h1: 'home' }) });`,
  'echo/[id].js': `export default page({
    params: { id: z.string() }, query: { q: z.string().default('') },
    load: ({ params }) => params.id, view: (id) => [{ h1: id }, { p: 'Worth compressing. '.repeat(100) }],
  });`,
  'slow/[id].js': `import { setTimeout as pause } from 'node:timers/promises';
  export default page({
    params: { id: z.string() }, cache: { ttlMs: 0 },
    load: ({ params, signal }) => pause(5000, params.id, { signal }), view: (id) => ({ p: id }),
  });`,
  'form.js': `export default page({ form: { a: z.string().optional() }, action: () => undefined, view: () => 'form' });`,
  'wrong.js': `export default page({
    cache: { ttlMs: 0 },
    load: () => { throw Object.assign(new Error('no cursor'), { code: 'E_BAD_CURSOR' }); }, view: () => '',
  });`,
  'broken.js': `export default page({ cache: { ttlMs: 0 }, load: () => { throw new Error('broken'); }, view: () => '' });`,
};

/** Writes them below the build; returns what a server needs in its environment to serve them. */
export function hostileSite(build: Build): Readonly<Record<string, string>> {
  const folder = join(build.folder, 'hostile');
  for (const [path, text] of Object.entries(PAGES)) {
    const file = join(folder, 'pages', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, PAGE + text);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(build.folder, 'package'), join(folder, 'node_modules/coherent-render-server'));
  symlinkSync(join(modules, 'zod'), join(folder, 'node_modules/zod'));
  // Nothing is embedded, and nobody listens there: these pages read nothing.
  const database = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', FEED: 'off' };
  return { APP: folder, NODE_ENV: 'production', LOG_LEVEL: 'info', ...database };
}
