import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BuildParts, buildOf } from './build-id.ts';
import { PublicFiles, readPublicFiles } from './public-files.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coherent-build-'));
  for (const [name, text] of Object.entries(FILES)) put(name, text);
});
afterEach(() => rmSync(root, { recursive: true }));

function put(name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

const FILES = {
  'site/app/pages/index.js': `import { a } from '../helper.cjs'; import b from"../../shared/b.js";
    export * from '../../shared/c.mjs'; const d = await import('lib/deep.js'); import '@scope/esm-only';
    import texts from '../texts.json' with { type: 'json' }; new URL('../../data/table.csv', import.meta.url);
    import { readFileSync } from 'node:fs'; import '#inner'; import 'coherent-render-server'; import 'not-installed'; import 'linked';`,
  'site/app/helper.cjs': `require('./other'); require('../shared/folder')`,
  'site/app/other.cjs': '1',
  'site/app/not-imported.js': '1',
  'site/app/texts.json': '{}',
  'site/app/app.js': '1',
  'site/app/content/a.md': 'a',
  'site/app/README.md': 'x',
  'site/package.json': '{"imports":{"#inner":"./inner/x.js"}}',
  'site/inner/x.js': '1',
  'site/shared/b.js': `import './b2.js'; import './b.js'`,
  'site/shared/b2.js': `import './b.js'`,
  'site/shared/c.mjs': '1',
  'site/shared/folder/index.js': '1',
  'site/shared/stranger.js': '1',
  'site/data/table.csv': '1',
  'site/node_modules/lib/package.json': '{"name":"lib","version":"1.0.0","dependencies":{"lib-of-lib":"1"}}',
  'site/node_modules/lib/deep.js': `require('lib-of-lib')`,
  'site/node_modules/lib/README.md': 'x',
  'site/node_modules/lib-of-lib/package.json': '{}',
  'site/node_modules/lib-of-lib/index.js': '1',
  'site/node_modules/@scope/esm-only/package.json': '{"exports":{"import":"./x.mjs"}}',
  'site/node_modules/@scope/esm-only/x.mjs': '1',
  'site/node_modules/unused/package.json': '{}',
  'site/node_modules/coherent-render-server/package.json': '{"name":"coherent-render-server"}',
  'workspace/linked/package.json': '{}',
  'workspace/linked/src/x.js': '1',
};

const build = async (more: Partial<BuildParts> = {}) =>
  buildOf({
    folder: join(root, 'site/app'),
    serverBuild: '1',
    publicFiles: new PublicFiles('public'),
    ...more,
  });

test.each(
  Object.keys(FILES).filter(
    (name) => !/README|stranger|unused|a\.md|coherent-render|site\/package/.test(name),
  ),
)('a change of %s makes another build, and taking it back the old one', async (name) => {
  symlinkSync(join(root, 'workspace/linked'), join(root, 'site/node_modules/linked'));
  const text = FILES[name as keyof typeof FILES];
  const first = await build();
  put(name, name.endsWith('.json') ? `${text} ` : `${text} // changed`);
  expect(await build()).not.toBe(first);
  put(name, text);
  expect(await build()).toBe(first);
});

test('what is not part of it changes nothing, nor does where it lies', async () => {
  const first = await build();
  for (const name of Object.keys(FILES).filter((each) => /README|stranger|unused|a\.md/.test(each))) {
    put(name, 'changed');
    expect(await build(), name).toBe(first);
  }
  put('site/node_modules/coherent-render-server/index.js', 'changed');
  expect(await build()).toBe(first);
});

test('public files, the server and what app.js names are part of it', async () => {
  const first = await build();
  put('public/style.css', 'x');
  expect(await build({ publicFiles: await readPublicFiles(join(root, 'public')) })).not.toBe(first);
  expect(await build({ serverBuild: '2' })).not.toBe(first);
  const buildFiles = ['content', '../data/table.csv'];
  const named = await build({ buildFiles });
  put('site/app/content/b.md', 'b');
  expect(await build({ buildFiles })).not.toBe(named);
  await expect(build({ buildFiles: ['contents'] })).rejects.toThrow("app: buildFiles names 'contents'");
});

test('BUILD_ID stands for all code', async () => {
  const first = await build({ buildId: 'a' });
  put('site/app/other.cjs', 'changed');
  expect(await build({ buildId: 'a' })).toBe(first);
  expect(await build({ buildId: 'b' })).not.toBe(first);
});

test('a text that is no code, a cycle of packages and a package of thousands of files end the search, not the start', async () => {
  put(
    'site/node_modules/lib-of-lib/index.js',
    `require('lib/deep.js'); import('\0'); require('../../../../../..'); import '@'`,
  );
  for (let at = 0; at < 1600; at++) put(`site/node_modules/@scope/esm-only/many/${at}.js`, '1');
  const first = await build();
  put('site/node_modules/@scope/esm-only/package.json', '{"version":"2"}');
  expect(await build()).not.toBe(first);
});
