// A request of the ordinary path by its name: the id that the visitor is told, that stands in every line about it, and
// that they can quote. A trusted proxy may have given it one (TrustProxy.requestId); otherwise it gets one here, when a reader
// first asks for it.
//
// It goes out as `x-request-id` with every answer that was made for this request: refusals, failures, renders, what came
// from L2, L3 or is stale. What memory answers has none: these bytes are everybody's, whichever way they are sent. It
// is never in an entry and never in a key.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { PageResponse } from '../../page/request/page-request.ts';
import type { TrustProxy } from '../request/trust-proxy.ts';
import { type AccessLog, pathForLog } from './access-log.ts';
import { type Exchange, exchangeOf } from './exchange.ts';
import { wasBegun } from './was-begun.ts';

export interface RequestLogOptions {
  readonly access: AccessLog;
  readonly trustProxy: TrustProxy;
  readonly clock: Clock;
  readonly newId: () => string;
}

export class RequestLog {
  readonly #options: RequestLogOptions;

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  /** The ordinary path begins with a request. */
  arrived(response: ServerResponse): void {
    const exchange = exchangeOf(response);
    if (exchange === undefined || this.#options.access.isOff) return;
    const { socket } = exchange.req;
    exchange.bytesBefore = socket.bytesWritten;
    response.on('close', () => this.#ended(exchange, socket));
  }

  idOf(response: ServerResponse): string {
    const { trustProxy, newId } = this.#options;
    const exchange = exchangeOf(response);
    if (exchange === undefined) return newId();
    exchange.id ??= trustProxy.requestId(exchange.req) ?? newId();
    return exchange.id;
  }

  /** Flat: name, value. */
  header(response: ServerResponse): readonly string[] {
    return ['x-request-id', this.idOf(response)];
  }

  #ended(exchange: Exchange, socket: Socket): void {
    const { access, trustProxy, clock } = this.#options;
    // Gone before there was an answer: nothing was said, and there is no status.
    if (!wasBegun(exchange)) return;
    const { req: request, startedMs, bytesBefore, route, page, ids } = exchange;
    const wasCut = !exchange.writableFinished;
    if (!access.wants(exchange.statusCode, wasCut)) return;
    const requestId = this.idOf(exchange);
    access.write({
      'http.request.method': request.method ?? '',
      'url.path': pathForLog(request.url ?? ''),
      'http.route': route,
      'http.response.status_code': exchange.statusCode,
      'http.response.size': socket.bytesWritten - bytesBefore,
      'client.address': trustProxy.clientAddress(request),
      durationMs: Math.round((clock.monotonic() - startedMs) * 10) / 10,
      cache: page && cacheOf(page),
      cut: wasCut ? true : undefined,
      requestId,
      errorId: page?.errorId === requestId ? undefined : page?.errorId,
      ...ids,
    });
  }
}

/** What the cache did, in words. */
export function cacheOf({ outcome, personal }: PageResponse): string {
  if (personal === true) return 'personal';
  if (outcome === undefined) return 'error';
  const { result, tier, collapsed } = outcome;
  return [result, tier, collapsed && 'collapsed'].filter(Boolean).join(' ');
}

/** Whether these bytes lie in memory for everybody: then they carry nothing of this request. */
export function isFromMemory({ outcome }: PageResponse): boolean {
  return outcome?.result === 'hit' && (outcome.tier === 'l1' || outcome.tier === 'static');
}
