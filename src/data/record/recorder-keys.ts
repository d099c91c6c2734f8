// The keys of one result: plan, parameters and rows to strings. It runs with every statement of every render, so it
// makes no more than the keys themselves: a head of the plan and a value, for each.
import type { DependencyKey } from '../../core/units.ts';
import type { KeyRecorder } from '../../core/validity.ts';
import { encodeValue } from '../keys/keys.ts';
import { canonical, type ValueKind } from '../keys/keys-value.ts';
import { movingTime } from '../statement/functions.ts';
import type { PinnedColumn, Source } from '../statement/plan.ts';
import type { ByValue, CompiledPin, CompiledPlan, CompiledScan } from './recorder-plan.ts';

/** What Postgres answered, as `pg` gives it: rows by column name. */
export interface Result {
  readonly fields: readonly { readonly name: string }[];
  readonly rows: readonly object[];
}

/** A value as keys hold it; null stands for NULL. */
type Value = string | null;

/** A result that names more rows than this depends on columns instead: an entry's keys stay in memory. */
export const maxRowKeys = 500;
/** So many keys name the columns of a reading's rows at most; else the rows' own keys do. */
export const maxColumnKeys = 500;

/** Pins with more values than this are not worth their keys. */
const maxPinned = 500;

/** `'yesterday'` as a parameter means another moment every day, if its column is one of times. */
export function movingParams(plan: CompiledPlan, params: readonly unknown[]): boolean {
  return params.some(
    (value, index) =>
      typeof value === 'string' && !plan.timeless.has(index) && value.length < 40 && movingTime.test(value),
  );
}

export function collect(
  plan: CompiledPlan,
  params: readonly unknown[],
  given: Result,
  keyRecorder: KeyRecorder,
): void {
  // Columns that are not where the plan has them: the schema has changed and the purge is on its way.
  const result = agrees(plan, given) ? given : { fields: [], rows: given.rows };
  for (const key of plan.always) keyRecorder.add(key);
  for (const scan of plan.scans) {
    const pins = scan.pins ?? (result.rows.length > 0 ? scan.pinsWhenShown : undefined);
    const keys = (pins && pinnedKeys(scan, pins, params, result)) ?? openKeys(scan, result);
    for (const key of keys) keyRecorder.add(key);
  }
}

function agrees({ outputs }: CompiledPlan, { fields }: Result): boolean {
  if (outputs === undefined || outputs.length !== fields.length) return false;
  for (let i = 0; i < outputs.length; i++) {
    const name = outputs[i];
    if (name !== '' && name !== fields[i]?.name) return false;
  }
  return true;
}

function openKeys(scan: CompiledScan, result: Result): readonly DependencyKey[] {
  if (scan.shown.length === 0) return scan.open;
  const keys = [...scan.open];
  return addShownRows(scan, result, keys) ? keys : [...scan.open, ...scan.shown];
}

/** Undefined when a value cannot be written as a key. */
function pinnedKeys(
  scan: CompiledScan,
  pins: readonly CompiledPin[],
  params: readonly unknown[],
  result: Result,
): DependencyKey[] | undefined {
  const keys: DependencyKey[] = [];
  for (const { columns, byValue } of pins) {
    const lists: (readonly Value[])[] = [];
    let count = 1;
    for (const column of columns) {
      const values = valuesOf(column, params, result);
      if (values === undefined) return undefined;
      lists.push(values);
      count *= values.length;
    }
    const [first] = lists;
    if (count > maxPinned || first === undefined) return undefined;
    if (byValue === undefined) addRows(scan, lists, keys);
    else addValueKeys(scan, byValue, first, result, keys);
  }
  return keys;
}

/** Every row whose key's columns have one of the values each. NULL is no part of a key. */
function addRows(
  { rowHead, pinnedTails }: CompiledScan,
  lists: readonly (readonly Value[])[],
  keys: DependencyKey[],
): void {
  let heads = [rowHead];
  for (const [index, values] of lists.entries()) {
    const longer: string[] = [];
    for (const start of index === 0 ? heads : heads.map((key) => `${key},`)) {
      for (const value of values) if (value !== null) longer.push(start + value);
    }
    heads = longer;
  }
  const tails = tailsFor(heads.length, pinnedTails);
  for (const row of heads) for (const tail of tails) keys.push(row + tail);
}

const rowsAlone: readonly string[] = [''];

const tailsFor = (rows: number, tails: readonly string[]): readonly string[] =>
  rows * tails.length > maxColumnKeys ? rowsAlone : tails;

