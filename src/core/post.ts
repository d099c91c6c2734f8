// One POST to a server that is not ours, which may be slow, hang, answer without end or not be there. What it may cost is
// fixed beforehand: one connection, `timeoutMs` from the first packet to the end of the answer, and MAX_ANSWER_BYTES of
// a response that is not read. Redirects are not followed: the address is what the operator wrote.
//
// undici is imported with the first post: it takes 20 MB and a fifth of a second, which a process that posts nothing does
// not pay.
import type { Agent } from 'undici';
import type { Clock } from './clock.ts';
import type { EpochMs, Milliseconds } from './units.ts';

export interface Posted {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What became of it. `why` never holds the address: its path is often the secret. */
export type PostOutcome =
  | { readonly outcome: 'delivered'; readonly status: number }
  /** Worth another attempt, not before `afterMs` where the other side said so. */
  | { readonly outcome: 'failed'; readonly why: string; readonly afterMs: Milliseconds | undefined }
  /** The other side will not take it, however often it is sent. */
  | { readonly outcome: 'refused'; readonly why: string };

export interface Poster {
  /** Never rejects. */
  post(posted: Posted, stopped: AbortSignal): Promise<PostOutcome>;
  close(): Promise<void>;
}

const MAX_ANSWER_BYTES = 16 * 1024;

export interface PosterOptions {
  readonly timeoutMs: Milliseconds;
  /** For a `Retry-After` that is a date. */
  readonly clock: Pick<Clock, 'now'>;
}

export function openPoster({ timeoutMs, clock }: PosterOptions): Poster {
  let opening: Promise<Connection> | undefined;
  return {
    async post({ url, headers, body }, stopped) {
      const signal = AbortSignal.any([stopped, AbortSignal.timeout(timeoutMs)]);
      try {
        opening ??= connection(timeoutMs);
        const { dispatcher, request } = await opening;
        const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher });
        // Read as far as is needed to use the connection again; what is longer costs it its connection.
        await answer.body.dump({ limit: MAX_ANSWER_BYTES, signal }).catch(() => {});
        return judge(answer.statusCode, answer.headers['retry-after'], clock.now());
      } catch (error) {
        return { outcome: 'failed', why: reason(error), afterMs: undefined };
      }
    },
    close: async () => (await opening)?.dispatcher.destroy(),
  };
}

interface Connection {
  readonly dispatcher: Agent;
  readonly request: typeof import('undici').request;
}

async function connection(timeoutMs: Milliseconds): Promise<Connection> {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({
    connections: 1,
    pipelining: 1,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: MAX_ANSWER_BYTES,
  });
  return { dispatcher, request };
}

function judge(status: number, retryAfter: string | string[] | undefined, nowMs: EpochMs): PostOutcome {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status };
  const why = `answered ${status}`;
  const isPassing = status === 408 || status === 425 || status === 429 || status >= 500;
  if (!isPassing) return { outcome: 'refused', why };
  return { outcome: 'failed', why, afterMs: retryAfterMs(retryAfter, nowMs) };
}

/** Seconds or a date (RFC 9110, 10.2.3). Undefined for anything else. */
function retryAfterMs(header: string | string[] | undefined, nowMs: EpochMs): Milliseconds | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** The code alone: messages of sockets and parsers repeat parts of what was sent or received. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
