import { channel } from 'node:diagnostics_channel';
import type { Tracing } from '../../core/trace.ts';

/** An instrumentation of Node's own client listens here; it then makes the spans and sends the headers. */
const requests = channel('undici:request:create');

/** `fetch` that tells the other side which trace the call belongs to, and is a span in it. */
export function tracedFetch(trace: Tracing, fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  if (!trace.isOn) return fetch;
  return async (input, init) => {
    if (requests.hasSubscribers) return fetch(input, init);
    const request = new Request(input, init);
    const { protocol, hostname, port, pathname, origin } = new URL(request.url);
    const attributes = {
      'http.request.method': request.method,
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      // Queries hold keys and names.
      'url.full': `${origin}${pathname}`,
    };
    return trace.span({ name: request.method, kind: 'client', attributes }, async (span) => {
      for (const [name, value] of Object.entries(trace.outgoing())) request.headers.set(name, value);
      const response = await fetch(request);
      span.set('http.response.status_code', response.status);
      if (response.status >= 400) span.fail(String(response.status));
      return response;
    });
  };
}
