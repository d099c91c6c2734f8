// An application whose pages are work, for tests of overload: /work/<id> waits a little, as for a database, and then holds
// the event loop for WORK_MS, as computing would; /hot is the same for everybody. It sleeps in place of computing, so that
// what a worker can do a second does not hang on who else uses the machine.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Build } from './built-server.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

const WORK_PAGE = `
import { setTimeout as pause } from 'node:timers/promises';
import { page } from 'coherent-render-server';
import { z } from 'zod';

export default page({
  params: { id: z.string() },
  cache: { ttlMs: 600_000 },
  load: async ({ params: { id }, signal }) => {
    await pause(5, undefined, { signal });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.WORK_MS));
    return id;
  },
  view: (id) => ({ p: 'page ' + id }),
});`;

const HOT_PAGE = `
import { page } from 'coherent-render-server';

export default page({ cache: { ttlMs: 600_000, static: true }, view: () => ({ p: 'hot' }) });`;

export interface WorkingApp {
  readonly folder: string;
  env(workMs: number): Readonly<Record<string, string>>;
}

export function workingApp(build: Build): WorkingApp {
  const folder = join(build.folder, 'working');
  mkdirSync(join(folder, 'pages/work'), { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(build.folder, 'package'), join(folder, 'node_modules/coherent-render-server'));
  symlinkSync(join(modules, 'zod'), join(folder, 'node_modules/zod'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'pages/work/[id].js'), WORK_PAGE);
  writeFileSync(join(folder, 'pages/hot.js'), HOT_PAGE);
  return { folder, env: (workMs) => ({ APP: folder, WORK_MS: String(workMs) }) };
}
