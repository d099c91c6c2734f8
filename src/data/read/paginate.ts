// Lists a page at a time: by number with the total, or after a cursor.

import type { KeysetPage, OffsetPage, PaginateBase, Row, SqlValue } from '../db.ts';
import { BadCursorError, BadPageError, BadValueError } from '../errors.ts';
import { listMark, type Position, readCursor, writeCursor } from './cursor.ts';
import { comparedColumns, Filter } from './filter.ts';
import { addRelated, type PaginateParts } from './include.ts';
import { type Column, quote, type Table } from './tables.ts';

interface Ordered {
  readonly column: Column;
  readonly direction: 'asc' | 'desc';
}

const MAX_PAGE_SIZE = 1000;
/** A prefix for what we select beside what was asked for; no column of a user's begins so. */
const HIDDEN = '~';
const TOTAL = '~total';

export type PaginateOptions = PaginateBase & { readonly page?: number; readonly after?: string | null };

/** Errors: E_BAD_PAGE, E_BAD_CURSOR, E_UNKNOWN_NAME, and those of any statement. */
export async function paginate(
  options: PaginateOptions,
  parts: PaginateParts,
): Promise<OffsetPage<Row> | KeysetPage<Row>> {
  const { pageSize } = options;
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE) {
    throw new BadPageError(`pageSize is ${pageSize}; it must be a whole number from 1 to ${MAX_PAGE_SIZE}.`);
  }
  if (options.columns.length === 0)
    throw new BadPageError('columns is empty; name the columns that the page shows.');
  const named = [
    ...options.columns,
    ...options.orderBy.map(({ column }) => column),
    ...comparedColumns(options),
    ...Object.values(options.include ?? {}).flatMap(({ kind, by }) => (kind === 'one' ? [by] : [])),
  ];
  const table = await parts.tables.find(options.table, named);
  const list = new List(table, options, totalOrder(table, options));
  const filter = new Filter(table, options);
  return options.after === undefined
    ? byNumber(list, filter, options.page ?? 1, parts)
    : byCursor(list, filter, options.after, parts);
}

async function byNumber(
  list: List,
  filter: Filter,
  page: number,
  parts: PaginateParts,
): Promise<OffsetPage<Row>> {
  const { pageSize } = list.options;
  const offset = (page - 1) * pageSize;
  if (!Number.isInteger(page) || page < 1 || !Number.isSafeInteger(offset)) {
    throw new BadPageError(`page is ${page}; pages are numbered 1, 2, 3, ...`);
  }
  if (filter.matchesNothing) {
    parts.keyRecorder.add(list.table.keyName);
    return { rows: [], page, pageSize, total: 0, pages: 0 };
  }
  const count = `SELECT count(*) FROM ${list.table.sql}${filter.sql}`;
  const params = [...filter.params, pageSize, offset];
  const [limit, skip] = [params.length - 1, params.length];
  // One statement for rows and total: they agree, and it is one round trip.
  const found = await parts.list(
    `SELECT ${list.selection}, (${count}) AS "${TOTAL}" FROM ${list.table.sql}${filter.sql} ` +
      `ORDER BY ${list.order} LIMIT $${limit} OFFSET $${skip}`,
    params,
  );
  // Beyond the last page there is no row to carry the total.
  const total = Number(
    found[0]?.[TOTAL] ?? (page === 1 ? 0 : (await parts.list(count, filter.params))[0]?.count),
  );
  return { rows: await list.finish(found, parts), page, pageSize, total, pages: Math.ceil(total / pageSize) };
}

async function byCursor(
  list: List,
  filter: Filter,
  after: string | null,
  parts: PaginateParts,
): Promise<KeysetPage<Row>> {
  const mark = listMark(
    list.table.keyName,
    list.orderedBy.map(({ column, direction }) => ({ column: column.name, direction })),
  );
  const params = [...filter.params];
  let sql = filter.sql;
  if (after !== null) {
    const position = readCursor(mark, list.orderedBy.length, after);
    sql += `${sql === '' ? ' WHERE' : ' AND'} (${beyond(list.orderedBy, position, params)})`;
  }
  if (filter.matchesNothing) {
    parts.keyRecorder.add(list.table.keyName);
    return { rows: [], next: null };
  }
  const { pageSize } = list.options;
  // One more than the page tells whether there is another page.
  params.push(pageSize + 1);
  let found: readonly Row[];
  try {
    found = await parts.list(
      `SELECT ${list.selection}, ${list.position} FROM ${list.table.sql}${sql} ORDER BY ${list.order} LIMIT $${params.length}`,
      params,
    );
  } catch (error) {
    if (after !== null && error instanceof BadValueError)
      throw new BadCursorError('it has a value of the wrong type', error);
    throw error;
  }
  const shown = found.slice(0, pageSize);
  const last = shown.at(-1);
  const hasMore = found.length > pageSize && last !== undefined;
  return {
    rows: await list.finish(shown, parts),
    next: hasMore ? writeCursor(mark, list.positionOf(last)) : null,
  };
}

