import { type IncomingMessage, ServerResponse } from 'node:http';
import type { SpanIds } from '../../core/trace.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { PageResponse } from '../../page/request/page-request.ts';

/**
 * A request of the ordinary path and its answer: Node's own object, which goes through all hands, with what is to be known
 * of it when it closes. Nothing beside it has to be looked up by it.
 */
export class Exchange<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** Monotonic. */
  startedMs: Milliseconds = 0;
  /** Written to its connection before it. */
  bytesBefore: Bytes = 0;
  /** The template, or where else it went: `_file`, `_action`. Undefined: it was refused before it had one. */
  route: string | undefined = undefined;
  page: PageResponse | undefined = undefined;
  id: string | undefined = undefined;
  ids: SpanIds | undefined = undefined;
}

/** Undefined for what Node made without us: nothing is noted of it. */
export function exchangeOf(response: ServerResponse): Exchange | undefined {
  return response instanceof Exchange ? response : undefined;
}
