// Before the fast path may answer anybody, it must show in the very Node that runs that it is Node's own answer, only
// cheaper. Two servers on loopback give the same entries, one through the public API alone, one with the fast path
// before it. The same bytes go in; the same bytes must come out, in the same order, and the connections must be left
// in the same state. One difference, and the fast path stays off: slower, never wrong.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { PageEntry } from '../../cache/entry.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { hitStatus } from '../response/cache-status.ts';
import { EncodingChoice } from '../response/negotiate.ts';
import { type Asked, pageResponse } from '../response/response.ts';
import { HitPath } from './fast-path.ts';
import { MAX_JOINED_BYTES } from './hit-response.ts';

/** Attaches the fast path to `server` if it proves itself; else says why not, and every request goes the ordinary way. */
export async function attachProved(hits: HitPath, server: Server, log: Logger): Promise<boolean> {
  const difference = await testFastPath(server.keepAliveTimeout);
  if (difference !== undefined) {
    hits.stop();
    log.warn(
      { difference, node: process.version },
      'the fast path for cached pages is off: here it does not answer as Node does. Pages are right, only slower; please report this with the version of Node',
    );
    return false;
  }
  hits.attach(server);
  return true;
}

/** Undefined: the same in every respect that was tried. Else the first difference. Takes some milliseconds. */
export async function testFastPath(keepAliveTimeoutMs: Milliseconds): Promise<string | undefined> {
  let difference: string | undefined;
  // Both sides say the time. A second that ends between them is no difference, so it may be tried again.
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      difference = await compare(keepAliveTimeoutMs);
    } catch (error) {
      difference = `the trial failed: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (difference === undefined) return undefined;
  }
  return difference;
}

const PATIENCE_MS: Milliseconds = 2000;
const HOST = 'proof.invalid';

function get(target: string, ...headers: string[]): string {
  return [`GET ${target} HTTP/1.1`, `Host: ${HOST}`, ...headers, '', ''].join('\r\n');
}

const LAST = get('/small', 'Connection: close');

/** What one client sends at once, and how many of its requests the fast path must answer. All end with `LAST`. */
const TRIALS: readonly { readonly sent: string; readonly hits: number }[] = [
  { sent: get('/small') + LAST, hits: 1 },
  { sent: get('/small', 'Accept-Encoding: gzip, br') + LAST, hits: 1 },
  { sent: get('/large', 'accept-encoding: gzip', 'Connection: keep-alive') + LAST, hits: 1 },
  { sent: get('/large').replace('GET', 'HEAD') + get('/small').replace('GET', 'HEAD') + LAST, hits: 2 },
  {
    sent: get('/small', 'If-None-Match: W/"other", "small"') + get('/small', 'If-None-Match: "x"') + LAST,
    hits: 2,
  },
  { sent: get('/gone', 'If-None-Match: *') + LAST, hits: 1 },
  // in the middle of a pipeline: a request that is not for the fast path, one with a body, an unknown target
  { sent: get('/small') + get('/late') + get('/small') + LAST, hits: 1 },
  { sent: `${get('/small', 'Content-Length: 3').replace('GET', 'POST')}abc${get('/small')}${LAST}`, hits: 0 },
];

async function compare(keepAliveTimeoutMs: Milliseconds): Promise<string | undefined> {
  const cases = sampleEntries();
  const hits = new HitPath({
    cache: { peek: (key) => cases.get(key) },
    clock: systemClock,
    encodings: new EncodingChoice(),
    maxBytes: 2 ** 24,
  });
  for (const [target, entry] of cases) {
    if (target !== '/late') hits.learn({ target, host: HOST, key: target, entry, tier: 'l1', vary: [] });
  }
  const ordinary = await Trial.start(cases, keepAliveTimeoutMs, undefined);
  try {
    const fastPath = await Trial.start(cases, keepAliveTimeoutMs, hits);
    try {
      return await firstDifference(ordinary, fastPath, hits);
    } finally {
      await fastPath.close();
    }
  } finally {
    await ordinary.close();
  }
}

async function firstDifference(ordinary: Trial, fastPath: Trial, hits: HitPath): Promise<string | undefined> {
  for (const { sent, hits: expected } of TRIALS) {
    const before = hits.stats().answers;
    const [a, b] = await Promise.all([ordinary.exchange(sent), fastPath.exchange(sent)]);
    if (!a.equals(b)) return `${firstLine(sent)}: ${describe(a, b)}`;
    const taken = hits.stats().answers - before;
    if (taken < expected)
      return `${firstLine(sent)}: ${taken} of ${expected} requests were answered by the fast path`;
  }
  const [a, b] = await Promise.all([ordinary.afterwards(), fastPath.afterwards()]);
  return a === b ? undefined : `after an answer the connection is ${b}, not ${a}`;
}

/** A server that gives sample entries, and a client of it. */
class Trial {
  readonly #server: Server;
  readonly #port: number;

  static async start(
    cases: ReadonlyMap<string, PageEntry>,
    keepAliveTimeout: Milliseconds,
    hits: HitPath | undefined,
  ) {
    const encodings = new EncodingChoice();
    const server = createServer({ keepAliveTimeout }, (request, response) => {
      const entry = cases.get(request.url ?? '');
      if (entry === undefined || request.method === 'POST') response.writeHead(404).end();
      // Late, so that the requests behind it are there before it is answered.
      else if (request.url === '/late') setImmediate(() => respond(entry, request, response, encodings));
      else respond(entry, request, response, encodings);
    });
    hits?.attach(server);
    // `exclusive`: in a cluster the port would otherwise be shared with the other workers' trials.
    server.listen({ port: 0, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return new Trial(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Everything that comes back until the server closes the connection. */
  async exchange(sent: string): Promise<Buffer> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer to ${firstLine(sent)}`)));
    socket.write(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** How a connection is left behind after an answer: its idle time, and whether the server knows that it is idle. */
  async afterwards(): Promise<string> {
    const arrived = once(this.#server, 'connection');
    const client = connect(this.#port, '127.0.0.1');
    client.setTimeout(PATIENCE_MS, () => client.destroy(new Error('an idle connection was not closed')));
    const [socket] = (await arrived) as [Socket];
    client.write(get('/small'));
    await once(client, 'data');
    const idleMs = socket.timeout;
    const closed = once(client, 'close');
    client.resume();
    this.#server.closeIdleConnections();
    await closed;
    return `closed after ${idleMs} ms, ${socket.bytesWritten > 0 ? 'written to' : 'empty'}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function respond(
  entry: PageEntry,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  choice: EncodingChoice,
) {
  const asked: Asked = {
    method: method === 'HEAD' ? 'HEAD' : 'GET',
    encodings: choice.preferred(headers['accept-encoding']?.toString()),
    ifNoneMatch: headers['if-none-match'],
  };
  const answer = pageResponse(entry, asked, hitStatus('l1', entry.freshUntilMs, Date.now()));
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

function sampleEntries(): Map<string, PageEntry> {
  const nowMs = systemClock.now();
  const sample = (tag: string, status: number, size: number): PageEntry => ({
    status,
    headers: [
      ['content-type', 'text/html; charset=utf-8'],
      ['vary', 'accept-encoding'],
      ['x-name', 'caf\xe9'],
    ],
    identity: Buffer.alloc(size, 'page '),
    gzip: Buffer.alloc(size - 1, 'gzip '),
    brotli: Buffer.alloc(size - 2, 'br '),
    tag,
    keys: [],
    stamp: { epoch: 'proof', seq: 0 },
    createdMs: nowMs,
    // Half a second off the whole ones, so that the seconds left and the date do not change at once.
    freshUntilMs: nowMs + 100_500,
    staleUntilMs: nowMs + 100_500,
    errorUntilMs: nowMs + 100_500,
  });
  return new Map([
    ['/small', sample('small', 200, 100)],
    ['/large', sample('large', 200, 4 * MAX_JOINED_BYTES)],
    ['/gone', sample('gone', 410, 50)],
    ['/late', sample('late', 200, 100)],
  ]);
}

function firstLine(sent: string): string {
  return sent.slice(0, sent.indexOf('\r\n'));
}

function describe(ordinary: Buffer, fastPath: Buffer): string {
  let at = 0;
  while (at < ordinary.length && ordinary[at] === fastPath[at]) at++;
  const around = (bytes: Buffer): string =>
    JSON.stringify(bytes.toString('latin1', Math.max(0, at - 20), at + 40));
  return `at byte ${at} Node says ${around(ordinary)}, the fast path ${around(fastPath)}`;
}
