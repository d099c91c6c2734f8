// The grammar of dependency keys that come from the database, and its only builder and parser. What a
// statement read and what a change touched meet by string equality, so both sides build their keys here.
//
//   posts                    the table: recorded by everything made from it; purged by TRUNCATE, by a change of
//                            its definition, and by any change too large or too obscure to name row by row
//   posts@rows               rows come or go
//   posts.title              the column, of any row
//   posts#17   likes#17,4    the row with this primary key (in the key's order), come, gone or changed
//   posts#17{title}          this column of the row \  where the log tells the columns: src/core/row-keys.ts
//   posts#17{}               the row itself         /
//   posts@partly             a row changed, of which the log does not have what it was
//   posts.user_id=17         a row comes to, or leaves, the rows with this value (`=null` for NULL)
//   posts.user_id=?          a row left, or may have left, the rows with a value that the log does not tell
//   posts.user_id=%          rows are no longer named by this column, or only now
//   posts.title@user_id=17   the column, of the rows with this value
//   full_name()              a function of the application's own was redefined
//   %7C%7C(_,?)              another operator || may be meant by those who write it with such operands
//   @schema                  something was redefined that cannot be pinned to a table or function
//
// Relations outside `public` are written `schema/name`. Names keep ASCII letters, digits, `_` and `$`, values
// keep a little more; every other byte is `%XX`. Long values are cut and closed with a digest: equal values
// give equal keys, which is all that soundness asks; two values sharing one key would cost a render.
import { createHash } from 'node:crypto';
import type { DependencyKey } from '../../core/units.ts';

/** A relation's name as it stands at the head of its keys; made by `relationName` only. */
export type RelationName = string;

/** Longer values are cut: a key lives in memory for every entry that was made from it. */
const maxValueLength = 80;

const plainName = /^[A-Za-z0-9_$]+$/;
const plainValue = /^[A-Za-z0-9_.:@/+-]*$/;

export const schemaKey: DependencyKey = '@schema';

export function relationName(schema: string, name: string): RelationName {
  return schema === 'public' ? encodeName(name) : `${encodeName(schema)}/${encodeName(name)}`;
}

export const tableKey = (table: RelationName): DependencyKey => table;
export const rowsKey = (table: RelationName): DependencyKey => `${table}@rows`;
export const partlyKey = (table: RelationName): DependencyKey => `${table}@partly`;
export const columnKey = (table: RelationName, column: string): DependencyKey =>
  `${table}.${encodeName(column)}`;

/**
 * What such keys begin with. A head and encoded values make the key: a statement's heads are written once, and only its
 * values with every result.
 */
export const rowHead = (table: RelationName): string => `${table}#`;
export const valueHead = (table: RelationName, column: string): string => `${table}.${encodeName(column)}=`;
export const columnWithinHead = (table: RelationName, column: string, pinned: string): string =>
  `${table}.${encodeName(column)}@${encodeName(pinned)}=`;

/** `values`: the canonical texts of the primary key's columns, in the key's order. */
export const rowKey = (table: RelationName, values: readonly string[]): DependencyKey => {
  const [only] = values;
  return `${rowHead(table)}${values.length === 1 && only !== undefined ? encodeValue(only) : values.map(encodeValue).join(',')}`;
};

export const valueKey = (table: RelationName, column: string, value: string | null): DependencyKey =>
  valueHead(table, column) + encodeValue(value);

export const unknownValueKey = (table: RelationName, column: string): DependencyKey =>
  `${valueHead(table, column)}?`;

/** No encoded value is a lone `%`. */
export const pinnedKey = (table: RelationName, column: string): DependencyKey =>
  `${valueHead(table, column)}%`;

export const columnWithinKey = (
  table: RelationName,
  column: string,
  pinned: string,
  value: string | null,
): DependencyKey => columnWithinHead(table, column, pinned) + encodeValue(value);

/** Of the application's own operators, whatever their schema: `&&&` is `%26%26%26()`. */
export const operatorKey = (name: string): DependencyKey => `${encodeName(name)}()`;

/** `?`: an operand whose type Postgres takes from what stands around it (a literal, NULL, a parameter); `_`: any other. */
export type Operand = '?' | '_';

/** Nearly every statement writes one of them behind a column: these are told of by the schema's key. */
const comparisons = new Set(['=', '<>', '<', '>', '<=', '>=']);

/** Of an operator whose name Postgres' own have too: what may come to mean another one. */
export const operandsKey = (name: string, operands: readonly Operand[]): DependencyKey =>
  comparisons.has(name) && operands[0] === '_' ? schemaKey : `${encodeName(name)}(${operands.join(',')})`;

