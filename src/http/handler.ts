// One request, from its head to its answer: refuse what is no request for a page, send other spellings of an
// address to the one we answer, serve files, and hand the rest to the pipeline.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Header, PageEntry } from '../cache/entry.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { PagePipeline, PageResponse } from '../page/pipeline.ts';
import { type Answer, type Asked, answerPage } from './answer.ts';
import { cacheStatus } from './cache-status.ts';
import type { Learned } from './hit.ts';
import type { Limits } from './limits.ts';
import type { EncodingChoice } from './negotiate.ts';
import { type Operator, operatorHeaders, wantsAnew } from './operator.ts';
import { PageStream } from './page-stream.ts';
import { elsewhereAnswer, plainAnswer } from './plain-answer.ts';
import { dropBody, isBodyTooLarge } from './request-body.ts';
import { send } from './respond.ts';
import { staleHeaders } from './stale.ts';
import type { StaticFiles } from './static.ts';
import { parseTarget, type Target } from './target.ts';

const ALLOW = ['allow', 'GET, HEAD, OPTIONS'];

/** Told of every page that came from memory, so that the next request for it can take the shortcut. */
export interface Learner {
  learn(answered: Learned): void;
}

export interface HandlerOptions {
  readonly pipeline: PagePipeline;
  readonly files: StaticFiles;
  readonly encodings: EncodingChoice;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly learner?: Learner | undefined;
  readonly operator?: Operator;
}

export class RequestHandler {
  readonly #options: HandlerOptions;
  /** From now on each answer is the last on its connection. */
  closing = false;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  /** A promise only where something must be waited for; it never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    try {
      return this.#handle(request, response)?.catch((error) => this.#broken(error, response));
    } catch (error) {
      this.#broken(error, response);
    }
  }

  #handle(request: IncomingMessage, response: ServerResponse): undefined | Promise<void> {
    const { limits, files } = this.#options;
    if (isBodyTooLarge(request, limits.maxBodyBytes)) {
      send(response, plainAnswer(413, 'Nothing here takes a body of that size.'), true);
      return;
    }
    dropBody(request, limits.maxBodyBytes);
    const target = this.#read(request);
    if ('status' in target) {
      send(response, target, this.closing);
      return;
    }
    const file = files.find(target.segments);
    if (file === undefined) return this.#servePage(target, request, response);
    return files.serve(file, { request, response, asked: this.#asked(request), closing: this.closing });
  }

  #broken(error: unknown, response: ServerResponse): void {
    this.#options.log.error({ err: error }, 'a request could not be answered');
    if (response.headersSent) response.destroy();
    else send(response, plainAnswer(500, 'Something went wrong.'), true);
  }

  /** The target asked for, or the answer for a request that asks for none. */
  #read(request: IncomingMessage): Target | Answer {
    const { rawHeaders, method } = request;
    if (rawHeaders.length > 2 * this.#options.limits.maxHeaderCount)
      return plainAnswer(431, 'Too many headers.');
    if (countHosts(rawHeaders) > 1) return plainAnswer(400, 'More than one Host header.');
    const { expect } = request.headers;
    if (expect !== undefined && expect.toLowerCase() !== '100-continue')
      return plainAnswer(417, 'Nothing but 100-continue can be expected.');
    const raw = request.url ?? '';
    if (method === 'OPTIONS' && raw === '*') return plainAnswer(204, '', ALLOW);
    const target = parseTarget(raw, request.headers.host);
    if (target.kind === 'refused') return plainAnswer(target.status, target.reason);
    if (method === 'OPTIONS') return plainAnswer(204, '', ALLOW);
    if (method !== 'GET' && method !== 'HEAD')
      return plainAnswer(405, 'Only GET and HEAD are answered here.', ALLOW);
    return target.kind === 'elsewhere' ? elsewhereAnswer(target.location) : target;
  }

  #asked({ headers, method }: IncomingMessage): Asked {
    const { encodings } = this.#options;
    return {
      method: method === 'HEAD' ? 'HEAD' : 'GET',
      encodings: encodings.preferred(
        joined(headers['accept-encoding']),
        headers['x-no-compression'] !== undefined,
      ),
      ifNoneMatch: headers['if-none-match'],
    };
  }

  /**
   * Undefined where an answer must come in one piece: HEAD, a condition (the answer may be 304), HTTP/1.0, which
   * knows no chunks.
   */
  #stream(request: IncomingMessage, response: ServerResponse, asked: Asked): PageStream | undefined {
    const { httpVersionMajor: major, httpVersionMinor: minor } = request;
    if (asked.method === 'HEAD' || asked.ifNoneMatch !== undefined || major !== 1 || minor !== 1)
      return undefined;
    const encoding = asked.encodings[0] ?? 'identity';
    return new PageStream({ response, encoding, clock: this.#options.clock, isClosing: () => this.closing });
  }

  /** A fresh page as it lies in memory; of a stale one, or for an operator, a copy with other headers. */
  #sendable({ entry, outcome }: PageResponse, extra: readonly Header[]): PageEntry {
    const isStale = outcome?.result === 'stale';
    if (!isStale && extra.length === 0) return entry;
    const headers = isStale ? staleHeaders(entry, this.#options.clock.now()) : entry.headers;
    return { ...entry, headers: [...headers, ...extra] };
  }

  #servePage(target: Target, request: IncomingMessage, response: ServerResponse): undefined | Promise<void> {
    const { pipeline, clock, operator } = this.#options;
    const { headers } = request;
    const asked = this.#asked(request);
    const isOperator = operator?.asks(headers) ?? false;
    const startedMs = clock.monotonic();
    let stream: PageStream | undefined;
    const page = pipeline.respond({
      segments: target.segments,
      query: target.query,
      header: (name) => joined(headers[name]),
      encoding: asked.encodings[0] ?? 'identity',
      bypass: isOperator && wantsAnew(headers),
      waits: () => {
        // An operator is told how long it took, which is known at the end.
        stream = isOperator ? undefined : this.#stream(request, response, asked);
        return { signal: goneSignal(response), onShell: stream && ((shell) => stream?.expect(shell)) };
      },
    });
    const answer = (page: PageResponse): undefined => {
      if (stream?.finish(page) === true) return;
      const status = page.outcome === undefined ? undefined : cacheStatus(page.outcome, clock.now());
      const extra = isOperator ? operatorHeaders(page, clock.monotonic() - startedMs) : [];
      send(response, answerPage(this.#sendable(page, extra), asked, status), this.closing);
      this.#teach(request, page);
    };
    return page instanceof Promise ? page.then(answer) : answer(page);
  }

  #teach({ url, headers: { host } }: IncomingMessage, page: PageResponse): void {
    const { entry, key, outcome, vary } = page;
    if (outcome?.result !== 'hit' || outcome.tier === undefined || key === undefined) return;
    if (url === undefined || host === undefined) return;
    this.#options.learner?.learn({ target: url, host, key, entry, tier: outcome.tier, vary });
  }
}

/** Aborts when the visitor has gone before his answer was sent. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}
