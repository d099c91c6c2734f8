// The workloads as element objects: for this renderer and for the reference of its syntax alike.
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

const rows = uuidRows(1000);

/** `raw` vouches for text where a syntax asks for that; `fixed` marks what never changes where a syntax can. */
export function objectViews<Tree>(
  raw: (text: string) => unknown,
  fixed: (node: unknown) => unknown,
  finish: (tree: unknown) => Tree,
): ViewSet<Tree> {
  const footerNode = fixed(footer());
  return {
    spiral: () =>
      finish({
        html: {
          children: [
            { head: { children: [{ title: 'Spiral' }, { style: { html: raw(spiralCss) } }] } },
            {
              body: {
                children: {
                  div: {
                    id: 'wrapper',
                    children: spiral().map(({ x, y }) => ({
                      div: { className: 'tile', style: `left: ${x.toFixed(2)}px; top: ${y.toFixed(2)}px` },
                    })),
                  },
                },
              },
            },
          ],
        },
      }),
    table: () =>
      finish({
        table: {
          children: {
            tbody: {
              children: rows.map((row) => ({ tr: { children: [{ td: row.id }, { td: row.name }] } })),
            },
          },
        },
      }),
    purchases: () => finish(purchasePage()),
    search: (turn) => finish(searchPage(turn, footerNode)),
    colors: () => finish(colorPage()),
  };
}

function purchasePage() {
  return {
    html: {
      lang: 'en',
      children: [
        {
          head: {
            children: [
              { title: 'Purchases' },
              metas.map(([name, content]) => ({ meta: { name, content } })),
              { link: { rel: 'stylesheet', href: '/style.css' } },
              scripts.map((src) => ({ script: { src } })),
            ],
          },
        },
        {
          body: {
            children: [
              {
                header: {
                  className: 'header',
                  children: [{ h1: { className: 'title', text: 'Hello' } }, navigation()],
                },
              },
              {
                main: {
                  className: 'content',
                  children: [
                    { h2: 'Purchases' },
                    { div: { className: 'purchases', children: purchases.map(purchaseCard) } },
                    userProfile('Arthur'),
                    sidebar(),
                    { p: { className: 'lorem', text: lorem } },
                  ],
                },
              },
              { footer: { className: 'footer', children: { p: 'All rights reserved' } } },
            ],
          },
        },
      ],
    },
  };
}

function navigation() {
  return {
    nav: {
      children: {
        ul: {
          children: ['Home', 'About', 'Contact'].map((name) => ({
            li: { children: { a: { href: '/', text: name } } },
          })),
        },
      },
    },
  };
}

function purchaseCard({ name, price, quantity }: (typeof purchases)[number]) {
  return {
    div: {
      className: 'purchase purchase-card',
      children: [
        { div: { className: 'purchase-name', text: name } },
        { div: { className: 'purchase-price', text: price } },
        { div: { className: 'purchase-quantity', text: quantity } },
      ],
    },
  };
}

function userProfile(name: string) {
  return {
    section: {
      className: 'profile',
      children: [{ h2: 'User profile' }, { p: { className: 'name', text: name } }],
    },
  };
}

function sidebar() {
  return {
    aside: {
      className: 'sidebar',
      children: [
        { h2: 'Last purchases' },
        {
          ul: {
            children: purchases
              .slice(0, 3)
              .map(({ name, price }) => ({ li: { children: [name, ' - $', price.toFixed(2)] } })),
          },
        },
      ],
    },
  };
}

function searchPage(turn: number, footerNode: unknown) {
  const found = Array.from({ length: 100 }, (_, i) => items[(turn * 100 + i) % items.length] as Item);
  return {
    main: { children: [{ div: { className: 'search-results', children: found.map(result) } }, footerNode] },
  };
}

function result({ id, title, price, image }: Item) {
  return {
    div: {
      className: 'search-results-item',
      style: 'background-color: #fafafa',
      children: [
        { h2: title },
        {
          div: {
            className: 'lvpic pic img left',
            children: {
              div: {
                className: 'lvpicinner full-width picW',
                children: {
                  a: {
                    href: `/buy/${id}`,
                    className: 'img imgWr2',
                    children: { img: { src: image, alt: title } },
                  },
                },
              },
            },
          },
        },
        { span: price },
        { button: { className: 'buy-now', type: 'button', text: 'Buy now!' } },
      ],
    },
  };
}

function footer() {
  return {
    footer: {
      className: 'footer',
      children: footerSections.map(({ title, links }) => ({
        section: {
          children: [
            { h3: title },
            {
              ul: { children: links.map((link) => ({ li: { children: { a: { href: '/', text: link } } } })) },
            },
          ],
        },
      })),
    },
  };
}

function colorPage() {
  return {
    div: {
      className: 'colors',
      children: [
        { h1: 'Choose your favorite color:' },
        {
          ul: {
            children: colors.map(({ name, hex }, i) => ({
              li: {
                className: i === 0 ? 'color selected' : 'color',
                title: name,
                style: `background-color: ${hex}`,
                text: name,
              },
            })),
          },
        },
        { p: { children: ['You chose: ', { em: colors[0]?.name }] } },
      ],
    },
  };
}
