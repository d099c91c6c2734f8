// A request of the ordinary path by its name: the id that the visitor is told, that stands in every line about it, and
// that he can quote. A trusted proxy may have given it one (Front.requestId); otherwise it gets one here, when somebody
// first asks for it.
//
// It goes out as `x-request-id` with every answer that was made for this request: refusals, failures, renders, what came
// from L2, L3 or is stale. What memory answers has none: these bytes are everybody's, whichever way they are sent. It
// is never in an entry and never in a key.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { SpanIds } from '../../core/trace.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { PageResponse } from '../../page/request/pipeline.ts';
import type { TrustProxy } from '../request/trust-proxy.ts';
import { type AccessLog, pathForLog } from './access-log.ts';
import { wasBegun } from './was-begun.ts';

export interface RequestLogOptions {
  readonly access: AccessLog;
  readonly trustProxy: TrustProxy;
  readonly clock: Clock;
  readonly newId: () => string;
}

interface Noted {
  readonly request: IncomingMessage;
  readonly startedMs: Milliseconds;
  readonly socket: Socket;
  readonly bytesBefore: Bytes;
  id: string | undefined;
  route: string | undefined;
  cache: string | undefined;
  errorId: string | undefined;
  ids: SpanIds | undefined;
}

export class RequestLog {
  readonly #options: RequestLogOptions;
  readonly #noted = new WeakMap<ServerResponse, Noted>();

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  /** The ordinary path begins with a request. */
  arrived(request: IncomingMessage, response: ServerResponse): void {
    const { access, clock } = this.#options;
    const { socket } = request;
    const noted: Noted = {
      request,
      startedMs: clock.monotonic(),
      socket,
      bytesBefore: socket.bytesWritten,
      id: undefined,
      route: undefined,
      cache: undefined,
      errorId: undefined,
      ids: undefined,
    };
    this.#noted.set(response, noted);
    if (!access.isOff) response.once('close', () => this.#ended(response, noted));
  }

  idOf(response: ServerResponse): string {
    const { trustProxy, newId } = this.#options;
    const noted = this.#noted.get(response);
    if (noted === undefined) return newId();
    noted.id ??= trustProxy.requestId(noted.request) ?? newId();
    return noted.id;
  }

  /** Flat: name, value. */
  header(response: ServerResponse): readonly string[] {
    return ['x-request-id', this.idOf(response)];
  }

  /** The page that it asked for, and what the cache did; or where else it went. */
  routed(response: ServerResponse, route: string, page?: PageResponse): void {
    const noted = this.#noted.get(response);
    if (noted === undefined) return;
    noted.route = route;
    if (page === undefined) return;
    noted.errorId = page.errorId;
    noted.cache = cacheOf(page);
  }

  traced(response: ServerResponse, ids: SpanIds | undefined): void {
    const noted = this.#noted.get(response);
    if (noted !== undefined) noted.ids = ids;
  }

  /** What `routed` said. */
  routeOf(response: ServerResponse): {
    readonly route?: string | undefined;
    readonly cache?: string | undefined;
  } {
    return this.#noted.get(response) ?? {};
  }

  #ended(response: ServerResponse, noted: Noted): void {
    const { access, trustProxy, clock } = this.#options;
    // Gone before there was an answer: nothing was said, and there is no status.
    if (!wasBegun(response)) return;
    const { request, socket, startedMs, bytesBefore, route, cache, errorId, ids } = noted;
    const wasCut = !response.writableFinished;
    if (!access.wants(response.statusCode, wasCut)) return;
    const requestId = this.idOf(response);
    access.write({
      'http.request.method': request.method ?? '',
      'url.path': pathForLog(request.url ?? ''),
      'http.route': route,
      'http.response.status_code': response.statusCode,
      'http.response.size': socket.bytesWritten - bytesBefore,
      'client.address': trustProxy.clientAddress(request),
      durationMs: Math.round((clock.monotonic() - startedMs) * 10) / 10,
      cache,
      cut: wasCut ? true : undefined,
      requestId,
      errorId: errorId === requestId ? undefined : errorId,
      ...ids,
    });
  }
}

function cacheOf({ outcome, personal }: PageResponse): string {
  if (personal === true) return 'personal';
  if (outcome === undefined) return 'error';
  const { result, tier, collapsed } = outcome;
  return [result, tier, collapsed && 'collapsed'].filter(Boolean).join(' ');
}

/** Whether these bytes lie in memory for everybody: then they carry nothing of this request. */
export function isFromMemory({ outcome }: PageResponse): boolean {
  return outcome?.result === 'hit' && (outcome.tier === 'l1' || outcome.tier === 'static');
}
