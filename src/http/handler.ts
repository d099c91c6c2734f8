// One request, from its head to its answer: refuse what is no request for a page, send other spellings of an
// address to the one we answer, serve files, and hand the rest to the pipeline.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Header, PageEntry } from '../cache/entry.ts';
import type { Clock } from '../core/clock.ts';
import { countHosts, framingFault } from '../core/framing.ts';
import type { Logger } from '../core/log.ts';

import { type Tracing, untraced } from '../core/trace.ts';
import { cookiesOf } from '../page/definitions/hole.ts';
import type { Shell } from '../page/render/shells.ts';
import { bringsCookie } from '../page/request/brings-cookie.ts';
import type { HoleFiller } from '../page/request/hole-filler.ts';
import type { PageResponse } from '../page/request/page-request.ts';
import type { PagePipeline } from '../page/request/pipeline.ts';
import type { Arrival } from '../visitor/arrival.ts';
import type { Visitors } from '../visitor/visitors.ts';
import type { EndpointHandler } from './endpoint/endpoint-handler.ts';
import type { Learned } from './fast-path/fast-path.ts';
import type { FormHandler, Posted } from './form-handler.ts';
import type { Limits } from './limits/limits.ts';
import { exchangeOf } from './observability/exchange.ts';
import { isFromMemory, type RequestLog } from './observability/request-log.ts';
import { tracedRequest } from './observability/request-span.ts';
import type { HttpUsage } from './observability/usage.ts';
import { type DebugToken, debugHeaders, wantsAnew } from './request/debug-token.ts';
import { dropBody, isBodyTooLarge } from './request/request-body.ts';
import { type Elsewhere, parseTarget, type Target } from './request/target.ts';
import { TrustProxy } from './request/trust-proxy.ts';
import { cacheStatus, PERSONAL_STATUS } from './response/cache-status.ts';
import { FilledPages, filledBody } from './response/filled-page.ts';
import { goneSignal } from './response/gone.ts';
import type { EncodingChoice } from './response/negotiate.ts';
import { PageStream } from './response/page-stream.ts';
import { plainResponse, redirectResponse } from './response/plain-response.ts';
import { type Asked, type HttpResponse, pageResponse, personalResponse } from './response/response.ts';
import { send } from './response/send.ts';
import { SharedEncodings } from './response/shared-encoding.ts';
import { staleHeaders } from './response/stale.ts';
import type { StaticFiles } from './static.ts';

const MAX_RANGE_LENGTH = 256;
const ALLOW = ['allow', 'GET, HEAD, OPTIONS'];
const ALLOW_FORMS = ['allow', 'GET, HEAD, POST, OPTIONS'];

const FAULTS = {
  400: 'It cannot be told where the body ends.',
  501: 'No other transfer coding than chunked is known here.',
  505: 'Only HTTP/1.1 and HTTP/1.0 are spoken here.',
} as const;

const REFUSALS = {
  400: 'The body cannot be read.',
  408: 'The rest of the request did not come in time.',
  503: 'Too many requests at once on one connection.',
} as const;

/** Told of every page that came from memory, so that the next request for it can take the fast path. */
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
  readonly debugToken?: DebugToken;
  /** Takes POST for the pages that have an action. */
  readonly actions?: FormHandler;
  readonly endpoints?: EndpointHandler;
  readonly visitors: Visitors;
  /** Without it all are shown what visitors without a session are. */
  readonly holes?: HoleFiller | undefined;
  readonly usage?: HttpUsage | undefined;
  /** Gives requests their names. Without it they have none, and no line. */
  readonly requests?: RequestLog | undefined;
  readonly trace?: Tracing;
  /** Without one every host is answered for and no proxy is trusted. */
  readonly trustProxy?: TrustProxy;
}

