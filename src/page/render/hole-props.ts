import { HoleError } from '../errors.ts';

/**
 * The props of a hole as they are kept with its page: plain data, which reads back as it was. Errors: `E_HOLE`, which names the
 * place of what is no such data.
 */
export function propsText(name: string, props: unknown): string {
  if (props === undefined) return '';
  assertPlain(name, props, 'props', []);
  return JSON.stringify(props);
}

/** Of its own for each visitor. */
export function propsOf(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}

function assertPlain(name: string, value: unknown, path: string, outside: readonly object[]): void {
  const refuse = (what: string) => {
    throw new HoleError(
      `hole('${name}'): ${path} is ${what}. Props are kept with the page: text, finite numbers, booleans, null, lists and plain objects.`,
    );
  };
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Object.is(value, -0))
      refuse(`the number ${Object.is(value, -0) ? '-0' : value}`);
    return;
  }
  if (typeof value !== 'object') {
    refuse(value === undefined ? 'undefined' : `a ${typeof value}`);
    return;
  }
  if (outside.includes(value)) refuse('a cycle');
  const inside = [...outside, value];
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) assertPlain(name, item, `${path}[${at}]`, inside);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuse('an instance of a class');
  if ('toJSON' in value) refuse('an object with toJSON');
  // `__proto__` as a name of data would read back as a prototype elsewhere.
  for (const [field, inner] of Object.entries(value))
    if (inner !== undefined) assertPlain(name, inner, `${path}.${field}`, inside);
}
