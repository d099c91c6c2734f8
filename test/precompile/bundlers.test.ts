// The plugin in the bundlers that it is for: what they build renders, and its map leads back to the author's lines.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build as esbuild } from 'esbuild';
import { rolldown } from 'rolldown';
import { build as vite } from 'vite';
import { afterAll, describe, expect, test } from 'vitest';
import { precompile } from '../../src/precompile.ts';

const folder = mkdtempSync(join(tmpdir(), 'precompile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
const alias = {
  'coherent-render-server/jsx-dev-runtime': source('jsx-dev-runtime.ts'),
  'coherent-render-server/jsx-runtime': source('jsx-runtime.ts'),
  renderer: source('render/render.ts'),
};

const input = join(folder, 'view.tsx');
writeFileSync(
  input,
  `import { render } from 'renderer';

const Item = ({ name }: { readonly name: string }) => (
  <li className="item">
    {name.toUpperCase()}
  </li>
);

export const page = (names: readonly string[]): string =>
  String(render(<ul id="list">{names.map((name) => <Item key={name} name={name} />)}</ul>));
`,
);
const html = '<ul id="list"><li class="item">A&amp;B</li><li class="item">C</li></ul>';

interface Built {
  page(names: readonly string[]): string;
}

const bundlers: readonly [name: string, bundle: (file: string) => Promise<unknown>][] = [
  [
    'esbuild',
    (outfile) =>
      esbuild({
        entryPoints: [input],
        outfile,
        bundle: true,
        format: 'esm',
        platform: 'node',
        sourcemap: true,
        jsx: 'automatic',
        jsxImportSource: 'coherent-render-server',
        alias,
        plugins: [precompile.esbuild()],
        logLevel: 'error',
      }),
  ],
  [
    'rolldown',
    async (file) => {
      const bundle = await rolldown({
        input,
        platform: 'node',
        resolve: { alias },
        transform: { jsx: { runtime: 'automatic', importSource: 'coherent-render-server' } },
        plugins: [precompile.rolldown()],
      });
      await bundle.write({ file, format: 'esm', sourcemap: true });
      await bundle.close();
    },
  ],
  [
    'Vite',
    (file) =>
      vite({
        root: folder,
        configFile: false,
        logLevel: 'error',
        resolve: { alias },
        esbuild: { jsx: 'automatic', jsxImportSource: 'coherent-render-server' },
        plugins: [precompile.vite()],
        build: {
          ssr: input,
          outDir: folder,
          emptyOutDir: false,
          sourcemap: true,
          minify: false,
          rollupOptions: { output: { entryFileNames: file.slice(folder.length + 1) } },
        },
      }),
  ],
];

describe.each(bundlers)('%s', (name, bundle) => {
  const file = join(folder, `${name}.mjs`);

  test('builds views whose static parts are templates', async () => {
    await bundle(file);
    const built = (await import(pathToFileURL(file).href)) as Built;
    expect(built.page(['a&b', 'c'])).toBe(html);
    const code = readFileSync(file, 'utf8');
    expect(code).toMatch(
      /\(\["<li class=\\?"item\\?">", "<\/li>"\]\)|\[\s*'<li class="item">',\s*["']<\/li>["']\s*\]|\["<li class=\\"item\\">", "<\/li>"\]/,
    );
  });

  test('has a map to the lines of the views', () => {
    const lines = readFileSync(file, 'utf8').split('\n');
    const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
    const line = lines.findIndex((each) => each.includes('name.toUpperCase()'));
    const column = lines[line]?.indexOf('toUpperCase') ?? 0;
    const origin = map.findEntry(line, column);
    expect('originalLine' in origin && origin.originalSource.endsWith('view.tsx')).toBe(true);
    expect('originalLine' in origin && origin.originalLine).toBe(4);
  });
});