export class RequestHandler {
  readonly #options: HandlerOptions;
  readonly #trustProxy: TrustProxy;
  readonly #trace: Tracing;
  readonly #streamed = new SharedEncodings();
  readonly #filled = new FilledPages();
  /** From now on each answer is the last on its connection. */
  closing = false;

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#trustProxy = options.trustProxy ?? new TrustProxy();
    this.#trace = options.trace ?? untraced;
  }

  /** A promise only where something must be waited for; it never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    const { usage, requests } = this.#options;
    usage?.arrived(request, response);
    requests?.arrived(response);
    try {
      const done = this.#trace.isOn
        ? tracedRequest(this.#trace, request, response, () => this.#handle(request, response))
        : this.#handle(request, response);
      return done?.catch((error) => this.#broken(error, response));
    } catch (error) {
      this.#broken(error, response);
    }
  }

  /** Of a request that is not complete and will not be, or of one too many on its connection. */
  refuse(response: ServerResponse, status: 400 | 408 | 503): void {
    send(response, this.#named(plainResponse(status, REFUSALS[status]), response), true);
  }

  #handle(request: IncomingMessage, response: ServerResponse): undefined | Promise<void> {
    const { limits, files, actions } = this.#options;
    const fault = framingFault(request);
    if (fault !== undefined) {
      send(response, this.#named(plainResponse(fault, FAULTS[fault]), response), true);
      return;
    }
    const addressed = this.#addressed(request);
    const endpoint = 'segments' in addressed ? this.#endpoint(addressed, request, response) : undefined;
    if (endpoint !== undefined) return endpoint;
    if (isBodyTooLarge(request, limits.maxBodyBytes)) {
      send(
        response,
        this.#named(plainResponse(413, 'Nothing here takes a body of that size.'), response),
        true,
      );
      return;
    }
    const target = this.#read(addressed, request);
    if (request.method === 'POST' && !('status' in target) && actions !== undefined) {
      goesTo(response, '_action');
      return actions.serve(target, this.#posted(request, response));
    }
    const hasBody = dropBody(request, limits.maxBodyBytes);
    if ('status' in target) {
      const headers = [...target.headers, ...this.#transport(request)];
      const { host } = request.headers;
      const answer = this.#named({ ...target, headers }, response);
      // Whether the body still comes after a refused expectation is unknown.
      send(response, answer, this.closing || host === undefined || target.status === 417);
      return;
    }
    const file = files.find(target.segments);
    if (file === undefined) {
      if (!hasBody) return this.#servePage(target, request, response);
      // What of the body came with the head is read first: a request whose chunks are none is refused, not answered.
      return Promise.resolve().then(() =>
        response.headersSent ? undefined : this.#servePage(target, request, response),
      );
    }
    goesTo(response, '_file');
    // A range of many parts is dear to read. A server need not answer one (RFC 9110, 14.2), so the whole file is sent.
    if ((request.headers.range?.length ?? 0) > MAX_RANGE_LENGTH) delete request.headers.range;
    return files.serve(file, { request, response, asked: this.#asked(request), closing: this.closing });
  }

  #broken(error: unknown, response: ServerResponse): void {
    const { log, requests } = this.#options;
    log.error({ err: error, id: requests?.idOf(response) }, 'a request could not be answered');
    if (response.headersSent) response.destroy();
    else send(response, this.#named(plainResponse(500, 'Something went wrong.'), response), true);
  }

  /** With the name of the request. */
  #named(answer: HttpResponse, response: ServerResponse): HttpResponse {
    const { requests } = this.#options;
    if (requests === undefined) return answer;
    return { ...answer, headers: [...answer.headers, ...requests.header(response)] };
  }

  /** Undefined where no endpoint answers. */
  #endpoint(target: Target, request: IncomingMessage, response: ServerResponse): undefined | Promise<void> {
    const { endpoints, files } = this.#options;
    const { method } = request;
    const found = endpoints?.find(target, method);
    if (endpoints === undefined || found === undefined) return undefined;
    if ((method === 'GET' || method === 'HEAD') && files.find(target.segments) !== undefined)
      return undefined;
    goesTo(response, found.route.template);
    return endpoints.serve(found, target, this.#posted(request, response));
  }

  /** The address asked for, or the answer for a request that has none. */
  #addressed(request: IncomingMessage): Target | Elsewhere | HttpResponse {
    const { rawHeaders, method } = request;
    if (rawHeaders.length > 2 * this.#options.limits.maxHeaderCount)
      return plainResponse(431, 'Too many headers.');
    if (countHosts(rawHeaders) > 1) return plainResponse(400, 'More than one Host header.');
    const { expect } = request.headers;
    if (expect !== undefined && expect.toLowerCase() !== '100-continue')
      return plainResponse(417, 'Nothing but 100-continue can be expected.');
    const raw = request.url ?? '';
    const { host } = request.headers;
    if (host === undefined && request.httpVersion !== '1.0') return plainResponse(400, 'No Host header.');
    const target = method === 'OPTIONS' && raw === '*' ? undefined : parseTarget(raw, host);
    if (target?.kind === 'refused') return plainResponse(target.status, target.reason);
    if (!this.#trustProxy.answersFor(host))
      return plainResponse(421, 'This server does not answer for that host.');
    return target ?? plainResponse(204, '', ALLOW);
  }

  /** The target asked for, or the answer for a request that asks for none. */
  #read(target: Target | Elsewhere | HttpResponse, { method }: IncomingMessage): Target | HttpResponse {
    if ('status' in target) return target;
    if (method !== 'GET' && method !== 'HEAD') {
      const takesForms = target.kind === 'target' && this.#options.actions?.takes(target) === true;
      if (method === 'OPTIONS') return plainResponse(204, '', takesForms ? ALLOW_FORMS : ALLOW);
      if (!takesForms) return plainResponse(405, 'Only GET and HEAD are answered here.', ALLOW);
      if (method !== 'POST') return plainResponse(405, 'GET, HEAD and POST are answered here.', ALLOW_FORMS);
    }
    return target.kind === 'elsewhere' ? redirectResponse(target.location) : target;
  }

  #posted(request: IncomingMessage, response: ServerResponse): Posted {
    const { requests } = this.#options;
    return {
      request,
      response,
      header: (name) => this.#trustProxy.header(request, name),
      arrival: () => this.#arrival(request),
      address: () => this.#trustProxy.clientAddress(request),
      id: requests && (() => requests.idOf(response)),
      transport: [...this.#transport(request), ...(requests?.header(response) ?? [])],
      isClosing: () => this.closing,
    };
  }

  #arrival(request: IncomingMessage): Arrival {
    return this.#options.visitors.arrive({
      header: (name) => this.#trustProxy.header(request, name),
      host: request.headers.host,
      isSecure: this.#trustProxy.isSecure(request),
    });
  }

  #transport({ socket, headers }: IncomingMessage): readonly string[] {
    return this.#trustProxy.transport(socket, joined(headers['x-forwarded-proto']));
  }

  #asked(request: IncomingMessage): Asked {
    const { encodings, debugToken } = this.#options;
    const { headers, method } = request;
    const noCompression = headers['x-no-compression'] !== undefined;
    return {
      method: method === 'HEAD' ? 'HEAD' : 'GET',
      encodings: encodings.preferred(joined(headers['accept-encoding']), noCompression),
      ifNoneMatch: headers['if-none-match'],
      transport: this.#transport(request),
      unkeyed: noCompression || debugToken?.asks(headers) === true,
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
    const transport = [...(asked.transport ?? []), ...(this.#options.requests?.header(response) ?? [])];
    return new PageStream({
      response,
      encoding,
      encodings: this.#streamed,
      transport,
      clock: this.#options.clock,
      isForOne: this.#options.holes !== undefined && request.headers.cookie !== undefined,
      isClosing: () => this.closing,
    });
  }

  /** A fresh page as it lies in memory; of a stale one, or for an operator, a copy with other headers. */
  #sendable({ entry, outcome }: PageResponse, extra: readonly Header[]): PageEntry {
    const isStale = outcome?.result === 'stale';
    if (!isStale && extra.length === 0) return entry;
    const headers = isStale ? staleHeaders(entry, this.#options.clock.now()) : entry.headers;
    return { ...entry, headers: [...headers, ...extra] };
  }

  #servePage(target: Target, request: IncomingMessage, response: ServerResponse): undefined | Promise<void> {
    const { pipeline, clock, debugToken, requests, holes } = this.#options;
    const { headers } = request;
    const asked = this.#asked(request);
    const hasDebugToken = debugToken?.asks(headers) ?? false;
    const startedMs = clock.monotonic();
    let stream: PageStream | undefined;
    let arrival: Arrival | undefined;
    const arrive = () => {
      arrival ??= this.#arrival(request);
      return arrival;
    };
    // A visitor whose holes are in the shell waits for the page, which is then filled.
    const expect = (shell: Shell, collapsed: boolean) => {
      const { cookie } = headers;
      if (cookie === undefined || !bringsCookie(cookie, shell.cookies)) stream?.expect(shell, collapsed);
    };
    const page = pipeline.respond({
      segments: target.segments,
      query: target.query,
      header: (name) => this.#trustProxy.header(request, name),
      arrival: arrive,
      encoding: asked.encodings[0] ?? 'identity',
      bypass: hasDebugToken && wantsAnew(headers),
      ...(requests !== undefined && { id: () => requests.idOf(response) }),
      waits: () => {
        const streamed = () => {
          // An operator is told how long it took, which is known at the end.
          stream = hasDebugToken ? undefined : this.#stream(request, response, asked);
          return stream && ((...shell: Parameters<PageStream['expect']>) => expect(...shell));
        };
        return {
          signal: goneSignal(response),
          get onShell() {
            return streamed();
          },
        };
      },
    });
    const answer = (page: PageResponse): undefined | Promise<void> => {
      if (holes?.concerns(page.entry, headers.cookie) !== true) return whole(page);
      return this.#serveFilled(page, { holes, arrive, response, asked, stream }, whole);
    };
    const whole = (page: PageResponse): undefined => {
      if (stream?.finish(page) === true) {
        this.#seen(response, page, page.entry.identity.length);
        return;
      }
      const extra = hasDebugToken ? debugHeaders(page, clock.monotonic() - startedMs) : [];
      const entry = this.#sendable(page, extra);
      const answered =
        page.personal === true
          ? personalResponse(entry, asked, PERSONAL_STATUS)
          : pageResponse(entry, asked, page.outcome && cacheStatus(page.outcome, clock.now()));
      this.#seen(response, page, answered.body?.length ?? 0);
      if (requests !== undefined && !isFromMemory(page)) answered.headers.push(...requests.header(response));
      send(response, answered, this.closing || page.shed === true);
      this.#teach(request, page, asked.transport);
    };
    return page instanceof Promise ? page.then(answer) : answer(page);
  }

  /** `whole` answers where the visitor brings nothing that counts after all. */
  async #serveFilled(
    page: PageResponse,
    { holes, arrive, response, asked, stream }: Filled,
    whole: (page: PageResponse) => undefined,
  ): Promise<void> {
    const { requests, clock } = this.#options;
    const { entry, route } = page;
    const recognised = await holes.recognise(entry, {
      arrival: arrive(),
      route,
      id: () => requests?.idOf(response) ?? '',
      signal: goneSignal(response),
    });
    if (recognised.length === 0) return whole(page);
    // What is begun ends as it began; what is one visitor's already is put together for them, and not compressed by pieces.
    if (stream?.hasBegun === true || page.personal === true) {
      const identity = await filledBody(entry, holes.fill(recognised));
      whole({ ...page, entry: { ...entry, identity, gzip: undefined, brotli: undefined } });
      return;
    }
    stream?.cancel();
    this.#seen(response, page, entry.identity.length);
    await this.#filled.send(response, {
      entry: this.#sendable(page, []),
      fillings: asked.method === 'HEAD' ? [] : holes.fill(recognised),
      encodings: asked.encodings,
      cacheStatus: page.outcome && cacheStatus(page.outcome, clock.now()),
      transport: [...(asked.transport ?? []), ...(requests?.header(response) ?? [])],
      closing: this.closing,
    });
  }

  #seen(response: ServerResponse, page: PageResponse, bodyBytes: number): void {
    goesTo(response, page.route, page);
    this.#options.usage?.page(page, bodyBytes);
  }

  #teach(
    { url, headers: { host } }: IncomingMessage,
    page: PageResponse,
    transport: Asked['transport'],
  ): void {
    const { entry, key, keyNow, outcome, vary, variants, route } = page;
    if (page.guarded === true) return;
    if (outcome?.result !== 'hit' || outcome.tier === undefined || key === undefined) return;
    if (url === undefined || host === undefined) return;
    const { learner, usage } = this.#options;
    const use = usage?.fastPath(route, entry.status, outcome.tier);
    const { tier } = outcome;
    const cookies = entry.holes && cookiesOf(entry.holes);
    learner?.learn({
      target: url,
      host,
      key,
      keyNow,
      entry,
      tier,
      vary,
      variants,
      cookies,
      transport,
      use,
      route,
    });
  }
}

/** For the log, the figures and the trace: the template of the page that it asked for, or where else it went. */
function goesTo(response: ServerResponse, route: string, page?: PageResponse): void {
  const exchange = exchangeOf(response);
  if (exchange === undefined) return;
  exchange.route = route;
  exchange.page = page;
}

/** A page that may have to be filled for who asks. */
interface Filled {
  readonly holes: HoleFiller;
  readonly arrive: () => Arrival;
  readonly response: ServerResponse;
  readonly asked: Asked;
  readonly stream: PageStream | undefined;
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
