// How values cross between Postgres and JavaScript.
//
// int8 (so count(*) too)  number while exact, bigint beyond 2^53: arithmetic on a surprise fails loudly
// numeric                 string: no double can hold it
// timestamptz             Date
// timestamp               Date, its wall time read as UTC, so that two hosts in two zones show one page
// date                    string 'YYYY-MM-DD': a day is not a moment
// json, jsonb             parsed
// Date as a parameter     ISO in UTC
import pg from 'pg';
import type { SqlValue } from '../db.ts';

const INT8 = 20;
const DATE = 1082;
const TIMESTAMP = 1114;
const TIMESTAMP_ARRAY = 1115;
const DATE_ARRAY = 1182;
const INT8_ARRAY = 1016;
const TIMESTAMPTZ = 1184;
const TEXT_ARRAY = 1009;

type Parse = (text: string) => unknown;

/** The driver's types list only some of the type ids that it knows. */
const builtIn = pg.types.getTypeParser as (oid: number, format: 'text' | 'binary') => Parse;
const asDate = builtIn(TIMESTAMPTZ, 'text');
const asTexts = builtIn(TEXT_ARRAY, 'text');

function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function parseTimestamp(text: string): unknown {
  if (text.endsWith(' BC')) return asDate(`${text.slice(0, -3)}+00 BC`);
  return asDate(text.endsWith('infinity') ? text : `${text}+00`);
}

function arrayOf(parse: Parse): Parse {
  const each = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(each);
    return typeof item === 'string' ? parse(item) : item;
  };
  return (text) => each(asTexts(text));
}

const PARSERS: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [INT8, parseInt8],
  [INT8_ARRAY, arrayOf(parseInt8)],
  [DATE, (text) => text],
  [DATE_ARRAY, arrayOf((text) => text)],
  [TIMESTAMP, parseTimestamp],
  [TIMESTAMP_ARRAY, arrayOf(parseTimestamp)],
]);

/** The parsers of one pool. pg's own table is one for the whole process, and not ours to change. */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary' = 'text') =>
    (format === 'text' ? PARSERS.get(oid) : undefined) ??
    builtIn(oid, format)) as typeof pg.types.getTypeParser,
};

/** A parameter as it goes over the wire: text, bytes, or NULL. */
export type Parameter = string | Buffer | null;

/** As the driver does it, but for dates. Errors: a date that is none, an object that JSON does not know. */
export function toParameter(value: SqlValue): Parameter {
  switch (typeof value) {
    case 'string':
      return value;
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : objectParameter(value);
    default:
      return String(value);
  }
}

function objectParameter(value: object): Parameter {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return arrayText(value);
  if (Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if ('toPostgres' in value && typeof value.toPostgres === 'function')
    return toParameter(value.toPostgres(toParameter));
  return JSON.stringify(value) ?? null;
}

/** An array as Postgres reads it: `{"1","a \"b\"",NULL}`. */
function arrayText(values: readonly unknown[]): string {
  const items = values.map((value) => {
    if (Array.isArray(value)) return arrayText(value);
    const item = toParameter(value);
    if (item === null) return 'NULL';
    return typeof item === 'string'
      ? `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
      : `"\\\\x${item.toString('hex')}"`;
  });
  return `{${items.join(',')}}`;
}

/** Beside the one of the sign. */
const INTEGER_BITS: Readonly<Record<string, number>> = { smallint: 15, integer: 31, bigint: 63 };
const UUID = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/;

/**
 * `value` in Postgres' own text of the type, so that equal values have equal texts.
 * Null: no row can hold it ('abc' or 2^63 as an integer). Undefined: only Postgres can tell for this type.
 */
export function canonicalText(type: string, value: SqlValue): string | null | undefined {
  const bits = INTEGER_BITS[type];
  if (bits !== undefined) {
    const text = String(value);
    if (typeof value === 'number')
      return Number.isSafeInteger(value) && value >= -(2 ** bits) && value < 2 ** bits ? text : null;
    if (!/^-?\d{1,40}$/.test(text)) return null;
    const integer = BigInt(text);
    return BigInt.asIntN(bits + 1, integer) === integer ? String(integer) : null;
  }
  if (type === 'uuid') {
    const parts = UUID.exec(String(value).toLowerCase());
    return parts === null ? null : parts.slice(1).join('-');
  }
  if (type === 'text' || type === 'character varying') {
    const text = String(value);
    // Postgres' texts have no NUL, and UTF-8 has no lone surrogates.
    return text.includes('\0') || /\p{Surrogate}/u.test(text) ? null : text;
  }
  return undefined;
}
