import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Tracing } from '../../core/trace.ts';
import { pathForLog } from './access-log.ts';
import type { RequestLog } from './request-log.ts';

interface Parts {
  readonly trace: Tracing;
  readonly requests: RequestLog | undefined;
}

/** The span around one request of the ordinary path. Its name gets the route once that is known. */
export function tracedRequest<T>(
  { trace, requests }: Parts,
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
    requests?.traced(response, trace.ids());
    const end = () => {
      const { route, cache } = requests?.routeOf(response) ?? {};
      if (route !== undefined) {
        span.set('http.route', route);
        span.rename(`${method} ${route}`);
      }
      if (cache !== undefined) span.set('coherent.cache', cache);
      span.set('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500) span.fail(String(response.statusCode));
    };
    const done = work();
    if (done instanceof Promise) done.then(end, end);
    else end();
    return done;
  });
}
