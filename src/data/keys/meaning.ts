import type { DependencyKey } from '../../core/units.ts';
import { type KeyValue, parseKey } from './keys.ts';

/** What a dependency key stands for, in words. */
export function meaningOf(key: DependencyKey): string {
  const parsed = parseKey(key);
  if (parsed === null) return 'a key of the application';
  switch (parsed.kind) {
    case 'table':
      return `all of ${parsed.table}: TRUNCATE, a changed definition, a change too large to name its rows`;
    case 'rows':
      return `rows of ${parsed.table} come or go`;
    case 'partly':
      return `a row of ${parsed.table} changes, and the log does not have what it was`;
    case 'row':
      return `the row of ${parsed.table} with primary key ${parsed.values.map(text).join(', ')}`;
    case 'row-itself':
      return `that the row of ${parsed.table} with primary key ${parsed.values.map(text).join(', ')} is there`;
    case 'column-of-row':
      return `${parsed.column} of the row of ${parsed.table} with primary key ${parsed.values.map(text).join(', ')}`;
    case 'column':
      return `${parsed.column} of any row of ${parsed.table}`;
    case 'pinned':
      return `that rows of ${parsed.table} are named by ${parsed.column}`;
    case 'value':
      return `rows of ${parsed.table} come to, or leave, those with ${parsed.column} = ${text(parsed.value)}`;
    case 'unknown-value':
      return `rows of ${parsed.table} whose former ${parsed.column} the log does not tell`;
    case 'column-within':
      return `${parsed.column} of the rows of ${parsed.table} with ${parsed.pinned} = ${text(parsed.value)}`;
    case 'function':
      return `the definition of ${parsed.table}()`;
    case 'operator':
      return `which operator is meant by ${parsed.name} with operands (${parsed.operands}), ? for a literal or a parameter`;
    case 'schema':
      return 'definitions that belong to no one table';
  }
}

function text({ text: value, cut }: KeyValue): string {
  if (value === null) return 'NULL';
  return cut ? `${value}...` : value;
}