export const functionKey = (schema: string, name: string): DependencyKey => `${relationName(schema, name)}()`;

/** Column names are few and come again with every row: their encodings are the names themselves, nearly always. */
export function encodeName(name: string): string {
  return plainName.test(name) ? name : escapeBytes(name, plainName);
}

/** The canonical text of a value, null for NULL, as keys hold it. */
export function encodeValue(value: string | null): string {
  if (value === null) return 'null';
  if (value.length > maxValueLength) {
    const digest = createHash('sha256').update(value).digest('base64url').slice(0, 22);
    return `${escapeBytes(value.slice(0, 16), plainValue)}~${digest}`;
  }
  if (value === 'null') return '%6Eull';
  return plainValue.test(value) ? value : escapeBytes(value, plainValue);
}

function escapeBytes(text: string, plain: RegExp): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    out += byte < 0x80 && plain.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** A key taken apart. Values are decoded; of a value that was cut, `cut` is true and the value is its beginning. */
export type ParsedKey =
  | { readonly kind: 'table' | 'rows' | 'partly'; readonly table: RelationName }
  | {
      readonly kind: 'row' | 'row-itself';
      readonly table: RelationName;
      readonly values: readonly KeyValue[];
    }
  | {
      readonly kind: 'column-of-row';
      readonly table: RelationName;
      readonly values: readonly KeyValue[];
      readonly column: string;
    }
  | {
      readonly kind: 'column' | 'unknown-value' | 'pinned';
      readonly table: RelationName;
      readonly column: string;
    }
  | {
      readonly kind: 'value';
      readonly table: RelationName;
      readonly column: string;
      readonly value: KeyValue;
    }
  | {
      readonly kind: 'column-within';
      readonly table: RelationName;
      readonly column: string;
      readonly pinned: string;
      readonly value: KeyValue;
    }
  | { readonly kind: 'function'; readonly table: RelationName }
  | { readonly kind: 'operator'; readonly name: string; readonly operands: string }
  | { readonly kind: 'schema' };

export interface KeyValue {
  readonly text: string | null;
  readonly cut: boolean;
}

const name = '(?:[A-Za-z0-9_$]|%[0-9A-F]{2})+';
const grammar = new RegExp(
  String.raw`^(?<table>(?:${name}/)?${name})(?:(?<call>\((?<operands>[_?](?:,[_?])?)?\))|@(?<rows>rows|partly)|#(?<row>[^{}]*)(?:\{(?<part>(?:${name})?)\})?|\.(?<column>${name})(?:(?:@(?<pinned>${name}))?=(?<value>.*))?)?$`,
);

/** Null for a key of the application's own (`weather:berlin`), which has no grammar. */
export function parseKey(key: DependencyKey): ParsedKey | null {
  if (key === schemaKey) return { kind: 'schema' };
  const groups = grammar.exec(key)?.groups;
  const table = groups?.table;
  if (groups === undefined || table === undefined) return null;
  if (groups.operands !== undefined)
    return { kind: 'operator', name: decodeBytes(table), operands: groups.operands };
  if (groups.call !== undefined) return { kind: 'function', table };
  if (groups.rows !== undefined) return { kind: groups.rows === 'partly' ? 'partly' : 'rows', table };
  if (groups.row !== undefined) {
    const values = groups.row.split(',').map(decodeValue);
    if (groups.part === undefined) return { kind: 'row', table, values };
    if (groups.part === '') return { kind: 'row-itself', table, values };
    return { kind: 'column-of-row', table, values, column: decodeBytes(groups.part) };
  }
  if (groups.column === undefined) return { kind: 'table', table };
  const column = decodeBytes(groups.column);
  if (groups.value === undefined) return { kind: 'column', table, column };
  if (groups.pinned !== undefined) {
    return {
      kind: 'column-within',
      table,
      column,
      pinned: decodeBytes(groups.pinned),
      value: decodeValue(groups.value),
    };
  }
  if (groups.value === '%') return { kind: 'pinned', table, column };
  if (groups.value === '?') return { kind: 'unknown-value', table, column };
  return { kind: 'value', table, column, value: decodeValue(groups.value) };
}

function decodeValue(text: string): KeyValue {
  if (text === 'null') return { text: null, cut: false };
  const cut = text.indexOf('~');
  return cut < 0
    ? { text: decodeBytes(text), cut: false }
    : { text: decodeBytes(text.slice(0, cut)), cut: true };
}

function decodeBytes(text: string): string {
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '%') {
      bytes.push(Number.parseInt(text.slice(i + 1, i + 3), 16));
      i += 2;
    } else bytes.push(text.charCodeAt(i));
  }
  return Buffer.from(bytes).toString('utf8');
}
