// Runs work as if no request had asked for it: in the async context of the process's start, which is empty. What is kept for all is made in
// it, so that an AsyncLocalStorage of the application's (entered in a guard, say) carries no visitor into it.
//
// It is a snapshot that is entered, not a storage of ours: one that is in use makes every promise dearer in Node 20.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Tracing } from './trace.ts';

const atStart: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();

/** Of the async context only the span stays, so that the trace goes on. */
export function inEmptyContext<T>(trace: Tracing, work: () => T): T {
  if (!trace.isOn) return atStart(work);
  const within = trace.here();
  return atStart(() => within(work));
}