function addValueKeys(
  scan: CompiledScan,
  by: ByValue,
  values: readonly Value[],
  result: Result,
  keys: DependencyKey[],
): void {
  if (values.length === 0) return;
  keys.push(by.pinned);
  const named = !by.names || addShownRows(scan, result, keys);
  // A row that leaves without the log telling what it left matters here only if it was shown, and then by its key.
  if (!named || by.leavers) keys.push(by.unknown);
  const heads = named ? by.heads : by.headsUnnamed;
  for (const value of values) {
    const text = value ?? encodeValue(null);
    for (const head of heads) keys.push(head + text);
  }
}

/** False, with nothing added: the result does not name its rows, or names too many. */
function addShownRows(
  { rowKey, rowHead, shownTails }: CompiledScan,
  result: Result,
  keys: DependencyKey[],
): boolean {
  if (rowKey === undefined || result.rows.length > maxRowKeys) return false;
  const columns: { readonly name: string; readonly kind: ValueKind }[] = [];
  for (const { index, kind } of rowKey) {
    const name = columnAt(result, index);
    if (name === undefined) return false;
    columns.push({ name, kind });
  }
  const before = keys.length;
  const tails = tailsFor(result.rows.length, shownTails);
  rows: for (const row of result.rows as readonly Record<string, unknown>[]) {
    let key: string | undefined;
    for (const { name, kind } of columns) {
      const value = row[name];
      // Padded by an outer join: no row of this table is shown here.
      if (value === null) continue rows;
      const text = encoded(kind, value);
      if (text === undefined) {
        keys.length = before;
        return false;
      }
      key = key === undefined ? rowHead + text : `${key},${text}`;
    }
    if (key !== undefined) for (const tail of tails) keys.push(key + tail);
  }
  return true;
}

/** The name under which rows hold the result's column; undefined where another column has taken the name. */
function columnAt({ fields }: Result, index: number): string | undefined {
  const name = fields[index]?.name;
  if (name === undefined) return undefined;
  let count = 0;
  for (const field of fields) if (field.name === name) count++;
  return count === 1 ? name : undefined;
}

/** Undefined where there is no canonical text. */
function encoded(kind: ValueKind, value: unknown): string | undefined {
  // Nearly every key is a number, and nothing of a number needs to be encoded.
  if (kind === 'int' && typeof value === 'number') return canonical(kind, value);
  const text = canonical(kind, value);
  return text === undefined ? undefined : encodeValue(text);
}

/** Undefined: a value without canonical text. */
function valuesOf(
  column: PinnedColumn,
  params: readonly unknown[],
  result: Result,
): readonly Value[] | undefined {
  const values: Value[] = [];
  for (const source of column.sources) {
    if (!addValues(values, source, column.kind, params, result)) return undefined;
  }
  return values.length > 1 ? [...new Set(values)] : values;
}

function addValues(
  values: Value[],
  source: Source,
  kind: ValueKind,
  params: readonly unknown[],
  result: Result,
): boolean {
  switch (source.kind) {
    case 'constant':
      values.push(encodeValue(source.value));
      return true;
    case 'null':
      values.push(null);
      return true;
    case 'param': {
      const value = params[source.index];
      if (source.matchesNull && (value === null || value === undefined)) values.push(null);
      return addValue(values, kind, value);
    }
    case 'list': {
      const list = params[source.index];
      if (list === null || list === undefined) return true;
      return Array.isArray(list) && addList(values, kind, list);
    }
    case 'output':
      return addShownValues(values, columnAt(result, source.index), kind, result);
  }
}

/** Of any number of dimensions. */
function addList(values: Value[], kind: ValueKind, list: readonly unknown[]): boolean {
  for (const item of list) {
    if (!(Array.isArray(item) ? addList(values, kind, item) : addValue(values, kind, item))) return false;
  }
  return true;
}

/** Nothing is equal to NULL. */
function addValue(values: Value[], kind: ValueKind, value: unknown): boolean {
  if (value === null || value === undefined) return true;
  const text = encoded(kind, value);
  if (text === undefined) return false;
  values.push(text);
  return true;
}

function addShownValues(
  values: Value[],
  name: string | undefined,
  kind: ValueKind,
  { rows }: Result,
): boolean {
  if (name === undefined || rows.length > maxRowKeys) return false;
  const seen = new Set<unknown>();
  for (const row of rows as readonly Record<string, unknown>[]) {
    const value = row[name];
    if (value === undefined) return false;
    if (seen.has(value)) continue;
    seen.add(value);
    if (!addValue(values, kind, value)) return false;
  }
  return true;
}
