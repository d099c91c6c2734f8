// Rows by their primary key, as `byId` and what belongs to the rows of a list are read: one statement for one row, one for many.
import type { KeyRecorder } from '../../core/validity.ts';
import type { Row, SqlValue } from '../db.ts';
import { BadValueError } from '../errors.ts';
import type { StatementObserver } from '../observer.ts';
import { canonicalText } from '../pool/values.ts';
import { type Column, quote, type Table } from './tables.ts';

export type Read = (sql: string, params: readonly SqlValue[]) => Promise<readonly Row[]>;

/** The rows' key as text; no column of a user's is called so. */
const KEY = '~key';

/** What is the same for all reads of these columns of a table. */
export interface KeyedRead {
  readonly table: Table;
  readonly key: Column;
  readonly fields: readonly { readonly name: string }[];
  /** By one value, as the type is compared by Postgres. */
  readonly one: string;
  /** By a list of texts, with each row's own text as `~key`. */
  readonly many: string;
  /** By a list of values whose text only Postgres knows, with the number of the value as `~key`. */
  readonly exotic: string;
}

/** A table is read anew every few seconds, and what was made of it goes with it. */
const made = new WeakMap<Table, Map<string, KeyedRead>>();

export function keyedRead(table: Table, key: Column, columns: readonly string[] | undefined): KeyedRead {
  const ofTable = made.get(table) ?? new Map<string, KeyedRead>();
  made.set(table, ofTable);
  const name = `${key.name}\0${columns?.join('\0')}`;
  const keyed = ofTable.get(name) ?? make(table, key, columns);
  ofTable.set(name, keyed);
  return keyed;
}

function make(table: Table, key: Column, columns: readonly string[] | undefined): KeyedRead {
  const selected = columns === undefined ? '*' : columns.map(quote).join(', ');
  const by = quote(key.name);
  return {
    table,
    key,
    fields: (columns ?? [...table.columns.keys()]).map((name) => ({ name })),
    one: `SELECT ${selected} FROM ${table.sql} WHERE ${by} = $1`,
    many: `SELECT ${selected}, ${by}::text AS "${KEY}" FROM ${table.sql} WHERE ${by} = ANY($1::${key.type}[])`,
    exotic:
      `SELECT k.n::int AS "${KEY}", t.* FROM unnest($1::${key.type}[]) WITH ORDINALITY AS k(id, n) ` +
      `JOIN (SELECT ${selected}, ${by} AS "~id" FROM ${table.sql}) t ON t."~id" = k.id`,
  };
}

export type TellRow = (id: SqlValue, row: Row | null, keyRecorder: KeyRecorder) => void | Promise<void>;

/** Tells the observer of a row, found or not, as the statement that reads it alone: a missing row may appear. */
export function tellingRows(observer: StatementObserver | undefined, keyed: KeyedRead): TellRow {
  const { table, key, fields, one } = keyed;
  return (id, row, keyRecorder) => {
    if (keyRecorder.isDeaf === true) return;
    const text = key.exact ? canonicalText(key.type, id) : undefined;
    if (text !== null)
      return observer?.onStatement(
        one,
        [text ?? id],
        { fields, rows: row === null ? [] : [row] },
        keyRecorder,
      );
    // No row can have an id that its column cannot hold, unless the table itself changes.
    keyRecorder.add(table.keyName);
  };
}

/**
 * The rows with these primary keys, in their order, null for those that are not there. An id that the column
 * cannot hold ('abc' or 2^63 for an integer) is one that is not there.
 */
export async function readByKey(
  keyed: KeyedRead,
  ids: readonly SqlValue[],
  read: Read,
): Promise<(Row | null)[]> {
  const { key } = keyed;
  const texts = ids.map((id) => (key.exact ? canonicalText(key.type, id) : undefined));
  // Only Postgres knows how this type is written: it compares for us.
  if (texts.includes(undefined)) return readExotic(keyed, ids, read);

  const wanted = [...new Set(texts.filter((text) => typeof text === 'string'))];
  if (wanted.length === 0) return ids.map(() => null);
  const found = new Map<unknown, Row>();
  if (wanted.length === 1) {
    const [row] = await read(keyed.one, wanted);
    if (row !== undefined) found.set(wanted[0], row);
  } else {
    for (const row of await read(keyed.many, [wanted])) found.set(row[KEY], without(row, KEY));
  }
  return texts.map((text) => found.get(text) ?? null);
}

async function readExotic(keyed: KeyedRead, ids: readonly SqlValue[], read: Read): Promise<(Row | null)[]> {
  const rows = ids.map((): Row | null => null);
  try {
    for (const row of await read(keyed.exotic, [ids]))
      rows[Number(row[KEY]) - 1] = without(without(row, KEY), '~id');
  } catch (error) {
    if (!(error instanceof BadValueError)) throw error;
    if (ids.length === 1) return rows;
    // One of them is not of this type; the others still have their rows.
    const one = (id: SqlValue) => readExotic(keyed, [id], read);
    return (await Promise.all(ids.map(one))).flat();
  }
  return rows;
}

function without(row: Row, name: string): Row {
  const { [name]: _, ...rest } = row;
  return rest;
}
