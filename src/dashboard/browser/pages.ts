// The pages that matter most, by three orders. Route templates, so there are as many as the application has.
import type { Frame, PageStats } from '../data/frame.ts';
import { byId, contentOf } from './dom.ts';
import { count, duration, type Measure, rate, share, text, UNKNOWN } from './format.ts';
import { type Column, setText, Table } from './table.ts';

const MOST = 10;
const ORDERS: Record<string, (page: PageStats) => number> = {
  hottest: ({ requests }) => requests,
  slowest: ({ renderMeanMs }) => renderMeanMs ?? 0,
  purged: ({ purged }) => purged,
};

let order = 'hottest';
let table: Table<PageStats> | undefined;
let last: readonly PageStats[] = [];

export function showPages({ pages }: Pick<Frame, 'pages'>): void {
  last = pages;
  if (pages.length === 0) return;
  if (table === undefined) {
    table = new Table({ caption: 'Pages', columns, key: ({ route }) => route });
    contentOf('pages').replaceChildren(table.element);
  }
  const by = ORDERS[order] ?? (() => 0);
  table.show([...pages].sort((a, b) => by(b) - by(a)).slice(0, MOST));
}

export function wirePages(): void {
  for (const button of byId('pages').querySelectorAll<HTMLButtonElement>('[data-order]')) {
    button.addEventListener('click', () => {
      order = button.dataset.order ?? order;
      for (const other of byId('pages').querySelectorAll('[data-order]'))
        other.setAttribute('aria-pressed', String(other === button));
      showPages({ pages: last });
    });
  }
}

function figure(title: string, of: (page: PageStats) => Measure): Column<PageStats> {
  return { title, isFigure: true, fill: (cell, page) => setText(cell, text(of(page))) };
}

const columns: readonly Column<PageStats>[] = [
  { title: 'Route', fill: (cell, { route }) => setText(cell, route) },
  figure('Now', ({ requestsPerSecond }) => rate(requestsPerSecond)),
  figure('Requests', ({ requests }) => count(requests)),
  figure('From cache', ({ hitShare }) => share(hitShare)),
  figure('Renders', ({ renders }) => count(renders)),
  figure('Render mean', ({ renderMeanMs }) => duration(renderMeanMs)),
  figure('Render p99', ({ renderP99Ms }) => duration(renderP99Ms)),
  figure('Purged', ({ purged }) => count(purged)),
  { title: 'Mostly by', fill: (cell, { purgedBy }) => setText(cell, purgedBy ?? UNKNOWN) },
];