/** What is selected, in which order, and how the rows look in the end. */
class List {
  readonly table: Table;
  readonly options: PaginateOptions;
  readonly orderedBy: readonly Ordered[];

  constructor(table: Table, options: PaginateOptions, orderedBy: readonly Ordered[]) {
    this.table = table;
    this.options = options;
    this.orderedBy = orderedBy;
  }

  /** What was asked for; then the key (it names the rows in the page's dependencies) and what includes go by. */
  get selection(): string {
    const includes = Object.values(this.options.include ?? {});
    const extra = new Set([
      ...this.table.primaryKey,
      ...includes.flatMap(({ kind, by }) => (kind === 'one' ? [by] : [])),
    ]);
    const shown = [...new Set(this.options.columns)].map(quote);
    return [...shown, ...[...extra].map((name) => `${quote(name)} AS ${quote(HIDDEN + name)}`)].join(', ');
  }

  get order(): string {
    return this.orderedBy
      .map(({ column, direction }) => `${quote(column.name)} ${direction.toUpperCase()}`)
      .join(', ');
  }

  get position(): string {
    return this.orderedBy
      .map(({ column }, index) => `${quote(column.name)}::text AS "${HIDDEN}${index}"`)
      .join(', ');
  }

  positionOf(row: Row): (string | null)[] {
    return this.orderedBy.map((_, index) => {
      const value = row[`${HIDDEN}${index}`];
      return value === null || value === undefined ? null : String(value);
    });
  }

  async finish(found: readonly Row[], parts: PaginateParts): Promise<Row[]> {
    const rows = found.map((row) =>
      Object.fromEntries(this.options.columns.map((name) => [name, row[name]])),
    );
    const keyOf = (index: number, column: string) => found[index]?.[HIDDEN + column];
    await Promise.all(
      Object.entries(this.options.include ?? {}).map(([name, include]) =>
        addRelated({ name, include, rows, keyOf, table: this.table }, parts),
      ),
    );
    return rows;
  }
}

/** The order asked for, made total by the primary key: rows that are equal in it would else wander between pages. */
function totalOrder(table: Table, { orderBy }: PaginateBase): Ordered[] {
  const last = orderBy.at(-1)?.direction ?? 'asc';
  const named = new Set(orderBy.map(({ column }) => column));
  const keys = table.primaryKey
    .filter((column) => !named.has(column))
    .map((column) => ({ column, direction: last }));
  const order = [...orderBy, ...keys].flatMap(({ column: name, direction = 'asc' }) => {
    const column = table.columns.get(name);
    if (direction !== 'asc' && direction !== 'desc')
      throw new BadPageError(`orderBy direction of ${name} must be asc or desc.`);
    return column === undefined ? [] : [{ column, direction } as const];
  });
  if (order.length === 0)
    throw new BadPageError(`orderBy is empty, and ${table.keyName} has no primary key to order by.`);
  return order;
}

/** The condition for the rows after `position`; its values are pushed to `params`. */
function beyond(order: readonly Ordered[], position: Position, params: SqlValue[]): string {
  const parameter = (index: number) => {
    params.push(position[index]);
    return `$${params.length}::${order[index]?.column.type}`;
  };
  const first = order[0]?.direction;
  const isPlain = order.every(
    ({ column, direction }, i) => column.notNull && direction === first && position[i] !== null,
  );
  if (isPlain) {
    // A row comparison walks an index on these columns; the general form below often cannot.
    const columns = order.map(({ column }) => quote(column.name)).join(', ');
    return `(${columns}) ${first === 'asc' ? '>' : '<'} (${order.map((_, index) => parameter(index)).join(', ')})`;
  }
  const branches = order.flatMap(({ column, direction }, index) => {
    const after = behind(column, direction, position[index] ?? null, () => parameter(index));
    if (after === undefined) return [];
    const equal = order.slice(0, index).map((before, i) => {
      const name = quote(before.column.name);
      return position[i] === null ? `${name} IS NULL` : `${name} = ${parameter(i)}`;
    });
    return [[...equal, after].join(' AND ')];
  });
  return branches.length === 0 ? 'false' : branches.map((branch) => `(${branch})`).join(' OR ');
}

/** Nulls come last going up and first going down, as Postgres sorts them. Undefined: nothing comes after. */
function behind(
  column: Column,
  direction: string,
  value: string | null,
  parameter: () => string,
): string | undefined {
  const name = quote(column.name);
  if (value === null) return direction === 'asc' ? undefined : `${name} IS NOT NULL`;
  if (direction === 'desc') return `${name} < ${parameter()}`;
  return column.notNull ? `${name} > ${parameter()}` : `(${name} > ${parameter()} OR ${name} IS NULL)`;
}
