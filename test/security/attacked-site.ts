// The application under attack: pages that show everything a page can see. It needs no database.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Build } from '../support/built-server.ts';
import { HOST } from './matrix-site.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

const ECHO = `
import { page } from 'coherent-render-server';
import { z } from 'zod';

export default page({
  params: { id: z.coerce.number().int().positive() },
  query: { q: z.string().default('') },
  cache: { ttlMs: 600_000 },
  load: ({ params, query, headers, dependsOn }) => {
    dependsOn('echo#' + params.id);
    return { params, query, headers, polluted: {}.q ?? {}.polluted ?? 'no' };
  },
  head: (seen) => ({ title: 'Echo ' + seen.params.id }),
  view: (seen) => [{ pre: JSON.stringify(seen) }, { p: 'Worth compressing. '.repeat(100) }],
});`;

const LOCALE = `
import { page } from 'coherent-render-server';
import { z } from 'zod';

export default page({
  params: { id: z.coerce.number().int().positive() },
  cache: { ttlMs: 600_000, vary: ['x-forwarded-proto', 'x-forwarded-host', 'accept-language'] },
  load: ({ params, headers }) => ({ params, headers }),
  view: (seen) => ({ pre: JSON.stringify(seen) }),
});`;

const GO = `
import { page, redirect } from 'coherent-render-server';
import { z } from 'zod';

export default page({
  params: { to: z.string() },
  query: { to: z.string().default('') },
  load: ({ params, query }) => redirect(query.to === '' ? '/echo/' + params.to : query.to.startsWith('/') ? query.to : '/' + query.to),
  view: () => 'never',
});`;

const BIG = `
import { page } from 'coherent-render-server';

export default page({ cache: { ttlMs: 600_000 }, view: () => ({ p: 'x'.repeat(8_000_000) }) });`;

const HOME = `
import { page } from 'coherent-render-server';

export default page({ view: () => ({ h1: 'home' }) });`;

const API = `
import { endpoint, raw } from 'coherent-render-server';
import { z } from 'zod';

const merged = {};
export default endpoint({
  from: 'anywhere',
  POST: {
    body: z.record(z.string(), z.unknown()),
    handler: ({ body }) => {
      for (const [name, value] of Object.entries(body)) merged[name] = value;
      return { taken: true };
    },
  },
  PUT: { body: raw(), handler: ({ body }) => ({ length: body.length }) },
  DELETE: () => undefined,
});`;

const UPLOAD = `
import { endpoint, upload } from 'coherent-render-server';

const sink = { save: async ({ stream, name }) => { let length = 0; for await (const chunk of stream) length += chunk.length; return length; } };
export default endpoint({
  from: 'anywhere',
  POST: { body: upload({ files: { file: { sink, maxBytes: 1000 } } }), handler: ({ body }) => ({ lengths: body.files.file }) },
});`;

const OWN = `
import { endpoint } from 'coherent-render-server';
import { z } from 'zod';

export default endpoint({ POST: { body: z.record(z.string(), z.unknown()), handler: () => ({ done: true }) } });`;

/** Files of the application, by path. */
const FILES: Readonly<Record<string, string>> = {
  'package.json': '{"type":"module"}',
  'pages/index.js': HOME,
  'pages/echo/[id].js': ECHO,
  'pages/locale/[id].js': LOCALE,
  'pages/go/[to].js': GO,
  'pages/big.js': BIG,
  'pages/api.js': API,
  'pages/upload.js': UPLOAD,
  'pages/own.js': OWN,
  'public/style.css': 'p { color: red }',
  'public/.hidden': 'a secret of the folder',
  'secret.txt': 'a secret beside the folder',
};

/** Writes the application below the build; returns what a server needs in its environment to serve it. */
export function attackedSite(build: Build): Readonly<Record<string, string>> {
  const folder = join(build.folder, 'attacked');
  for (const [path, text] of Object.entries(FILES)) {
    const file = join(folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
  }
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(build.folder, 'package'), join(folder, 'node_modules/coherent-render-server'));
  symlinkSync(join(modules, 'zod'), join(folder, 'node_modules/zod'));
  return {
    APP: folder,
    // Nothing is embedded, and nobody listens there: these pages read nothing.
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    FEED: 'off',
    ALLOWED_HOSTS: `${HOST},127.0.0.1`,
  };
}
