// A web `Response` on its way to the client. One whose body is there at once goes out in one piece with its length; another
// is streamed as its reader takes it. Once it has begun its status is said: an error then ends the connection, so that the
// client knows that something is missing.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStreamDefaultReader } from 'node:stream/web';
import { EndpointError } from '../../page/endpoint/errors.ts';
import { SECURITY_HEADERS } from '../response/security-headers.ts';
import { NO_DOCUMENT } from './json-response.ts';

export interface Outgoing {
  readonly response: ServerResponse;
  /** Headers of the way here and of CORS. Flat: name, value. */
  readonly extra: readonly string[];
  /** The visitor's cookies. Flat: name, value. */
  readonly own: readonly string[];
  readonly cookies: boolean;
  /** Of a document without inline scripts. */
  readonly documentPolicy: string;
  readonly closing: () => boolean;
}

/** `gone`: its reader left before the end. */
export type Sent = 'sent' | 'gone';

/** Written by the server, whatever the handler says: they frame the message, or would let a cache keep it. */
const OURS = new Set([
  ...['cache-control', 'connection', 'content-length', 'date', 'keep-alive', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'expires', 'etag', 'age'],
]);
const NO_BODY = new Set([204, 205, 304]);

/** Rejects with what the body fails with; nothing has been sent then, or the connection is ended. */
export async function sendWebResponse(answer: Response, to: Outgoing): Promise<Sent> {
  const { response } = to;
  if (answer.status < 200) throw new EndpointError(`it answered a Response of status ${answer.status}.`);
  if (answer.bodyUsed) throw new EndpointError('it answered a Response whose body has been read.');
  const headers = headersOf(answer, to);
  const begin = (more: readonly string[]) =>
    response.writeHead(answer.status, [
      ...headers,
      ...more,
      ...(to.closing() ? ['connection', 'close'] : []),
    ]);
  const isHead = response.req.method === 'HEAD';
  if (answer.body === null || NO_BODY.has(answer.status) || isHead) {
    await answer.body?.cancel();
    if (response.destroyed) return 'gone';
    begin(isHead || NO_BODY.has(answer.status) ? [] : ['content-length', '0']).end();
    return 'sent';
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = answer.body.getReader();
  const first = await reader.read();
  const second = first.done ? Promise.resolve(first) : reader.read();
  const soon = await Promise.race([second.catch(() => undefined), turn()]);
  if (response.destroyed) {
    await reader.cancel().catch(() => {});
    return 'gone';
  }
  if (soon?.done === true) {
    const body = first.done ? Buffer.alloc(0) : first.value;
    begin(['content-length', String(body.length)]).end(body);
    return 'sent';
  }
  begin([]);
  return stream(reader, first.value, second, response);
}

async function stream(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  first: Uint8Array | undefined,
  second: ReturnType<typeof reader.read>,
  response: ServerResponse,
): Promise<Sent> {
  let failure: { readonly error: unknown } | undefined;
  async function* chunks() {
    try {
      yield first;
      for (let next = await second; !next.done; next = await reader.read()) yield next.value;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  try {
    await pipeline(Readable.from(chunks(), { objectMode: false }), response);
    return 'sent';
  } catch {
    second.catch(() => {});
    void reader.cancel().catch(() => {});
    response.destroy();
    if (failure !== undefined) throw failure.error;
    return 'gone';
  }
}

/** After what is ready by now. */
function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}

/** The handler's own, then what every answer carries and the handler did not say itself. */
function headersOf(answer: Response, { extra, own, cookies, documentPolicy }: Outgoing): string[] {
  const given = new Map<string, string>();
  const headers: string[] = ['cache-control', 'no-store', ...own];
  for (const [name, value] of answer.headers) {
    if (OURS.has(name)) continue;
    if (name === 'set-cookie') {
      if (!cookies)
        throw new EndpointError("it sets a cookie, and takes requests from anywhere (from: 'anywhere').");
      headers.push(name, value);
    } else given.set(name, value);
  }
  const isDocument = given.get('content-type')?.startsWith('text/html') === true;
  const defaults = [
    ...SECURITY_HEADERS,
    'content-security-policy',
    isDocument ? documentPolicy : NO_DOCUMENT,
  ];
  for (const list of [defaults, extra])
    for (let at = 0; at < list.length; at += 2) {
      const [name = '', value = ''] = [list[at], list[at + 1]];
      if (name === 'vary' && given.has(name)) given.set(name, `${given.get(name)}, ${value}`);
      else if (!given.has(name)) given.set(name, value);
    }
  for (const [name, value] of given) headers.push(name, value);
  return headers;
}
