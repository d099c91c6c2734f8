// From the body of a POST to the fields that an action sees. Only declared fields are looked at, each through its schema;
// what is malformed is refused before any of them.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Feedback } from '../definitions/action.ts';
import type { Shape } from '../definitions/schemas.ts';

/** Forms of people have few fields; more is an attempt to break something. */
const MAX_FIELDS = 1000;

export type FormKind = 'urlencoded' | 'json';

/** By name; of a form text, or a list where it came several times; of JSON any value. */
export type RawForm = ReadonlyMap<string, unknown>;

/** A string is the reason to refuse: the bytes are no form. */
export function readForm(body: Buffer, kind: FormKind): RawForm | string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return 'The form is not written in UTF-8.';
  }
  return kind === 'json' ? readObject(text) : readPairs(text);
}

function readPairs(text: string): RawForm | string {
  const found = new Map<string, string | string[]>();
  if (text === '') return found;
  const pairs = text.split('&', MAX_FIELDS + 1);
  if (pairs.length > MAX_FIELDS) return `The form has more than ${MAX_FIELDS} fields.`;
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = decode(at === -1 ? pair : pair.slice(0, at));
    const value = decode(at === -1 ? '' : pair.slice(at + 1));
    if (name === undefined || value === undefined) return 'The form is not percent-encoded properly.';
    const held = found.get(name);
    if (held === undefined) found.set(name, value);
    else if (typeof held === 'string') found.set(name, [held, value]);
    else held.push(value);
  }
  return found;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function readObject(text: string): RawForm | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'The body is not JSON.';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'The body is not a JSON object.';
  const entries = Object.entries(value);
  return entries.length > MAX_FIELDS ? `The body has more than ${MAX_FIELDS} fields.` : new Map(entries);
}

export type ParsedForm =
  | { readonly form: Readonly<Record<string, unknown>> }
  | { readonly feedback: Feedback };

/** The declared fields, parsed, or what to tell the visitor. */
export async function parseForm(shape: Shape, raw: RawForm): Promise<ParsedForm> {
  const names = Object.keys(shape);
  const results = await Promise.all(names.map((name) => parseField(shape[name], raw.get(name))));
  const form: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const [at, name] of names.entries()) {
    const result = results[at];
    if (result === undefined || result.issues !== undefined)
      errors[name] = result?.issues?.[0]?.message ?? 'This value cannot be taken.';
    else form[name] = result.value;
  }
  if (Object.keys(errors).length > 0) return { feedback: { values: valuesOf(shape, raw), errors } };
  return { form: Object.freeze(form) };
}

/** What was typed into the declared fields, to be shown again. */
export function valuesOf(shape: Shape, raw: RawForm): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(shape)) {
    const value = raw.get(name);
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === 'string' || typeof first === 'number' || typeof first === 'boolean')
      values[name] = String(first);
  }
  return Object.freeze(values);
}

type Result = StandardSchemaV1.Result<unknown>;

function parseField(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
): Result | Promise<Result> | undefined {
  // Postgres takes no NUL in text; no person types one.
  if (holdsNul(value)) return { issues: [{ message: 'It holds a character that cannot be taken.' }] };
  return schema?.['~standard'].validate(value);
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  return Array.isArray(value) && value.some((each) => typeof each === 'string' && each.includes('\0'));
}
