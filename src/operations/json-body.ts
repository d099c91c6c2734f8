import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { Bytes } from '../core/units.ts';
import type { OperationsResponse } from './operations.ts';

export type Body<T> = { readonly value: T } | { readonly refused: OperationsResponse };

/** Reads a request's body of at most `maxBytes` of JSON that fits `schema`; otherwise the 4xx that says what is wrong. */
export async function readJson<S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
  maxBytes: Bytes,
): Promise<Body<z.output<S>>> {
  const text = await readText(request, maxBytes);
  if (text === undefined) return refuse(413, `the body is larger than ${maxBytes} bytes`);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return refuse(400, 'the body is not JSON');
  }
  const { data, error } = schema.safeParse(raw);
  if (error === undefined) return { value: data as z.output<S> };
  const [issue] = error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
  return refuse(400, `${where}: ${issue?.message ?? 'not understood'}`);
}

function refuse(status: number, error: string): { refused: OperationsResponse } {
  return { refused: { status, body: { error } } };
}

/** Undefined: too large. What follows is not kept, but read off, so that the answer is not lost in a reset. */
export async function readText(request: IncomingMessage, maxBytes: Bytes): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > 16 * maxBytes) break;
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks).toString('utf8');
}
