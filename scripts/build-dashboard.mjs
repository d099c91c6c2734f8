#!/usr/bin/env node
// The dashboard of the operations port, into a dist/ that holds the compiled server:
//   node scripts/build-dashboard.mjs [dist]
// The script is compiled, the style copied, and the pages are rendered by the server's own renderer, now and not when
// the page is asked for: the operations port shows them with no worker alive, from a process that holds no rendering code.
// They name their files by a revision made from what is in them, so that browsers may keep those for ever.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
const source = join(root, 'src/dashboard/browser');
const target = join(dist, 'src/dashboard/browser');
const uplot = dirname(fileURLToPath(import.meta.resolve('uplot')));

rmSync(target, { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.client.json'), '--outDir', dist],
  { stdio: 'inherit' },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

mkdirSync(target, { recursive: true });
for (const file of ['dashboard.css', 'icon.svg']) copyFileSync(join(source, file), join(target, file));

const own = readdirSync(target).filter((file) => /\.(js|css|svg)$/.test(file));
const modules = ['main.js', ...own.filter((file) => file.endsWith('.js') && file !== 'main.js').sort()];
const borrowed = ['uPlot.esm.js', 'uPlot.min.css'].map((file) => join(uplot, file));

const revision = digest([...own.sort().map((file) => join(target, file)), ...borrowed]);
const assets = `/dashboard/assets/${revision}`;
const built = (file) => import(pathToFileURL(join(dist, 'src', file)).href);
const { importMap, shellPage } = await built('dashboard/page/shell.js');
const { loginPage } = await built('dashboard/page/login.js');
const { render } = await built('render/render.js');

writeFileSync(join(target, 'dashboard.html'), render(shellPage({ assets, modules })));
for (const state of ['asked', 'wrong', 'too-many']) {
  writeFileSync(join(target, `login-${state}.html`), render(loginPage(assets, state)));
}
const scriptHash = `sha256-${createHash('sha256').update(importMap(assets)).digest('base64')}`;
writeFileSync(join(target, 'manifest.json'), `${JSON.stringify({ revision, files: own, scriptHash })}\n`);

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 12);
}
