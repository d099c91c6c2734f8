// One text for every value that Postgres calls equal. A key by value is only sound when all the ways of
// writing a value (a parameter, a constant in the SQL, a column of a result, the text in the log) end in
// the same string, so only types for which that can be promised have a kind; a column of any other type
// (citext, floats, timestamps, arrays, json, collations that are not deterministic) is never pinned by value.

/**
 * - `int`: int2, int4, int8 · `numeric` · `bool` · `uuid` · `date` (ISO only)
 * - `text`: text and varchar under a deterministic collation · `char`: char(n), where trailing blanks do not count
 * - `enum`: by label
 */
export type ValueKind = 'int' | 'numeric' | 'bool' | 'uuid' | 'date' | 'text' | 'char' | 'enum';

const integer = /^[+-]?\d+$/;
const canonicalInteger = /^(?:0|-?[1-9]\d*)$/;
const decimal = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/;
const canonicalUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const isoDate = /^\d{4}-\d{2}-\d{2}$/;
const truths = new Map([
  ...['t', 'true', 'y', 'yes', 'on', '1'].map((word) => [word, 't'] as const),
  ...['f', 'false', 'n', 'no', 'off', '0'].map((word) => [word, 'f'] as const),
]);

/**
 * The canonical text of a value given as JavaScript or as text, or undefined where it cannot be promised:
 * the caller must then fall back to a key that does not name the value. Never called with null.
 */
export function canonical(kind: ValueKind, value: unknown): string | undefined {
  switch (kind) {
    case 'int':
      return canonicalInt(value);
    case 'numeric':
      return canonicalNumeric(value);
    case 'bool':
      if (typeof value === 'boolean') return value ? 't' : 'f';
      return typeof value === 'string' ? truths.get(value.trim().toLowerCase()) : undefined;
    case 'uuid':
      return typeof value === 'string' ? canonicalUuidOf(value) : undefined;
    case 'date':
      return typeof value === 'string' && isoDate.test(value) ? value : undefined;
    case 'text':
    case 'enum':
      return typeof value === 'string' ? value : undefined;
    case 'char':
      return typeof value === 'string' ? value.replace(/ +$/, '') : undefined;
  }
}

function canonicalInt(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'string') return undefined;
  if (canonicalInteger.test(value)) return value;
  const trimmed = value.trim();
  return integer.test(trimmed) ? String(BigInt(trimmed.replace(/^\+/, ''))) : undefined;
}

function canonicalNumeric(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return canonicalNumeric(String(value));
  if (typeof value !== 'string') return undefined;
  const parts = decimal.exec(value.trim());
  if (parts === null) return undefined;
  const whole = parts[2] ?? '';
  const fraction = parts[3] ?? '';
  if (whole === '' && fraction === '') return /\d/.test(value) ? '0' : undefined;
  return `${parts[1] === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function canonicalUuidOf(value: string): string | undefined {
  if (canonicalUuid.test(value)) return value;
  const hex = value.trim().replace(/[{}-]/g, '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(hex)) return undefined;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
