import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { layout } from '../definitions/layout.ts';
import { page } from '../definitions/page.ts';
import { assemble } from './application.ts';
import { loadApplication } from './load-application.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'coherent-app-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const load = (files: Readonly<Record<string, string>>) =>
  loadApplication({ folder: folderOf(files), serverBuild: '1' });
const home = `import { page } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../definitions/page.ts')).href)};
  export default page({ view: () => 'home' });`;

describe('an application that is not right is refused with the way out', () => {
  test.each<[string, Record<string, string>, string]>([
    ['no pages', { 'app.js': '' }, 'An application is a folder with pages/ in it'],
    ['sources', { 'pages/index.ts': '' }, 'Build the application (coherent-server build)'],
    ['a file that is no page', { 'pages/index.js': home, 'pages/notes.txt': '' }, 'notes.txt is not a page'],
    [
      'a page without default export',
      { 'pages/index.js': 'export const a = 1;' },
      'pages/index has no default export',
    ],
    [
      'a page that is something else',
      { 'pages/index.js': 'export default () => 1;' },
      'must be made by page()',
    ],
    [
      'a page of another copy',
      { 'pages/index.js': 'export default { definition: { view: () => 1 } };' },
      'another copy of coherent-render-server',
    ],
    [
      'a page that throws',
      { 'pages/index.js': 'throw new Error("typo in here");' },
      'pages/index could not be loaded: typo in here',
    ],
    [
      'two files for one route',
      { 'pages/a.js': home, 'pages/a/index.js': home },
      'answer the same addresses',
    ],
    [
      'an unknown name',
      { 'pages/index.js': home, 'pages/_middleware.js': home },
      "'_middleware' is not a name this server knows",
    ],
    [
      'settings that are none',
      { 'pages/index.js': home, 'app.js': 'export default 1;' },
      'app.js has no settings',
    ],
    [
      'a policy that cannot be a header',
      {
        'pages/index.js': home,
        'app.js': "export default { contentSecurityPolicy: { 'img-src': ['a; b'] } };",
      },
      "contentSecurityPolicy holds 'a; b'",
    ],
    [
      'a page to be warmed that is not there',
      { 'pages/index.js': home, 'app.js': "export default { warm: ['/', '/nowhere'] };" },
      "warm holds '/nowhere', which no page answers",
    ],
    [
      'an address to be warmed that is none',
      { 'pages/index.js': home, 'app.js': 'export default { warm: [17] };' },
      "warm holds '17'",
    ],
  ])('%s', async (_what, files, why) => {
    await expect(load(files)).rejects.toMatchObject({
      code: 'E_APPLICATION',
      message: expect.stringContaining(why),
    });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a route without schema', { 'users/[id]': page({ view: () => '' }) }, "have no schema for 'id'"],
    [
      'a schema without route',
      { users: page({ params: { id: z.string() }, view: () => '' }) },
      'params.id is not in the route /users',
    ],
    [
      'something that is no schema',
      { users: page({ query: { a: {} as never }, view: () => '' }) },
      "'a' is not a Standard Schema",
    ],
    [
      'a layout that is a page',
      { index: page({ view: () => '' }), _layout: page({ view: () => '' }) },
      'pages/_layout',
    ],
    [
      'a time limit that is none',
      { index: page({ renderTimeoutMs: 0, view: () => '' }) },
      'renderTimeoutMs is 0; give milliseconds',
    ],
    ['only a layout', { _layout: layout({ view: () => '' }) }, 'pages/ holds no page'],
  ])('%s', (_what, pages, why) => {
    const modules = Object.entries(pages).map(([file, exported]) => ({ file, exported }));
    expect(() => assemble({ modules, build: 'b' })).toThrow(why);
  });
});

test('the build is another one as soon as any file is, and the same otherwise', async () => {
  const files = {
    'pages/index.js': home,
    'components/a.js': 'export {}',
    'public/x.css': 'a',
    'README.md': 'x',
  };
  const build = async (more: Record<string, string>) => (await load({ ...files, ...more })).build;
  const first = await build({});
  expect(await build({})).toBe(first);
  expect(await build({ 'README.md': 'y' })).toBe(first);
  for (const change of [
    { 'components/a.js': 'export { }' },
    { 'public/x.css': 'b' },
    { 'pages/b.js': home },
  ]) {
    expect(await build(change)).not.toBe(first);
  }
});
