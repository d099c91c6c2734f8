// Keys of rows where the log tells which columns changed (docs/decisions/0028):
//
//   users#17          the row, whatever happens to it
//   users#17{name}    this column of the row
//   users#17{}        the row comes, goes, gets another key, or changes in a way that the log does not tell
//
// A page that knows the columns that it read records the last two, and not the first. Every change purges the first. So a
// purge of `users#17` by hand has to name `users#17{}` as well, which reaches all the others.
import type { DependencyKey } from './units.ts';

const ROW = /^[^#{}]+#[^#{}]*$/;
const NARROW = /^([^#{}]+#[^#{}]*)\{[^{}]*\}$/;

export const rowItself = (row: DependencyKey): DependencyKey => `${row}{}`;
export const columnOfRow = (row: DependencyKey, column: string): DependencyKey => `${row}{${column}}`;

/** The keys, and what stands beside those of rows in pages that know their columns. */
export function withRowsThemselves(keys: readonly DependencyKey[]): readonly DependencyKey[] {
  const rows = keys.filter((key) => ROW.test(key));
  return rows.length === 0 ? keys : [...new Set([...keys, ...rows.map(rowItself)])];
}

/** `users#17` of `users#17{name}`; undefined for a key that is not narrow. */
export function rowOf(key: DependencyKey): DependencyKey | undefined {
  return key.endsWith('}') ? NARROW.exec(key)?.[1] : undefined;
}

/** Each narrow key as that of its row, without repeats: for those who are told of every change of a row anyway. */
export function asRows(keys: readonly DependencyKey[]): readonly DependencyKey[] {
  return keys.some((key) => key.endsWith('}')) ? [...new Set(keys.map((key) => rowOf(key) ?? key))] : keys;
}
