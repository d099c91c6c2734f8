// Tables that are filled anew each second without losing what is focused or selected: rows and cells stay, texts change.
// On a phone a row becomes a card, and each cell shows its column's name (dashboard.css).
import { el } from './dom.ts';

export interface Column<Row> {
  readonly title: string;
  /** Right-aligned figures. */
  readonly isFigure?: boolean;
  /** Fills the cell; called again for each new row of the same key. Text only, or elements made with `el`. */
  readonly fill: (cell: HTMLElement, row: Row) => void;
}

export interface TableOptions<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly key: (row: Row) => string;
}

export class Table<Row> {
  readonly element: HTMLTableElement;
  readonly #body = el('tbody');
  readonly #rows = new Map<string, HTMLTableRowElement>();
  readonly #options: TableOptions<Row>;

  constructor(options: TableOptions<Row>) {
    this.#options = options;
    const heads = options.columns.map(({ title, isFigure }) =>
      el('th', { scope: 'col', class: isFigure === true ? 'figure' : undefined }, title),
    );
    const caption = el('caption', { class: 'visually-hidden' }, options.caption);
    this.element = el('table', {}, caption, el('thead', {}, el('tr', {}, ...heads)), this.#body);
  }

  show(rows: readonly Row[]): void {
    const { key, columns } = this.#options;
    const kept = new Set(rows.map(key));
    for (const [name, row] of this.#rows) {
      if (kept.has(name)) continue;
      row.remove();
      this.#rows.delete(name);
    }
    for (const [at, row] of rows.entries()) {
      const line = this.#rows.get(key(row)) ?? this.#add(key(row));
      for (const [column, { fill }] of columns.entries()) {
        const cell = line.cells[column];
        if (cell !== undefined) fill(cell, row);
      }
      const there = this.#body.children[at];
      if (there !== line) this.#body.insertBefore(line, there ?? null);
    }
  }

  #add(name: string): HTMLTableRowElement {
    const cells = this.#options.columns.map(({ title, isFigure }, column) =>
      column === 0
        ? el('th', { scope: 'row' })
        : el('td', { 'data-title': title, class: isFigure === true ? 'figure' : undefined }),
    );
    const line = el('tr', {}, ...cells);
    this.#rows.set(name, line);
    return line;
  }
}

/** Only where it changed: a selection survives. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
