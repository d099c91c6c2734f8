// A target that is told over HTTP. Anything but 2xx is a refusal; redirects are not followed, since the body and its
// signature were meant for one address.
//
// undici is imported with the first call: a hundred files, which a server without HTTP targets need not load.
import type { Agent } from 'undici';
import type { Milliseconds } from '../core/units.ts';
import { NotConfirmedError } from './errors.ts';

const CONNECT_WITHIN_MS: Milliseconds = 5_000;
const ANSWER_WITHIN_MS: Milliseconds = 10_000;
/** From the first packet to the last of the answer: one that comes in drops is of no more use than none. */
const DONE_WITHIN_MS: Milliseconds = 20_000;
const LONGEST_RETRY_AFTER_MS: Milliseconds = 300_000;
const MAX_ANSWER_BYTES = 65_536;

export interface Call {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One connection to one receiver. */
export class HttpCaller {
  readonly #name: string;
  #opening: Promise<Line> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** POST. Errors: `E_NOT_CONFIRMED`, and those of the network. */
  async post({ url, headers, body }: Call, stopped: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(DONE_WITHIN_MS)]);
    this.#opening ??= open();
    const { agent, request } = await this.#opening;
    const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher: agent });
    // Read, so that the connection can go on; what it says is of no interest.
    await answer.body.dump({ limit: MAX_ANSWER_BYTES, signal });
    const { statusCode } = answer;
    if (statusCode >= 200 && statusCode < 300) return;
    throw new NotConfirmedError(this.#name, statusCode, retryAfterMs(answer.headers['retry-after']));
  }

  async close(): Promise<void> {
    const line = await this.#opening;
    await line?.agent.destroy();
  }
}

interface Line {
  readonly agent: Agent;
  readonly request: typeof import('undici').request;
}

async function open(): Promise<Line> {
  const { Agent, request } = await import('undici');
  const agent = new Agent({
    connections: 1,
    pipelining: 1,
    connect: { timeout: CONNECT_WITHIN_MS },
    headersTimeout: ANSWER_WITHIN_MS,
    bodyTimeout: ANSWER_WITHIN_MS,
  });
  return { agent, request };
}

/** In seconds; a date is not worth the parsing, our own backoff does. */
function retryAfterMs(header: string | string[] | undefined): Milliseconds {
  const seconds = typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) : 0;
  return Math.min(LONGEST_RETRY_AFTER_MS, seconds * 1000);
}
