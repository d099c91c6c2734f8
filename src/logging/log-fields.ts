// What of a line's fields may be written, by allow-list: values that are plain, and of errors the fields named here.
//
// The rest of an error is other people's data. The database's `detail` quotes rows, `where` and `parameters` quote
// values, an HTTP client's error holds the request with its headers. The messages of wrong values (SQLSTATE 22...)
// quote the value, so there the quoted part is left out; an address loses its user and password.
//
// A message is written by the code that throws: what an application puts into its own is the application's care.

/** Of one error, and of what caused it. */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  /** `E_...`, `ECONNREFUSED`, Postgres' SQLSTATE. */
  readonly code?: string;
  readonly sqlState?: string;
  /** Frames only: the first lines of a stack repeat the message. */
  readonly stack?: string;
  readonly cause?: ErrorFields;
  /** Of an AggregateError. */
  readonly errors?: readonly ErrorFields[];
}

const MAX_TEXT = 4000;
const MAX_FRAMES = 40;
const MAX_CAUSES = 5;
const MAX_ITEMS = 100;

/** Fields that may hold an object, of plain values. Any other object is a mistake, and is not spelt out. */
const NESTED = new Set(['before', 'now']);

/** Never throws: a line must not be lost to a strange object in it. */
export function lineFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const line: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'err') line[name] = errorFields(value);
    else if (NESTED.has(name) && isPlainObject(value)) line[name] = mapValues(value);
    else line[name] = plain(value);
  }
  return line;
}

export function errorFields(error: unknown): ErrorFields {
  try {
    return describe(error, 0);
  } catch {
    return { type: 'unreadable', message: 'what was thrown cannot be read' };
  }
}

function describe(error: unknown, depth: number): ErrorFields {
  if (!(error instanceof Error)) {
    const message = typeof error === 'string' ? withoutSecrets(error) : 'what was thrown is no Error';
    return { type: error === null ? 'null' : typeof error, message };
  }
  const code = token(Reflect.get(error, 'code'));
  const sqlState = token(Reflect.get(error, 'sqlState'));
  const stack = framesOf(error);
  const inner = depth < MAX_CAUSES;
  return {
    type: error.name,
    message: messageOf(error, sqlState ?? code),
    ...(code !== undefined && { code }),
    ...(sqlState !== undefined && { sqlState }),
    ...(stack !== '' && { stack }),
    ...(inner && error.cause !== undefined && { cause: describe(error.cause, depth + 1) }),
    ...(inner &&
      error instanceof AggregateError && {
        errors: error.errors.slice(0, MAX_CAUSES).map((each) => describe(each, depth + 1)),
      }),
  };
}

/** A code is a word; anything else under that name may be anything. */
function token(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(value) ? value : undefined;
}

function messageOf({ message }: Error, code: string | undefined): string {
  if (code === undefined || !/^22[0-9A-Z]{3}$/.test(code)) return withoutSecrets(message);
  // Greedy, up to the statement that our own errors put behind it: the value may hold quotes itself.
  const [why = '', ...rest] = message.split(/(?= \[22[0-9A-Z]{3}\] in: )/);
  return withoutSecrets([why.replace(/".*"/s, '"…"'), ...rest].join(''));
}

/** `postgres://user:password@host` without what stands before the @. */
function withoutSecrets(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return cut.replace(/:\/\/[^/\s@]*@/g, '://…@');
}

function framesOf({ stack }: Error): string {
  if (typeof stack !== 'string') return '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.slice(0, MAX_FRAMES).join('\n');
}

function plain(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return withoutSecrets(value);
    case 'bigint':
      return String(value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return value;
    default:
  }
  if (value === null) return null;
  if (value instanceof Error) return errorFields(value);
  if (Array.isArray(value))
    return value.slice(0, MAX_ITEMS).map((item) => (isPrimitive(item) ? plain(item) : '[object]'));
  return '[object]';
}

function mapValues(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, isPrimitive(each) ? plain(each) : '[object]']),
  );
}

function isPrimitive(value: unknown): boolean {
  return (
    value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
  );
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
