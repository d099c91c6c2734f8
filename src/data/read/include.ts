// Rows of another table that belong to the rows of a list: one statement for all of them.
import type { KeyRecorder } from '../../core/validity.ts';
import type { Include, Row } from '../db.ts';
import { BadPageError } from '../errors.ts';
import type { StatementObserver } from '../observer.ts';
import { keyedRead, type Read, readByKey, tellingRows } from './keyed-read.ts';
import { keyColumn, quote, type Table, type Tables } from './tables.ts';

/** What a list is read with. */
export interface PaginateParts {
  readonly tables: Tables;
  readonly list: Read;
  readonly related: Read;
  /** Told of the statement that each row's related rows stand for. */
  readonly observer: StatementObserver | undefined;
  readonly keyRecorder: KeyRecorder;
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
  const { columns } = include;
  const keyed = keyedRead(related, key, columns);
  const found = await readByKey(keyed, named, parts.related);
  const tell = tellingRows(parts.observer, keyed);
  for (const [at, id] of named.entries()) {
    const told = tell(id, found[at] ?? null, parts.keyRecorder);
    if (told !== undefined) await told;
  }
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
  const groups = values.map((): Row[] => []);
  for (const row of await parts.related(
    manySql(related, include, by.type),
    limit === undefined ? [values] : [values, limit],
  )) {
    const { '~n': n, ...rest } = row;
    groups[Number(n) - 1]?.push(rest);
  }
  const fields = include.columns.map((column) => ({ name: column }));
  const sql = groupSql(related, include, '$1', '$2');
  for (const [index, row] of rows.entries()) {
    const group = groups[index] ?? [];
    const params = limit === undefined ? [values[index]] : [values[index], limit];
    const told = parts.observer?.onStatement(sql, params, { fields, rows: group }, parts.keyRecorder);
    if (told !== undefined) await told;
    row[name] = group;
  }
}

/** The related rows of one value: what the statement below gives for each of many. */
function groupSql(related: Table, include: Include, value: string, limit: string): string {
  const sorted = sortedBy(related, include);
  return (
    `SELECT ${include.columns.map(quote).join(', ')} FROM ${related.sql} WHERE ${quote(include.by)} = ${value}${sorted}` +
    `${include.limit === undefined ? '' : ` LIMIT ${limit}`}`
  );
}

/** Made total by the key, so that the same rows are cut off every time. */
function sortedBy(related: Table, { orderBy = [] }: Include): string {
  const named = new Set(orderBy.map(({ column }) => column));
  const order = [
    ...orderBy.map(({ column, direction }) => `${quote(column)} ${direction === 'desc' ? 'DESC' : 'ASC'}`),
    ...related.primaryKey.filter((column) => !named.has(column)).map(quote),
  ];
  return order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
}

/** For each value the rows that have it, so many at most: an index on the column is walked once per value. */
function manySql(related: Table, include: Include, type: string): string {
  const sorted = sortedBy(related, include);
  const columns = include.columns.map(quote).join(', ');
  const ordinal = sorted === '' ? '' : `, row_number() OVER (${sorted.trim()}) AS "~r"`;
  const last = sorted === '' ? '' : ', r."~r"';
  return (
    `SELECT k.n::int AS "~n", ${include.columns.map((column) => `r.${quote(column)}`).join(', ')} ` +
    `FROM unnest($1::${type}[]) WITH ORDINALITY AS k(v, n) CROSS JOIN LATERAL ` +
    `(SELECT ${columns}${ordinal} FROM ${related.sql} WHERE ${quote(include.by)} = k.v${sorted}` +
    `${include.limit === undefined ? '' : ' LIMIT $2'}) r ORDER BY k.n${last}`
  );
}
