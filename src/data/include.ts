// Rows of another table that belong to the rows of a list: one statement for all of them.
import type { KeySink } from '../core/validity.ts';
import { type Read, readByKey } from './batch.ts';
import type { Include, Row } from './db.ts';
import { BadPageError } from './errors.ts';
import { keyColumn, quote, type Table, type Tables } from './tables.ts';
import { canonicalText } from './values.ts';

/** What a list is read with. */
export interface PaginateParts {
  readonly tables: Tables;
  readonly list: Read;
  readonly related: Read;
  readonly sink: KeySink;
}

interface Target {
  /** The property that the related rows go to. */
  readonly name: string;
  readonly include: Include;
  readonly rows: readonly Row[];
  /** A column of a row that need not be among those shown. */
  readonly keyOf: (index: number, column: string) => unknown;
  readonly table: Table;
}

export async function addRelated(target: Target, parts: PaginateParts): Promise<void> {
  if (target.rows.length === 0) return;
  await (target.include.kind === 'one' ? addOne(target, parts) : addMany(target, parts));
}

async function addOne({ name, include, rows, keyOf }: Target, parts: PaginateParts): Promise<void> {
  const related = await parts.tables.find(include.table, include.columns);
  const key = keyColumn(related, `include.${name}`);
  const wanted = rows.map((_, index) => keyOf(index, include.by) ?? null);
  const named = wanted.filter((value) => value !== null);
  const found = await readByKey(related, key, include.columns, named, parts.related, (_, dependency) =>
    parts.sink.add(dependency),
  );
  let next = 0;
  for (const [index, row] of rows.entries())
    row[name] = wanted[index] === null ? null : (found[next++] ?? null);
}

async function addMany({ name, include, rows, keyOf, table }: Target, parts: PaginateParts): Promise<void> {
  const { limit } = include;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1)) {
    throw new BadPageError(`include.${name}.limit is ${limit}; it must be a whole number from 1.`);
  }
  const order = include.orderBy ?? [];
  const related = await parts.tables.find(include.table, [
    ...include.columns,
    include.by,
    ...order.map(({ column }) => column),
  ]);
  const key = keyColumn(table, `include.${name}`);
  const by = related.columns.get(include.by);
  if (by === undefined) return;

  const values = rows.map((_, index) => keyOf(index, key.name));
  for (const value of values) {
    const text = by.exact ? canonicalText(by.type, value) : undefined;
    if (text !== null)
      parts.sink.add(text === undefined ? related.keyName : `${related.keyName}.${by.name}=${text}`);
  }
  const groups = values.map((): Row[] => []);
  for (const row of await parts.related(
    manySql(related, include, by.type, order),
    limit === undefined ? [values] : [values, limit],
  )) {
    const { '~n': n, ...rest } = row;
    groups[Number(n) - 1]?.push(rest);
  }
  for (const [index, row] of rows.entries()) row[name] = groups[index];
}

/** For each value the rows that have it, so many at most: an index on the column is walked once per value. */
function manySql(
  related: Table,
  include: Include,
  type: string,
  orderBy: NonNullable<Include['orderBy']>,
): string {
  const named = new Set(orderBy.map(({ column }) => column));
  // Made total by the key, so that the same rows are cut off every time.
  const order = [
    ...orderBy.map(({ column, direction }) => `${quote(column)} ${direction === 'desc' ? 'DESC' : 'ASC'}`),
    ...related.primaryKey.filter((column) => !named.has(column)).map(quote),
  ];
  const sorted = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
  const columns = include.columns.map(quote).join(', ');
  const ordinal = order.length === 0 ? '' : `, row_number() OVER (${sorted.trim()}) AS "~r"`;
  const last = order.length === 0 ? '' : ', r."~r"';
  return (
    `SELECT k.n::int AS "~n", ${include.columns.map((column) => `r.${quote(column)}`).join(', ')} ` +
    `FROM unnest($1::${type}[]) WITH ORDINALITY AS k(v, n) CROSS JOIN LATERAL ` +
    `(SELECT ${columns}${ordinal} FROM ${related.sql} WHERE ${quote(include.by)} = k.v${sorted}` +
    `${include.limit === undefined ? '' : ' LIMIT $2'}) r ORDER BY k.n${last}`
  );
}
