// The keys of one result: plan, parameters and rows to strings. What is the same for every result of a
// statement is built once, in `compile`.
import type { DependencyKey } from '../core/units.ts';
import type { KeySink } from '../core/validity.ts';
import { columnKey, columnWithinKey, rowKey, rowsKey, tableKey, unknownValueKey, valueKey } from './keys.ts';
import { canonical, type ValueKind } from './keys-value.ts';
import { movingTime } from './statement/functions.ts';
import type { Pin, PinnedColumn, ScanPlan, Source, StatementPlan } from './statement/plan.ts';

/** What Postgres answered, as `pg` gives it: rows by column name. */
export interface Result {
  readonly fields: readonly { readonly name: string }[];
  readonly rows: readonly object[];
}

export interface CompiledPlan {
  readonly refused: string | undefined;
  readonly untracked: readonly string[];
  readonly always: readonly DependencyKey[];
  readonly scans: readonly CompiledScan[];
  /** The result's column names, where the analysis knows them. */
  readonly outputs: readonly string[] | undefined;
  /** Parameters that are compared with a column which holds no time. */
  readonly timeless: ReadonlySet<number>;
}

interface CompiledScan {
  readonly plan: ScanPlan;
  /** When any row may matter, and rows are named by the result: the keys beside the rows'. */
  readonly open: readonly DependencyKey[];
  /** The columns only shown, where the result does not name its rows. */
  readonly shown: readonly DependencyKey[];
}

/** A result that names more rows than this depends on columns instead: an entry's keys stay in memory. */
export const maxRowKeys = 500;
/** Pins with more values than this are not worth their keys. */
const maxPinned = 500;

export function compile(plan: StatementPlan): CompiledPlan {
  if (plan.kind === 'refused')
    return {
      refused: plan.why,
      untracked: [],
      always: [],
      scans: [],
      outputs: undefined,
      timeless: new Set(),
    };
  const tables = plan.scans.map((scan) => tableKey(scan.table));
  return {
    refused: undefined,
    untracked: plan.untracked,
    outputs: plan.outputs,
    timeless: timelessParams(plan.scans),
    always: [...new Set([...plan.definitions, ...tables])],
    scans: plan.scans.map((scan) => ({
      plan: scan,
      open: [
        ...(scan.rows ? [rowsKey(scan.table)] : []),
        ...scan.filter.map((name) => columnKey(scan.table, name)),
      ],
      shown: scan.output.map((name) => columnKey(scan.table, name)),
    })),
  };
}

function timelessParams(scans: readonly ScanPlan[]): Set<number> {
  const indexes = new Set<number>();
  for (const column of scans.flatMap((scan) => scan.pins ?? []).flatMap((pin) => pin.columns)) {
    for (const source of column.sources) {
      if (source.kind === 'param' && column.kind !== 'date') indexes.add(source.index);
    }
  }
  return indexes;
}

/** `'yesterday'` as a parameter means another moment every day, if its column is one of times. */
export function movingParams(plan: CompiledPlan, params: readonly unknown[]): boolean {
  return params.some(
    (value, index) =>
      typeof value === 'string' && value.length < 40 && movingTime.test(value) && !plan.timeless.has(index),
  );
}

export function collect(plan: CompiledPlan, params: readonly unknown[], given: Result, sink: KeySink): void {
  // Columns that are not where the plan has them: the schema has changed and the purge is on its way.
  const result = agrees(plan, given) ? given : { fields: [], rows: given.rows };
  for (const key of plan.always) sink.add(key);
  for (const scan of plan.scans) {
    if (scan.plan.pins === undefined || !collectPinned(scan.plan, scan.plan.pins, params, result, sink)) {
      collectOpen(scan, result, sink);
    }
  }
}

function agrees(plan: CompiledPlan, { fields }: Result): boolean {
  const { outputs } = plan;
  return (
    outputs?.length === fields.length && outputs.every((name, i) => name === '' || name === fields[i]?.name)
  );
}

function collectOpen(scan: CompiledScan, result: Result, sink: KeySink): void {
  for (const key of scan.open) sink.add(key);
  if (scan.shown.length === 0) return;
  const rows = shownRows(scan.plan, result);
  if (rows === undefined) for (const key of scan.shown) sink.add(key);
  else for (const key of rows) sink.add(key);
}

