// The workloads as nobody should have to write them: strings added by hand, each hole escaped by hand.
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
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const special = /[&<>"']/;

/** The quickest that is known for strings: look once, cut at what was found. */
function escapeHtml(text: string): string {
  let found = special.exec(text)?.index ?? -1;
  if (found < 0) return text;
  let escaped = '';
  let from = 0;
  for (; found < text.length; found++) {
    const entity = entities[text.charAt(found)];
    if (entity === undefined) continue;
    escaped += text.slice(from, found) + entity;
    from = found + 1;
  }
  return escaped + text.slice(from);
}

export function concatViews(): ViewSet<string> {
  let footer = '<footer class="footer">';
  for (const { title, links } of footerSections) {
    footer += `<section><h3>${escapeHtml(title)}</h3><ul>`;
    for (const link of links) footer += `<li><a href="/">${escapeHtml(link)}</a></li>`;
    footer += '</ul></section>';
  }
  footer += '</footer>';
  return {
    spiral: spiralPage,
    table,
    purchases: purchasePage,
    search: (turn) => searchPage(turn, footer),
    colors: colorPage,
  };
}

function spiralPage(): string {
  let html = `<html><head><title>Spiral</title><style>${spiralCss}</style></head><body><div id="wrapper">`;
  for (const { x, y } of spiral()) {
    html += `<div class="tile" style="${escapeHtml(`left: ${x.toFixed(2)}px; top: ${y.toFixed(2)}px`)}"></div>`;
  }
  return `${html}</div></body></html>`;
}

function table(): string {
  let html = '<table><tbody>';
  for (const row of rows) html += `<tr><td>${escapeHtml(row.id)}</td><td>${escapeHtml(row.name)}</td></tr>`;
  return `${html}</tbody></table>`;
}

function purchasePage(): string {
  let html = '<html lang="en"><head><title>Purchases</title>';
  for (const [name, content] of metas)
    html += `<meta name="${escapeHtml(name)}" content="${escapeHtml(content)}">`;
  html += '<link rel="stylesheet" href="/style.css">';
  for (const src of scripts) html += `<script src="${escapeHtml(src)}"></script>`;
  html += '</head><body><header class="header"><h1 class="title">Hello</h1><nav><ul>';
  for (const name of ['Home', 'About', 'Contact']) html += `<li><a href="/">${escapeHtml(name)}</a></li>`;
  html += '</ul></nav></header><main class="content"><h2>Purchases</h2><div class="purchases">';
  for (const { name, price, quantity } of purchases) {
    html +=
      `<div class="purchase purchase-card"><div class="purchase-name">${escapeHtml(name)}</div>` +
      `<div class="purchase-price">${price}</div><div class="purchase-quantity">${quantity}</div></div>`;
  }
  html += '</div><section class="profile"><h2>User profile</h2><p class="name">Arthur</p></section>';
  html += '<aside class="sidebar"><h2>Last purchases</h2><ul>';
  for (const { name, price } of purchases.slice(0, 3))
    html += `<li>${escapeHtml(name)} - $${price.toFixed(2)}</li>`;
  html += `</ul></aside><p class="lorem">${escapeHtml(lorem)}</p></main>`;
  return `${html}<footer class="footer"><p>All rights reserved</p></footer></body></html>`;
}

function searchPage(turn: number, footer: string): string {
  let html = '<main><div class="search-results">';
  for (let i = 0; i < 100; i++) {
    const { id, title, price, image } = items[(turn * 100 + i) % items.length] as Item;
    const name = escapeHtml(title);
    html +=
      `<div class="search-results-item" style="background-color: #fafafa"><h2>${name}</h2>` +
      '<div class="lvpic pic img left"><div class="lvpicinner full-width picW">' +
      `<a href="/buy/${id}" class="img imgWr2"><img src="${escapeHtml(image)}" alt="${name}"></a></div></div>` +
      `<span>${escapeHtml(price)}</span><button class="buy-now" type="button">Buy now!</button></div>`;
  }
  return `${html}</div>${footer}</main>`;
}

function colorPage(): string {
  let html = '<div class="colors"><h1>Choose your favorite color:</h1><ul>';
  for (const [i, { name, hex }] of colors.entries()) {
    const title = escapeHtml(name);
    html += `<li class="${i === 0 ? 'color selected' : 'color'}" title="${title}" style="background-color: ${escapeHtml(hex)}">${title}</li>`;
  }
  return `${html}</ul><p>You chose: <em>${escapeHtml(colors[0]?.name ?? '')}</em></p></div>`;
}
