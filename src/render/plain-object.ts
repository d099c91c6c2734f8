const objectPrototype = Object.prototype;

/**
 * Whether an object is data written as `{ ... }`: elements and props are. What a class made (a Date, a Map, a row of an
 * ORM) has meaning that its own fields do not show, and is neither.
 */
export function isPlainObject(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === objectPrototype || isPlainPrototype(prototype);
}

/** None, that of another realm, or data that was made a prototype, as Object.assign does with "__proto__" from JSON. */
function isPlainPrototype(prototype: object | null): boolean {
  for (let at = prototype; at !== null; ) {
    const above: object | null = Object.getPrototypeOf(at);
    if (above === null) return true;
    if (Object.hasOwn(at, 'constructor')) return false;
    at = above;
  }
  return true;
}

/** What a value is, in an error's words: "a Date", "an array", "a value of type symbol". */
export function typeInWords(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object' || value === null) return `a value of type ${typeof value}`;
  if (isPlainObject(value)) return 'an object';
  return `a ${className(value)}`;
}

function className(value: object): string {
  try {
    const { name } = value.constructor;
    return typeof name === 'string' && name !== '' ? name.slice(0, 60) : 'class instance';
  } catch {
    // A getter that throws, or a prototype without a constructor.
    return 'class instance';
  }
}
