import { KeyValueError } from './errors.ts';

/**
 * A text for a value such that different values have different texts and equal ones (in whatever order their
 * properties stand) the same. JSON, with bare words where JSON would lose something: `undefined`, `NaN`, `-0`,
 * `17n`, `Date(0)`, `Bytes("...")`. Strings are written by JSON.stringify, which also keeps lone surrogates
 * apart, as UTF-8 would not. Errors: `E_KEY_VALUE` (functions, symbols, class instances, cycles).
 */
export function canonical(value: unknown, path = 'value', inside: readonly object[] = []): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : canonicalObject(value, path, inside);
    default:
      throw new KeyValueError(path, `a ${typeof value}`);
  }
}

function canonicalObject(value: object, path: string, outside: readonly object[]): string {
  // Most of what a page is given: nothing, or one text.
  if (isPlain(value)) {
    const [name, second] = Object.keys(value);
    if (name === undefined) return '{}';
    const only: unknown = second === undefined ? Reflect.get(value, name) : undefined;
    if (typeof only === 'string') return `{${JSON.stringify(name)}:${JSON.stringify(only)}}`;
  }
  if (outside.includes(value)) throw new KeyValueError(path, 'a cycle');
  const inside = [...outside, value];
  if (Array.isArray(value)) {
    // Array.from also visits holes, which read as undefined to a reader of the array.
    return `[${Array.from(value, (item, index) => canonical(item, `${path}[${index}]`, inside)).join(',')}]`;
  }
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Uint8Array) return `Bytes("${Buffer.from(value).toString('base64')}")`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new KeyValueError(path, `an instance of ${value.constructor.name}`);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw new KeyValueError(path, 'an object with symbols');
  const fields = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field, `${path}.${name}`, inside)}`);
  return `{${fields.join(',')}}`;
}

function isPlain(value: object): boolean {
  return (
    Object.getPrototypeOf(value) === Object.prototype && Object.getOwnPropertySymbols(value).length === 0
  );
}