/** False, with nothing added, when a value cannot be written as a key. */
function collectPinned(
  plan: ScanPlan,
  pins: readonly Pin[],
  params: readonly unknown[],
  result: Result,
  sink: KeySink,
): boolean {
  const keys: DependencyKey[] = [];
  for (const pin of pins) {
    const values = pin.columns.map((column) => valuesOf(column, params, result));
    const all: (readonly (string | null)[])[] = [];
    for (const list of values) {
      if (list === undefined) return false;
      all.push(list);
    }
    if (all.reduce((product, list) => product * list.length, 1) > maxPinned) return false;
    if (pin.row) keys.push(...rowKeys(plan, all));
    else {
      const [column] = pin.columns;
      const [list] = all;
      if (column === undefined || list === undefined) return false;
      valueKeys(plan, column.name, list, result, keys);
    }
  }
  for (const key of keys) sink.add(key);
  return true;
}

function rowKeys(plan: ScanPlan, lists: readonly (readonly (string | null)[])[]): DependencyKey[] {
  let rows: string[][] = [[]];
  for (const list of lists) {
    const values = list.filter((value) => value !== null);
    rows = rows.flatMap((row) => values.map((value) => [...row, value]));
  }
  return rows.map((row) => rowKey(plan.table, row));
}

function valueKeys(
  plan: ScanPlan,
  pinned: string,
  values: readonly (string | null)[],
  result: Result,
  keys: DependencyKey[],
): void {
  if (values.length === 0) return;
  const rows = plan.output.length === 0 && plan.leavers ? [] : shownRows(plan, result);
  const columns = [...plan.filter, ...(rows === undefined ? plan.output : [])];
  // A row that leaves without the log telling what it left matters here only if it was shown, and then by its key.
  if (rows === undefined || plan.leavers) keys.push(unknownValueKey(plan.table, pinned));
  keys.push(...(rows ?? []));
  for (const value of values) {
    keys.push(valueKey(plan.table, pinned, value));
    for (const name of columns) {
      if (name !== pinned) keys.push(columnWithinKey(plan.table, name, pinned, value));
    }
  }
}

/** Undefined: the result does not name its rows, or names too many. */
function shownRows(plan: ScanPlan, result: Result): DependencyKey[] | undefined {
  if (plan.rowKey === undefined || result.rows.length > maxRowKeys) return undefined;
  const columns: { readonly name: string; readonly kind: ValueKind }[] = [];
  for (const { index, kind } of plan.rowKey) {
    const name = columnAt(result, index);
    if (name === undefined) return undefined;
    columns.push({ name, kind });
  }
  const keys: DependencyKey[] = [];
  for (const row of result.rows as readonly Record<string, unknown>[]) {
    const values: string[] = [];
    for (const { name, kind } of columns) {
      const value = row[name];
      // Padded by an outer join: no row of this table is shown here.
      if (value === null) break;
      const text = canonical(kind, value);
      if (text === undefined) return undefined;
      values.push(text);
    }
    if (values.length === columns.length) keys.push(rowKey(plan.table, values));
  }
  return keys;
}

/** The name under which rows hold the result's column; undefined where another column has taken the name. */
function columnAt(result: Result, index: number): string | undefined {
  const name = result.fields[index]?.name;
  if (name === undefined) return undefined;
  let count = 0;
  for (const field of result.fields) if (field.name === name) count++;
  return count === 1 ? name : undefined;
}

/** Null stands for NULL. Undefined: a value without canonical text. */
function valuesOf(
  column: PinnedColumn,
  params: readonly unknown[],
  result: Result,
): readonly (string | null)[] | undefined {
  const values = new Set<string | null>();
  for (const source of column.sources) {
    if (!addValues(values, source, column.kind, params, result)) return undefined;
  }
  return [...values];
}

function addValues(
  values: Set<string | null>,
  source: Source,
  kind: ValueKind,
  params: readonly unknown[],
  result: Result,
): boolean {
  const add = (value: unknown, matchesNull = false): boolean => {
    if (value === null || value === undefined) {
      if (matchesNull) values.add(null);
      return true;
    }
    const text = canonical(kind, value);
    if (text !== undefined) values.add(text);
    return text !== undefined;
  };
  switch (source.kind) {
    case 'constant':
      values.add(source.value);
      return true;
    case 'null':
      values.add(null);
      return true;
    case 'param':
      return add(params[source.index], source.matchesNull);
    case 'list': {
      const list = params[source.index];
      if (list === null || list === undefined) return true;
      return Array.isArray(list) && list.flat(6).every((value) => add(value));
    }
    case 'output': {
      const name = columnAt(result, source.index);
      if (name === undefined || result.rows.length > maxRowKeys) return false;
      return (result.rows as readonly Record<string, unknown>[]).every(
        (row) => row[name] !== undefined && add(row[name]),
      );
    }
  }
}
