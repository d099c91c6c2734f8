// The workloads for renderers that TSX compiles to: calls of a function of tag, attributes and children.
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

type Attributes = Readonly<Record<string, unknown>> | null;
export type CreateElement = (tag: string, attributes: Attributes, ...children: unknown[]) => unknown;

export interface ElementSyntax<Result> {
  readonly h: CreateElement;
  /** Attributes of an element whose only child is text that must be escaped. */
  readonly safe: Readonly<Record<string, unknown>>;
  readonly raw: (tag: string, html: string) => unknown;
  readonly escapeText: (text: string) => unknown;
  readonly finish: (tree: unknown) => Result;
}

const rows = uuidRows(1000);

export function elementViews<Result>({
  h,
  safe,
  raw,
  escapeText,
  finish,
}: ElementSyntax<Result>): ViewSet<Result> {
  const plain = Object.keys(safe).length === 0 ? null : safe;
  // What JSX with `safe` in it compiles to is a literal; here the literal depends on the syntax, once.
  const classed = (name: string) => ({ class: name, ...safe });
  const purchaseName = classed('purchase-name');
  const purchasePrice = classed('purchase-price');
  const purchaseQuantity = classed('purchase-quantity');

  const result = ({ id, title, price, image }: Item) =>
    h(
      'div',
      { class: 'search-results-item', style: 'background-color: #fafafa' },
      h('h2', plain, title),
      h(
        'div',
        { class: 'lvpic pic img left' },
        h(
          'div',
          { class: 'lvpicinner full-width picW' },
          h('a', { href: `/buy/${id}`, class: 'img imgWr2' }, h('img', { src: image, alt: title })),
        ),
      ),
      h('span', plain, price),
      h('button', { class: 'buy-now', type: 'button' }, 'Buy now!'),
    );

  const footer = () =>
    h(
      'footer',
      { class: 'footer' },
      footerSections.map(({ title, links }) =>
        h(
          'section',
          null,
          h('h3', plain, title),
          h(
            'ul',
            null,
            links.map((link) => h('li', null, h('a', { href: '/', ...safe }, link))),
          ),
        ),
      ),
    );
  // Both syntaxes let an author keep what never changes; for one it is then text already.
  const footerNode = footer();

  return {
    spiral: () =>
      finish(
        h(
          'html',
          null,
          h('head', null, h('title', null, 'Spiral'), raw('style', spiralCss)),
          h(
            'body',
            null,
            h(
              'div',
              { id: 'wrapper' },
              spiral().map(({ x, y }) =>
                h('div', { class: 'tile', style: `left: ${x.toFixed(2)}px; top: ${y.toFixed(2)}px` }),
              ),
            ),
          ),
        ),
      ),
    table: () =>
      finish(
        h(
          'table',
          null,
          h(
            'tbody',
            null,
            rows.map((row) => h('tr', null, h('td', plain, row.id), h('td', plain, row.name))),
          ),
        ),
      ),
    purchases: () =>
      finish(
        h(
          'html',
          { lang: 'en' },
          h(
            'head',
            null,
            h('title', null, 'Purchases'),
            metas.map(([name, content]) => h('meta', { name, content })),
            h('link', { rel: 'stylesheet', href: '/style.css' }),
            scripts.map((src) => h('script', { src })),
          ),
          h(
            'body',
            null,
            h(
              'header',
              { class: 'header' },
              h('h1', { class: 'title' }, 'Hello'),
              h(
                'nav',
                null,
                h(
                  'ul',
                  null,
                  ['Home', 'About', 'Contact'].map((name) =>
                    h('li', null, h('a', { href: '/', ...safe }, name)),
                  ),
                ),
              ),
            ),
            h(
              'main',
              { class: 'content' },
              h('h2', null, 'Purchases'),
              h(
                'div',
                { class: 'purchases' },
                purchases.map(({ name, price, quantity }) =>
                  h(
                    'div',
                    { class: 'purchase purchase-card' },
                    h('div', purchaseName, name),
                    h('div', purchasePrice, price),
                    h('div', purchaseQuantity, quantity),
                  ),
                ),
              ),
              h(
                'section',
                { class: 'profile' },
                h('h2', null, 'User profile'),
                h('p', { class: 'name', ...safe }, 'Arthur'),
              ),
              h(
                'aside',
                { class: 'sidebar' },
                h('h2', null, 'Last purchases'),
                h(
                  'ul',
                  null,
                  purchases
                    .slice(0, 3)
                    .map(({ name, price }) => h('li', null, escapeText(name), ' - $', price.toFixed(2))),
                ),
              ),
              h('p', { class: 'lorem', ...safe }, lorem),
            ),
            h('footer', { class: 'footer' }, h('p', null, 'All rights reserved')),
          ),
        ),
      ),
    search: (turn) => {
      const found = Array.from({ length: 100 }, (_, i) => items[(turn * 100 + i) % items.length] as Item);
      return finish(h('main', null, h('div', { class: 'search-results' }, found.map(result)), footerNode));
    },
    colors: () =>
      finish(
        h(
          'div',
          { class: 'colors' },
          h('h1', null, 'Choose your favorite color:'),
          h(
            'ul',
            null,
            colors.map(({ name, hex }, i) =>
              h(
                'li',
                {
                  class: i === 0 ? 'color selected' : 'color',
                  title: name,
                  style: `background-color: ${hex}`,
                  ...safe,
                },
                name,
              ),
            ),
          ),
          h('p', null, 'You chose: ', h('em', plain, colors[0]?.name)),
        ),
      ),
  };
}
