// Runs work as if no request had asked for it: in the async context of the process's start, which is empty. What is kept for all is made in
// it, so that an AsyncLocalStorage of the application's (entered in a guard, say) carries no visitor into it.
//
// It is a snapshot that is entered, not a storage of ours: one that is in use makes every promise dearer in Node 20.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { Tracing } from './trace.ts';

const atStart: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();

/** Of the async context only the span stays, so that the trace goes on. */
export function inEmptyContext<T>(trace: Tracing, work: () => T): T {
  if (!trace.isOn) return atStart(() => inOwnContext(work));
  const within = trace.here();
  return atStart(() => within(() => inOwnContext(work)));
}

/**
 * Runs work, such as that of one request, in a context of its own. What the application enters in it (`enterWith`) is over with it: otherwise the next
 * work from the same place would find it, such as the next request on a connection, which behind a proxy is another visitor's, would find it.
 */
export function inOwnContext<T>(work: () => T): T {
  return new AsyncResource('coherent.request', { requireManualDestroy: true }).runInAsyncScope(work);
}
