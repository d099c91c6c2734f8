// The workloads for a renderer of tagged templates. What is static in the templates is static to it.
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

/** ghtml: `${}` is escaped, `!${}` is not, arrays are joined. */
export type Html = (strings: TemplateStringsArray, ...values: unknown[]) => string;

const rows = uuidRows(1000);

export function markupViews(html: Html): ViewSet<string> {
  const footerSource = footerSections
    .map(
      ({ title, links }) =>
        `<section><h3>${title}</h3><ul>${links.map((link) => `<li><a href="/">${link}</a></li>`).join('')}</ul></section>`,
    )
    .join('');
  const footer = `<footer class="footer">${footerSource}</footer>`;
  return {
    spiral: () =>
      html`<html><head><title>Spiral</title><style>!${spiralCss}</style></head><body><div id="wrapper">!${spiral().map(
        ({ x, y }) => html`<div class="tile" style="left: ${x.toFixed(2)}px; top: ${y.toFixed(2)}px"></div>`,
      )}</div></body></html>`,
    table: () =>
      html`<table><tbody>!${rows.map((row) => html`<tr><td>${row.id}</td><td>${row.name}</td></tr>`)}</tbody></table>`,
    purchases: () =>
      html`<html lang="en"><head><title>Purchases</title>!${metas.map(
        ([name, content]) => html`<meta name="${name}" content="${content}">`,
      )}<link rel="stylesheet" href="/style.css">!${scripts.map(
        (src) => html`<script src="${src}"></script>`,
      )}</head><body><header class="header"><h1 class="title">Hello</h1><nav><ul>!${[
        'Home',
        'About',
        'Contact',
      ].map(
        (name) => html`<li><a href="/">${name}</a></li>`,
      )}</ul></nav></header><main class="content"><h2>Purchases</h2><div class="purchases">!${purchases.map(
        ({ name, price, quantity }) =>
          html`<div class="purchase purchase-card"><div class="purchase-name">${name}</div><div class="purchase-price">${price}</div><div class="purchase-quantity">${quantity}</div></div>`,
      )}</div><section class="profile"><h2>User profile</h2><p class="name">${'Arthur'}</p></section><aside class="sidebar"><h2>Last purchases</h2><ul>!${purchases
        .slice(0, 3)
        .map(
          ({ name, price }) => html`<li>${name} - $${price.toFixed(2)}</li>`,
        )}</ul></aside><p class="lorem">${lorem}</p></main><footer class="footer"><p>All rights reserved</p></footer></body></html>`,
    search: (turn) => {
      const found = Array.from({ length: 100 }, (_, i) => items[(turn * 100 + i) % items.length] as Item);
      return html`<main><div class="search-results">!${found.map(
        ({ id, title, price, image }) =>
          html`<div class="search-results-item" style="background-color: #fafafa"><h2>${title}</h2><div class="lvpic pic img left"><div class="lvpicinner full-width picW"><a href="/buy/${id}" class="img imgWr2"><img src="${image}" alt="${title}"></a></div></div><span>${price}</span><button class="buy-now" type="button">Buy now!</button></div>`,
      )}</div>!${footer}</main>`;
    },
    colors: () =>
      html`<div class="colors"><h1>Choose your favorite color:</h1><ul>!${colors.map(
        ({ name, hex }, i) =>
          html`<li class="${i === 0 ? 'color selected' : 'color'}" title="${name}" style="background-color: ${hex}">${name}</li>`,
      )}</ul><p>You chose: <em>${colors[0]?.name}</em></p></div>`,
  };
}
