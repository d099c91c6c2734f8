// What `db.paginate` may ask of rows: `where` and `or`, as SQL with parameters. Columns were checked against the catalog before.
import type { Compared, SqlValue, Where } from '../db.ts';
import { BadPageError } from '../errors.ts';
import { canonicalText } from '../pool/values.ts';
import { quote, type Table } from './tables.ts';

const COMPARE = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;
const OPERATORS = new Set([...Object.keys(COMPARE), 'in', 'not', 'ilike', 'contains']);

export interface Filters {
  readonly where?: Where | undefined;
  readonly or?: readonly Where[] | undefined;
}

/** Names of the columns that are compared. */
export function comparedColumns({ where = {}, or = [] }: Filters): string[] {
  return [where, ...or].flatMap((group) => Object.keys(group));
}

export class Filter {
  readonly params: SqlValue[] = [];
  /** ' WHERE ...', or '' */
  readonly sql: string;
  /** A value that its column cannot hold equals none that is there, unless the table itself changes. */
  readonly matchesNothing: boolean;
  readonly #table: Table;

  /** Errors: `E_BAD_PAGE`. */
  constructor(table: Table, { where = {}, or }: Filters) {
    this.#table = table;
    const all = this.#group(where);
    const groups = or?.map((group) => this.#group(group)).filter((group) => group !== undefined);
    this.matchesNothing = all === undefined || groups?.length === 0;
    const conditions = [...(all ?? [])];
    if (groups !== undefined && groups.length > 0)
      conditions.push(`(${groups.map((group) => `(${group.join(' AND ') || 'true'})`).join(' OR ')})`);
    this.sql = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  }

  /** Conditions that must all hold; undefined where they cannot. */
  #group(where: Where): string[] | undefined {
    const params = this.params.length;
    const conditions = Object.entries(where).flatMap(([name, asked]) =>
      isCompared(asked) ? this.#compare(name, asked) : [this.#equal(name, asked)],
    );
    const possible = conditions.filter((each) => each !== undefined);
    if (possible.length === conditions.length) return possible;
    // Its parameters stand in no statement.
    this.params.length = params;
    return undefined;
  }

  #equal(name: string, value: SqlValue): string | undefined {
    if (value === undefined)
      throw new BadPageError(`where.${name} is undefined; leave it out, or use null for "is null".`);
    if (value === null) return `${quote(name)} IS NULL`;
    return this.#canHold(name, value) ? `${quote(name)} = ${this.#param(value)}` : undefined;
  }

  #compare(name: string, asked: Compared<unknown>): (string | undefined)[] {
    return Object.entries(asked).map(([operator, value]) => {
      const column = quote(name);
      if (!OPERATORS.has(operator))
        throw new BadPageError(`where.${name} has '${operator}'; it takes ${[...OPERATORS].join(', ')}.`);
      if (operator === 'in') return this.#among(name, value);
      if (operator === 'not')
        return value === null ? `${column} IS NOT NULL` : `${column} IS DISTINCT FROM ${this.#param(value)}`;
      if (value === undefined || value === null)
        throw new BadPageError(`where.${name}.${operator} is ${value}; nothing compares with that.`);
      if (operator === 'ilike') return `${column} ILIKE ${this.#param(value)}`;
      if (operator === 'contains')
        return `${column} ILIKE ${this.#param(`%${escapePattern(String(value))}%`)}`;
      return `${column} ${COMPARE[operator as keyof typeof COMPARE]} ${this.#param(value)}`;
    });
  }

  #among(name: string, values: unknown): string | undefined {
    if (!Array.isArray(values) || values.some((value) => value === null || value === undefined))
      throw new BadPageError(`where.${name}.in takes a list of values, without null.`);
    const possible = values.filter((value) => this.#canHold(name, value));
    if (possible.length === 0) return undefined;
    const type = this.#table.columns.get(name)?.type ?? 'text';
    return `${quote(name)} = ANY(${this.#param(possible)}::${type}[])`;
  }

  #canHold(name: string, value: SqlValue): boolean {
    return canonicalText(this.#table.columns.get(name)?.type ?? '', value) !== null;
  }

  #param(value: SqlValue): string {
    this.params.push(value);
    return `$${this.params.length}`;
  }
}

/** A plain object compares; a Date, a list or a Buffer is a value. */
function isCompared(value: unknown): value is Compared<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What a person typed into a search box stands for itself. */
function escapePattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
