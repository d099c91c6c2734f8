import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Tracing } from '../../core/trace.ts';
import { pathForLog } from './access-log.ts';
import { exchangeOf } from './exchange.ts';
import { cacheOf } from './request-log.ts';

/** The span around one request of the ordinary path. Its name gets the route once that is known. */
export function tracedRequest<T>(
  trace: Tracing,
  request: IncomingMessage,
  response: ServerResponse,
  work: () => T,
): T {
  const { method = 'GET', url = '', headers, httpVersion } = request;
  const attributes = {
    'http.request.method': method,
    'url.path': pathForLog(url),
    'url.scheme': 'http',
    'network.protocol.version': httpVersion,
  };
  return trace.request(headers, { name: method, kind: 'server', attributes }, (span) => {
    const exchange = exchangeOf(response);
    if (exchange !== undefined) exchange.ids = trace.ids();
    const end = () => {
      const { route, page } = exchange ?? {};
      if (route !== undefined) {
        span.set('http.route', route);
        span.rename(`${method} ${route}`);
      }
      if (page !== undefined) span.set('coherent.cache', cacheOf(page));
      span.set('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500) span.fail(String(response.statusCode));
    };
    const done = work();
    if (done instanceof Promise) done.then(end, end);
    else end();
    return done;
  });
}
