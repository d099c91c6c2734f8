// A table that fits a width: columns that can be spared are left out first, then the first column is cut.

export interface TopColumn<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Left-aligned; figures stand right. */
  readonly isText?: true;
  /** Left out where there is no room, the highest first. Without it the column always stays. */
  readonly spare?: number;
}

const GAP = '  ';
const MIN_FIRST = 8;

/** What was named elsewhere, without what would steer the terminal. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

/** Heads in `paintHead`, a line for each row. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly TopColumn<Row>[],
  width: number,
  paintHead: (text: string) => string,
): string[] {
  if (rows.length === 0) return [paintHead('no data yet')];
  const shown = fitting(rows, columns, width);
  const line = (texts: readonly string[]) =>
    shown
      .map(({ column, width: wide }, at) => pad(texts[at] ?? '', wide, column.isText === true))
      .join(GAP)
      .trimEnd();
  const head = line(shown.map(({ column }) => column.title));
  return [paintHead(head), ...rows.map((row) => line(shown.map(({ column }) => plain(column.of(row)))))];
}

interface Shown<Row> {
  readonly column: TopColumn<Row>;
  readonly width: number;
}

function fitting<Row>(rows: readonly Row[], columns: readonly TopColumn<Row>[], width: number): Shown<Row>[] {
  let shown = columns.map((column) => ({
    column,
    width: Math.max(column.title.length, ...rows.map((row) => column.of(row).length)),
  }));
  const total = () => shown.reduce((sum, each) => sum + each.width, 0) + GAP.length * (shown.length - 1);
  while (total() > width) {
    const first = shown[0];
    if (first !== undefined && total() - first.width + MIN_FIRST <= width) {
      const left = Math.max(MIN_FIRST, first.width - (total() - width));
      // Names are cut before a column is lost, as long as something of them is left.
      if (left >= Math.min(first.width, 16)) return [{ ...first, width: left }, ...shown.slice(1)];
    }
    const spared = shown.reduce<Shown<Row> | undefined>(
      (most, each) => ((each.column.spare ?? 0) > (most?.column.spare ?? 0) ? each : most),
      undefined,
    );
    if (spared === undefined) break;
    shown = shown.filter((each) => each !== spared);
  }
  return shown;
}

function pad(text: string, width: number, isText: boolean): string {
  const fitted = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return isText ? fitted.padEnd(width) : fitted.padStart(width);
}
