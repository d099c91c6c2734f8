// The examples of docs/guides/views.md, word for word: their types hold, and they render what the guide says.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { precompile } from '../../src/precompile.ts';
import type { Node } from '../../src/render/element.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = (path: string) => join(root, 'src', path);
const guide = readFileSync(join(root, 'docs/guides/views.md'), 'utf8');
const pages = [...guide.matchAll(/```tsx?\n\/\/ (app\/pages\/[\w-]+\.tsx?)\n([\s\S]*?)```/g)].map(
  ([, path = '', code = '']) => ({ path, code }),
);
/** Where packages of this repository are found from. */
const folder = mkdtempSync(join(root, 'node_modules', '.views-guide-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  for (const { path, code } of pages) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), code);
  }
});

interface Built {
  readonly default: { readonly definition: { load?(): unknown; view(props: unknown): Node } };
  render(node: Node): string | Promise<string>;
}

async function rendered(path: string, props?: unknown, precompiled = true): Promise<string> {
  const entry = join(folder, `${path}.entry.mjs`);
  writeFileSync(
    entry,
    `export { default } from ${JSON.stringify(join(folder, path))};\nexport { render } from 'coherent-render-server';\n`,
  );
  const outfile = join(folder, `${path}.${precompiled}.mjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    jsxImportSource: 'coherent-render-server',
    alias: {
      'coherent-render-server/jsx-runtime': source('jsx-runtime.ts'),
      'coherent-render-server': source('index.ts'),
    },
    packages: 'external',
    plugins: precompiled ? [precompile.esbuild()] : [],
    logLevel: 'error',
  });
  const { default: page, render } = (await import(pathToFileURL(outfile).href)) as Built;
  return render(page.definition.view(props ?? page.definition.load?.()));
}

test('there are some', () => expect(pages).toHaveLength(9));

test.each([true, false])('they render, precompiled or not: %s', async (precompiled) => {
  const users = [
    { id: 1, name: 'A & B', site: 'https://example.org/', isNew: true },
    { id: 2, name: 'C', site: null, isNew: false },
  ];
  expect(await rendered('app/pages/users.tsx', { users }, precompiled)).toBe(
    '<section class="card"><h2>Users</h2><ul><li class="user new"><a href="/users/1">A &amp; B</a> ' +
      '<a href="https://example.org/">site</a></li><li class="user"><a href="/users/2">C</a> </li></ul></section>',
  );
  expect((await rendered('app/pages/about.ts', undefined, precompiled)).replace(/\s*\n\s*/g, '')).toBe(
    '<article class="about"><h1>Ada &amp; friends</h1><details open><summary>Links</summary><ul>' +
      '<li><a href="/" title="To /">/</a></li><li><a href="/users" title="To /users">/users</a></li></ul></details></article>',
  );
  expect(await rendered('app/pages/objects.ts', undefined, precompiled)).toBe(
    '<table class="plain"><tbody><tr><td>a</td><td>&lt;b&gt;</td></tr><tr><td>c</td><td>d</td></tr></tbody></table>',
  );
  expect(await rendered('app/pages/clock.tsx', undefined, precompiled)).toBe(
    '<time>now</time><script type="application/json" id="props">{"zone":"UTC"}</script>' +
      "<script>document.querySelector('time').textContent = new Date().toLocaleTimeString();</script>" +
      '<script src="/clock.js" defer></script>',
  );
  expect(await rendered('app/pages/links.tsx', undefined, precompiled)).toBe(
    '<ul><li><a href="https://example.org/">https://example.org/</a></li><li><a>javascript:alert(1)</a></li>' +
      '<li><a>ftp://example.org/</a></li></ul>',
  );
  expect(await rendered('app/pages/footer.tsx', undefined, precompiled)).toBe(
    '<div><footer><a href="/">/</a><a href="/about">/about</a></footer></div>',
  );
  expect(await rendered('app/pages/custom.tsx', undefined, precompiled)).toBe(
    '<my-clock zone="UTC">12:00</my-clock>',
  );
});

test.each(['react', 'preact'])('components of %s render in a page', async (name) => {
  const html = await rendered(`app/pages/${name}.tsx`);
  expect(html).toMatch(/^<p class="greeting">Hello, Ada &lt;3<\/p>$/);
});

test('their types hold', () => {
  const options = /```json\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      ...JSON.parse(options),
      compilerOptions: {
        ...JSON.parse(options).compilerOptions,
        noEmit: true,
        rootDir: root,
        skipLibCheck: true,
        allowImportingTsExtensions: true,
        types: ['node'],
        paths: {
          'coherent-render-server': [source('index.ts')],
          'coherent-render-server/*': [source('*.ts')],
        },
      },
    }),
  );
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    encoding: 'utf8',
  });
  // The guide's own files: React's types bring a browser's, which those of the server itself are not written for.
  expect(tsc.stdout.split('\n').filter((line) => line.includes('app/pages/'))).toEqual([]);
  expect(tsc.error).toBeUndefined();
});
