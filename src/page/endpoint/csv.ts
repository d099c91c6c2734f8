// Rows as a file that spreadsheets open, written while they are read: with `db.stream` no more than some hundred are held.
import { attachment } from './attachment.ts';

export interface CsvOptions<Row> {
  /** What the file is called: `orders.csv`. */
  readonly name: string;
  /** Which columns, in which order. Default: those of the first row. */
  readonly columns?: readonly (keyof Row & string)[];
}

/** So much text is gathered before it is sent. */
const CHUNK_LENGTH = 16_384;
const NEEDS_QUOTES = /[",\r\n]/;
/** What a spreadsheet takes for a formula, which may call out (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

/** An answer: `text/csv`, saved under `name`. Text that begins like a formula gets an apostrophe before it. */
export function csv<Row extends object>(
  rows: AsyncIterable<Row> | Iterable<Row>,
  { name, columns }: CsvOptions<Row>,
): Response {
  return new Response(ReadableStream.from(chunksOf(rows, columns)) as ReadableStream<Uint8Array>, {
    headers: { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': attachment(name) },
  });
}

async function* chunksOf<Row extends object>(
  rows: AsyncIterable<Row> | Iterable<Row>,
  columns: readonly string[] | undefined,
): AsyncGenerator<Uint8Array> {
  let named = columns;
  let text = columns === undefined ? '' : lineOf(columns);
  for await (const row of rows) {
    const values = new Map<string, unknown>(Object.entries(row));
    if (named === undefined) {
      named = [...values.keys()];
      text += lineOf(named);
    }
    text += lineOf(named.map((column) => values.get(column)));
    if (text.length < CHUNK_LENGTH) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}

function lineOf(values: readonly unknown[]): string {
  return `${values.map(fieldOf).join(',')}\r\n`;
}

function fieldOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text =
    value instanceof Date
      ? value.toISOString()
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);
  const safe = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
