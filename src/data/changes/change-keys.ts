// The change side of the meeting rule: which dependency keys a row change purges. Pure; the feed decodes the
// log and calls it for each row. Whatever the log does not tell is purged more coarsely, never less:
//
//   insert, delete     the rows, the row, and for each pinnable column its value
//   update             the row; each changed column: itself, its old and new value; and for each pinnable column
//                      that did not change, the changed columns within its value. Where the log has the whole old
//                      row: each changed column of the row
//   old value unknown  the column counts as changed, and `=?` stands for the value it had. Statements that show
//                      every row that leaving could matter for record those rows instead of `=?`, so any update
//                      tells the value that the row has now.
//   truncate, or nothing known of the table: the table
//
// Values are the text that the server's output functions write. For two texts to be equal if and only if the
// values are, the connection that reads the log must run under `logSettings`.
import { columnOfRow, rowItself } from '../../core/row-keys.ts';
import type { DependencyKey } from '../../core/units.ts';
import {
  columnKey,
  columnWithinKey,
  encodeName,
  partlyKey,
  relationName,
  rowKey,
  rowsKey,
  tableKey,
  unknownValueKey,
  valueKey,
} from '../keys/keys.ts';
import { canonical } from '../keys/keys-value.ts';
import type { Catalog, Column, Relation } from '../schema/catalog.ts';

/** Session settings for the connection that reads the log: exact floats, ISO dates, one time zone. */
export const logSettings =
  '-c extra_float_digits=3 -c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC -c bytea_output=hex';

/** A tuple of the log by column name. `undefined`: an unchanged TOAST value, which the log leaves out. */
export type Tuple = Readonly<Record<string, string | null | undefined>>;

/** A table as the log's own Relation message describes it. */
export interface LoggedTable {
  readonly schema: string;
  readonly name: string;
  readonly identity: 'default' | 'nothing' | 'full' | 'index';
  /** The columns that the log carries (stored generated ones and those of no column list are absent). */
  readonly columns: readonly string[];
  /** Those of them that form the replica identity. */
  readonly keyColumns: readonly string[];
}

export type RowChange =
  | { readonly kind: 'insert'; readonly table: LoggedTable; readonly new: Tuple }
  /** `old`: the whole old row ('O'), the old key ('K': only its columns count), or null when neither was sent. */
  | { readonly kind: 'update'; readonly table: LoggedTable; readonly old: Tuple | null; readonly new: Tuple }
  | { readonly kind: 'delete'; readonly table: LoggedTable; readonly old: Tuple }
  | { readonly kind: 'truncate'; readonly tables: readonly LoggedTable[] };

/**
 * Adds the keys that the change purges to `keys`; a set, since the rows of a transaction share many.
 * False: the catalog does not know the table, which may be a new partition of one it does know. The caller must
 * then load the catalog anew, publish `changesTo`, and tell the change again.
 */
export function changeKeys(change: RowChange, catalog: Catalog, keys: Set<DependencyKey>): boolean {
  let familiar = true;
  const tables = change.kind === 'truncate' ? change.tables : [change.table];
  for (const table of tables) {
    const relation = catalog.relation(table.schema, table.name);
    if (relation === undefined) {
      keys.add(tableKey(relationName(table.schema, table.name)));
      familiar = false;
      continue;
    }
    for (const told of relation.toldAs) {
      if (change.kind === 'truncate') keys.add(tableKey(told.keyName));
      else tellRow(change, told, keys);
    }
  }
  return familiar;
}

/** What is known of one column across the change; `old` or `new` undefined: not known (or no such row). */
interface Cell {
  readonly column: Column;
  readonly old: string | null | undefined;
  readonly new: string | null | undefined;
  readonly changed: boolean;
}

type OneRow = Exclude<RowChange, { kind: 'truncate' }>;

function tellRow(change: OneRow, relation: Relation, keys: Set<DependencyKey>): void {
  const cells = cellsOf(change, relation);
  const partly = partlyKey(relation.keyName);
  if (change.kind === 'update') {
    const changed = [...cells.values()].filter((cell) => cell.changed);
    // A generated column counts as changed with the rest of its row, not by itself.
    if (changed.every(({ column }) => column.generated && !change.table.columns.includes(column.name)))
      return;
    if (change.table.identity !== 'full') keys.add(partly);
    tellChanged(relation, cells, changed, keys);
  } else {
    keys.add(rowsKey(relation.keyName));
    if (change.table.identity !== 'full') keys.add(partly);
    for (const cell of cells.values()) {
      if (relation.pinnable.has(cell.column.name)) {
        tellValue(relation, cell.column, change.kind === 'insert' ? cell.new : cell.old, keys);
      }
    }
  }
  tellPrimaryKey(change, relation, cells, keys);
}

