// The workloads for renderers of JSX, as a compiler writes them: calls of jsx(tag, props), and of jsxs where
// there are several children.
import {
  colors,
  footerSections,
  type Item,
  items,
  lorem,
  metas,
  purchases,
  scripts,
  spiral,
  spiralCss,
  uuidRows,
} from './data.ts';
import type { ViewSet } from './workload.ts';

type Jsx = (tag: string, props: Readonly<Record<string, unknown>>) => unknown;

export interface JsxRuntime<Result> {
  readonly jsx: Jsx;
  readonly jsxs: Jsx;
  readonly raw: (tag: string, html: string) => unknown;
  /** Text among children. One of the peers leaves escaping it to the author. */
  readonly escapeText: (text: string) => unknown;
  readonly finish: (tree: unknown) => Result;
}

const rows = uuidRows(1000);

export function elementViews<Result>(runtime: JsxRuntime<Result>): ViewSet<Result> {
  const { jsx, jsxs, raw, escapeText, finish } = runtime;
  // Both syntaxes let an author keep what never changes; for one it is then text already.
  const footerNode = footer(runtime);

  const tile = ({ x, y }: { readonly x: number; readonly y: number }) =>
    jsx('div', { class: 'tile', style: `left: ${x.toFixed(2)}px; top: ${y.toFixed(2)}px` });
  const result = ({ id, title, price, image }: Item) =>
    jsxs('div', {
      class: 'search-results-item',
      style: 'background-color: #fafafa',
      children: [
        jsx('h2', { children: escapeText(title) }),
        jsx('div', {
          class: 'lvpic pic img left',
          children: jsx('div', {
            class: 'lvpicinner full-width picW',
            children: jsx('a', {
              href: `/buy/${id}`,
              class: 'img imgWr2',
              children: jsx('img', { src: image, alt: title }),
            }),
          }),
        }),
        jsx('span', { children: escapeText(price) }),
        jsx('button', { class: 'buy-now', type: 'button', children: 'Buy now!' }),
      ],
    });

  return {
    spiral: () =>
      finish(
        jsxs('html', {
          children: [
            jsxs('head', { children: [jsx('title', { children: 'Spiral' }), raw('style', spiralCss)] }),
            jsx('body', { children: jsx('div', { id: 'wrapper', children: spiral().map(tile) }) }),
          ],
        }),
      ),
    table: () =>
      finish(
        jsx('table', {
          children: jsx('tbody', {
            children: rows.map((row) =>
              jsxs('tr', {
                children: [
                  jsx('td', { children: escapeText(row.id) }),
                  jsx('td', { children: escapeText(row.name) }),
                ],
              }),
            ),
          }),
        }),
      ),
    purchases: () => finish(purchasePage(runtime)),
    search: (turn) => {
      const found = Array.from({ length: 100 }, (_, i) => items[(turn * 100 + i) % items.length] as Item);
      return finish(
        jsxs('main', {
          children: [jsx('div', { class: 'search-results', children: found.map(result) }), footerNode],
        }),
      );
    },
    colors: () =>
      finish(
        jsxs('div', {
          class: 'colors',
          children: [
            jsx('h1', { children: 'Choose your favorite color:' }),
            jsx('ul', {
              children: colors.map(({ name, hex }, i) =>
                jsx('li', {
                  class: i === 0 ? 'color selected' : 'color',
                  title: name,
                  style: `background-color: ${hex}`,
                  children: escapeText(name),
                }),
              ),
            }),
            jsxs('p', {
              children: ['You chose: ', jsx('em', { children: escapeText(colors[0]?.name ?? '') })],
            }),
          ],
        }),
      ),
  };
}

function footer<Result>({ jsx, jsxs, escapeText }: JsxRuntime<Result>): unknown {
  return jsx('footer', {
    class: 'footer',
    children: footerSections.map(({ title, links }) =>
      jsxs('section', {
        children: [
          jsx('h3', { children: escapeText(title) }),
          jsx('ul', {
            children: links.map((link) =>
              jsx('li', { children: jsx('a', { href: '/', children: escapeText(link) }) }),
            ),
          }),
        ],
      }),
    ),
  });
}

function purchasePage<Result>({ jsx, jsxs, escapeText }: JsxRuntime<Result>): unknown {
  const card = ({ name, price, quantity }: (typeof purchases)[number]) =>
    jsxs('div', {
      class: 'purchase purchase-card',
      children: [
        jsx('div', { class: 'purchase-name', children: escapeText(name) }),
        jsx('div', { class: 'purchase-price', children: price }),
        jsx('div', { class: 'purchase-quantity', children: quantity }),
      ],
    });
  const link = (name: string) => jsx('li', { children: jsx('a', { href: '/', children: escapeText(name) }) });
  return jsxs('html', {
    lang: 'en',
    children: [
      jsxs('head', {
        children: [
          jsx('title', { children: 'Purchases' }),
          metas.map(([name, content]) => jsx('meta', { name, content })),
          jsx('link', { rel: 'stylesheet', href: '/style.css' }),
          scripts.map((src) => jsx('script', { src })),
        ],
      }),
      jsxs('body', {
        children: [
          jsxs('header', {
            class: 'header',
            children: [
              jsx('h1', { class: 'title', children: 'Hello' }),
              jsx('nav', { children: jsx('ul', { children: ['Home', 'About', 'Contact'].map(link) }) }),
            ],
          }),
          jsxs('main', {
            class: 'content',
            children: [
              jsx('h2', { children: 'Purchases' }),
              jsx('div', { class: 'purchases', children: purchases.map(card) }),
              jsxs('section', {
                class: 'profile',
                children: [
                  jsx('h2', { children: 'User profile' }),
                  jsx('p', { class: 'name', children: escapeText('Arthur') }),
                ],
              }),
              jsxs('aside', {
                class: 'sidebar',
                children: [
                  jsx('h2', { children: 'Last purchases' }),
                  jsx('ul', {
                    children: purchases
                      .slice(0, 3)
                      .map(({ name, price }) =>
                        jsxs('li', { children: [escapeText(name), ' - $', price.toFixed(2)] }),
                      ),
                  }),
                ],
              }),
              jsx('p', { class: 'lorem', children: escapeText(lorem) }),
            ],
          }),
          jsx('footer', { class: 'footer', children: jsx('p', { children: 'All rights reserved' }) }),
        ],
      }),
    ],
  });
}
