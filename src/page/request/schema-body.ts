// A body by its schema: JSON or a form, decoded, then parsed by the author's Standard Schema, which may be async.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { BodyRefused, type IncomingBody, type Issue } from '../endpoint/body.ts';
import { readForm } from './form.ts';
import { readJson } from './json-text.ts';

const FORM = 'application/x-www-form-urlencoded';
const TYPES = ['application/json', FORM];
/** `application/merge-patch+json` and the like. */
const JSON_TYPE = /^application\/(?:[\w.!#$&^-]+\+)?json$/;
/** A client that has made more mistakes reads the first ones. */
const MAX_ISSUES = 50;

/** Rejects with `BodyRefused`: 415, 400 (bytes that are no JSON or form), 422 (values that the schema refuses). */
export async function readBySchema(schema: StandardSchemaV1, body: IncomingBody): Promise<unknown> {
  const isJson = JSON_TYPE.test(body.type);
  if (!isJson && body.type !== FORM)
    throw new BodyRefused(415, `Send the body as ${TYPES.join(' or ')}.`, { accepts: TYPES });
  const charset = charsetOf(body.contentType);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new BodyRefused(415, 'Send the body in UTF-8.', { accepts: TYPES });
  const bytes = await body.bytes();
  const given = isJson ? jsonOf(bytes) : fieldsOf(bytes);
  const result = await schema['~standard'].validate(given);
  if (result.issues === undefined) return result.value;
  throw new BodyRefused(422, 'The body has values that are not taken.', { issues: issuesOf(result.issues) });
}

function jsonOf(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BodyRefused(400, 'The body is not written in UTF-8.');
  }
  const read = readJson(text);
  if (typeof read === 'string') throw new BodyRefused(400, read);
  return read.value;
}

/** A field that comes several times is a list. */
function fieldsOf(bytes: Buffer): unknown {
  const fields = readForm(bytes, 'urlencoded');
  if (typeof fields === 'string') throw new BodyRefused(400, fields);
  if (fields.has('__proto__'))
    throw new BodyRefused(400, "The form has a field '__proto__', which is not taken.");
  return Object.fromEntries(fields);
}

function issuesOf(issues: readonly StandardSchemaV1.Issue[]): Issue[] {
  return issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message,
  }));
}

function charsetOf(contentType: string): string | undefined {
  return /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1]?.toLowerCase();
}
