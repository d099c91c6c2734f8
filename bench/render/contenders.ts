// Who is measured. Each gives the bytes of a page: what a server sends, and what a string still costs.
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Node } from '../../src/render/element.ts';
import { fixed } from '../../src/render/fixed.ts';
import { renderToBuffer } from '../../src/render/render.ts';
import { trusted } from '../../src/render/trust.ts';
import { concatViews } from './in-concatenation.ts';
import { elementViews, type JsxRuntime } from './in-elements.ts';
import { type Html, markupViews } from './in-markup.ts';
import { objectViews } from './in-objects.ts';
import { tsxViews } from './in-tsx.tsx';
import { precompiledViews } from './precompiled.ts';
import type { ViewSet } from './workload.ts';

export interface Contender {
  readonly name: string;
  readonly views: Partial<ViewSet<Buffer>>;
}

/** The peers have a package.json of their own: `npm ci --prefix bench/peers`. */
const peers = createRequire(fileURLToPath(new URL(peersFolder(), import.meta.url)));

/** The benchmark runs from dist/, the peers are installed beside its source. */
function peersFolder(): string {
  return import.meta.url.includes('/dist/') ? '../../../bench/peers/package.json' : '../peers/package.json';
}

async function peer<Exports>(name: string): Promise<Exports> {
  return (await import(pathToFileURL(peers.resolve(name)).href)) as Exports;
}

function toBytes(views: Partial<ViewSet<string>>): Partial<ViewSet<Buffer>> {
  const entries = Object.entries(views).map(([name, view]) => [
    name,
    (turn: number) => Buffer.from(view(turn)),
  ]);
  return Object.fromEntries(entries) as Partial<ViewSet<Buffer>>;
}

export async function contenders(): Promise<Contender[]> {
  // React is another program while it is developed with.
  process.env.NODE_ENV = 'production';
  const coherent = await peer<{ render(tree: unknown, options: object): string }>('@coherent.js/core');
  const preact = peers('preact/jsx-runtime') as Pick<JsxRuntime<unknown>, 'jsx' | 'jsxs'>;
  const preactToString = peers('preact-render-to-string') as { renderToStaticMarkup(tree: unknown): string };
  const kita = peers('@kitajs/html/jsx-runtime') as Pick<JsxRuntime<unknown>, 'jsx' | 'jsxs'>;
  const hono = await peer<Pick<JsxRuntime<unknown>, 'jsx' | 'jsxs'>>('hono/jsx/jsx-runtime');
  const react = peers('react/jsx-runtime') as Pick<JsxRuntime<unknown>, 'jsx' | 'jsxs'>;
  const reactDom = peers('react-dom/server') as { renderToStaticMarkup(tree: unknown): string };
  const { escapeHtml } = peers('@kitajs/html') as { escapeHtml(text: string): string };
  const ghtml = await peer<{ html: Html }>('ghtml');

  const ours = objectViews(
    trusted,
    (node) => fixed(node as Node),
    (tree) => renderToBuffer(tree as Node) as Buffer,
  );
  const oursPlain = objectViews(trusted, same, (tree) => renderToBuffer(tree as Node) as Buffer);
  return [
    { name: 'TSX, precompiled', views: await precompiledViews() },
    { name: 'TSX', views: tsxViews },
    { name: 'element objects', views: ours },
    { name: 'element objects, nothing fixed', views: oursPlain },
    { name: 'concatenation by hand', views: toBytes(concatViews()) },
    { name: 'ghtml', views: toBytes(markupViews(ghtml.html)) },
    {
      name: '@kitajs/html',
      views: toBytes(
        elementViews({
          jsx: kita.jsx,
          jsxs: kita.jsxs,
          raw: (tag, html) => kita.jsx(tag, { children: html }),
          escapeText: escapeHtml,
          finish: (tree) => tree as string,
        }),
      ),
    },
    {
      name: 'preact-render-to-string',
      views: toBytes(
        elementViews({
          jsx: preact.jsx,
          jsxs: preact.jsxs,
          raw: (tag, html) => preact.jsx(tag, { dangerouslySetInnerHTML: { __html: html } }),
          escapeText: same,
          finish: (tree) => preactToString.renderToStaticMarkup(tree),
        }),
      ),
    },
    {
      name: 'hono/jsx',
      views: toBytes({
        table: elementViews({
          jsx: hono.jsx,
          jsxs: hono.jsxs,
          raw: same,
          escapeText: same,
          finish: (tree) => String(tree),
        }).table,
      }),
    },
    {
      name: 'React',
      // Its names of attributes and its styles are others: the table has neither.
      views: toBytes({
        table: elementViews({
          jsx: react.jsx,
          jsxs: react.jsxs,
          raw: same,
          escapeText: same,
          finish: (tree) => reactDom.renderToStaticMarkup(tree),
        }).table,
      }),
    },
    {
      name: '@coherent.js/core',
      views: toBytes(objectViews(same, same, (tree) => coherent.render(tree, { enableCache: false }))),
    },
  ];
}

function same<T>(value: T): T {
  return value;
}