function cellsOf(change: OneRow, relation: Relation): Map<string, Cell> {
  const { table } = change;
  const oldRow = change.kind === 'insert' ? null : change.old;
  const newRow = change.kind === 'delete' ? null : change.new;
  const cells = new Map<string, Cell>();
  const add = (name: string): void => {
    const known = table.columns.includes(name);
    const inKey = table.keyColumns.includes(name);
    const fresh = known ? newRow?.[name] : undefined;
    let old = known && (table.identity === 'full' || inKey) ? oldRow?.[name] : undefined;
    let changed = change.kind === 'update';
    if (changed && known) {
      // Without an old tuple the identity's columns are as they were.
      if (oldRow === null && inKey) old = fresh;
      const untouched = newRow !== null && newRow[name] === undefined;
      changed = !untouched && (old === undefined || old !== fresh);
    }
    const column = relation.columns.get(name) ?? unfamiliar(name);
    cells.set(name, { column, old, new: fresh === undefined && !changed ? old : fresh, changed });
  };
  for (const name of relation.columns.keys()) add(name);
  for (const [name, cell] of cells) {
    // Computed from columns of the row: it is another one only if one of those is.
    const { sources } = cell.column;
    if (table.columns.includes(name) || sources.length === 0) continue;
    cells.set(name, { ...cell, changed: sources.some((source) => cells.get(source)?.changed ?? true) });
  }
  // A column that this catalog has not met yet: its name may already stand in a statement's keys.
  if (change.table.name === relation.name) for (const name of table.columns) if (!cells.has(name)) add(name);
  return cells;
}

const unfamiliar = (name: string): Column => ({
  name,
  kind: undefined,
  generated: false,
  sources: [],
  notNull: false,
  namesCatalog: false,
});

function tellChanged(
  relation: Relation,
  cells: ReadonlyMap<string, Cell>,
  changed: readonly Cell[],
  keys: Set<DependencyKey>,
): void {
  const { keyName, pinnable } = relation;
  for (const cell of changed) keys.add(columnKey(keyName, cell.column.name));
  for (const name of pinnable) {
    const cell = cells.get(name);
    if (cell === undefined) continue;
    if (cell.changed) {
      tellValue(relation, cell.column, cell.old, keys);
      tellValue(relation, cell.column, cell.new, keys);
      continue;
    }
    const value = canonicalCell(cell.column, cell.new);
    // Unchanged, and too long to be in the log: which of the values pinned by it is not told at all.
    if (cell.new === undefined) keys.add(tableKey(keyName));
    else if (value === undefined) keys.add(unknownValueKey(keyName, name));
    else for (const other of changed) keys.add(columnWithinKey(keyName, other.column.name, name, value));
  }
}

function tellValue(
  relation: Relation,
  column: Column,
  text: string | null | undefined,
  keys: Set<DependencyKey>,
): void {
  const value = canonicalCell(column, text);
  keys.add(
    value === undefined
      ? unknownValueKey(relation.keyName, column.name)
      : valueKey(relation.keyName, column.name, value),
  );
}

function canonicalCell(column: Column, text: string | null | undefined): string | null | undefined {
  if (text === null || text === undefined || column.kind === undefined)
    return text === null ? null : undefined;
  return canonical(column.kind, text);
}

function tellPrimaryKey(
  change: OneRow,
  relation: Relation,
  cells: ReadonlyMap<string, Cell>,
  keys: Set<DependencyKey>,
): void {
  const { primaryKey, keyName } = relation;
  if (primaryKey.length === 0) return;
  const isToldWhole = change.table.identity === 'full';
  const isSameRow =
    change.kind === 'update' &&
    isToldWhole &&
    change.old !== null &&
    primaryKey.every((name) => cells.get(name)?.changed === false);
  for (const side of ['old', 'new'] as const) {
    if ((side === 'old' && change.kind === 'insert') || (side === 'new' && change.kind === 'delete'))
      continue;
    const values: string[] = [];
    for (const name of primaryKey) {
      const cell = cells.get(name);
      const value = cell === undefined ? undefined : canonicalCell(cell.column, cell[side] ?? null);
      if (typeof value === 'string') values.push(value);
    }
    // Which row it was is not told: the identity is another index than the key, or a child has no such key.
    if (values.length < primaryKey.length) {
      keys.add(tableKey(keyName));
      continue;
    }
    const row = rowKey(keyName, values);
    keys.add(row);
    if (isSameRow) {
      for (const { column, changed } of cells.values())
        if (changed) keys.add(columnOfRow(row, encodeName(column.name)));
    } else if (isToldWhole) keys.add(rowItself(row));
  }
}
