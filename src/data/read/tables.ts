// What the catalog says about the tables that byId and paginate name.
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Row, SqlValue } from '../db.ts';
import { UnknownNameError } from '../errors.ts';
import { type RelationName, relationName } from '../keys/keys.ts';

export interface Column {
  readonly name: string;
  /** The type's name without length or precision: a cast to it never rounds or cuts. Ready to stand in SQL. */
  readonly type: string;
  readonly notNull: boolean;
  /** Equal values have equal texts (false under a collation that says otherwise). */
  readonly exact: boolean;
}

export interface Table {
  /** As dependency keys name it. */
  readonly keyName: RelationName;
  /** Quoted, ready to stand in SQL. */
  readonly sql: string;
  readonly columns: ReadonlyMap<string, Column>;
  readonly primaryKey: readonly string[];
}

interface Reader {
  run<R extends object = Row>(sql: string, params?: readonly SqlValue[]): Promise<{ rows: R[] }>;
}

interface CatalogRow {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly exact: boolean;
  readonly keyPosition: number | null;
}

const CATALOG = `
  SELECT n.nspname AS "schema", c.relname AS "table", a.attname AS "column",
         format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), -1) AS "type",
         a.attnotnull AS "notNull",
         coalesce(l.collisdeterministic, true) AS "exact",
         array_position(i.indkey::int2[], a.attnum) AS "keyPosition"
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
  WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  ORDER BY a.attnum`;

/** How long a change of a table may go unnoticed where no error tells of it. */
const KEEP_MS: Milliseconds = 10_000;

interface Known {
  readonly readAtMs: Milliseconds;
  readonly table: Promise<Table>;
  /** When it has been read. */
  found: Table | undefined;
}

export class Tables {
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(reader: Reader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** The same without a promise where it has been read; undefined: `find` has to be asked. */
  known(name: string, columns: readonly string[] = []): Table | undefined {
    const known = this.#known.get(name);
    if (known?.found === undefined || this.#clock.monotonic() - known.readAtMs >= KEEP_MS) return undefined;
    const { found } = known;
    return columns.every((column) => found.columns.has(column)) ? found : undefined;
  }

  /** The table, with at least these columns. Errors: E_UNKNOWN_NAME. */
  async find(name: string, columns: readonly string[] = []): Promise<Table> {
    const known = this.#known.get(name);
    if (known !== undefined && this.#clock.monotonic() - known.readAtMs < KEEP_MS) {
      const table = await known.table;
      if (columns.every((column) => table.columns.has(column))) return table;
      // Perhaps it has been added since.
    }
    const table = await this.#read(name);
    const missing = columns.find((column) => !table.columns.has(column));
    if (missing !== undefined) throw new UnknownNameError(`Table ${name} has no column "${missing}".`);
    return table;
  }

  /** After a change of the schema. */
  forget(): void {
    this.#known.clear();
  }

  #read(name: string): Promise<Table> {
    const table = this.#reader
      .run<CatalogRow>(CATALOG, [quoteTable(name)])
      .then(({ rows }) => toTable(name, rows));
    const entry: Known = { readAtMs: this.#clock.monotonic(), table, found: undefined };
    this.#known.set(name, entry);
    table.then(
      (found) => {
        entry.found = found;
      },
      () => {
        if (this.#known.get(name) === entry) this.#known.delete(name);
      },
    );
    return table;
  }
}

function toTable(name: string, rows: readonly CatalogRow[]): Table {
  const first = rows[0];
  if (first === undefined)
    throw new UnknownNameError(`There is no table "${name}" in the database's search path.`);
  const columns = rows.map(
    ({ column, type, notNull, exact }) => [column, { name: column, type, notNull, exact }] as const,
  );
  const primaryKey = rows
    .filter((row) => row.keyPosition !== null)
    .sort((a, b) => Number(a.keyPosition) - Number(b.keyPosition))
    .map((row) => row.column);
  return {
    keyName: relationName(first.schema, first.table),
    sql: `${quote(first.schema)}.${quote(first.table)}`,
    columns: new Map(columns),
    primaryKey,
  };
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `users` or `schema.users`, each part taken literally. */
function quoteTable(name: string): string {
  return name.split('.').map(quote).join('.');
}

/** The only column of the primary key. Errors: E_UNKNOWN_NAME. */
export function keyColumn(table: Table, what: string): Column {
  const [name, second] = table.primaryKey;
  const column = name === undefined ? undefined : table.columns.get(name);
  if (column === undefined || second !== undefined) {
    throw new UnknownNameError(
      `${what} needs a table with a primary key of one column; ${table.keyName} has ${table.primaryKey.length}.`,
    );
  }
  return column;
}
