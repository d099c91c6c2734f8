// Whether this process traces. The API is forty files, which a worker without an SDK need not read before it serves.
import { type Tracing, untraced } from '../core/trace.ts';

/** Where the API, version 1, keeps what an SDK has registered; every copy of it in a process looks there. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/** Looked at once: an SDK is registered before the server's own code runs, or while the application is loaded. */
export async function tracing(name: string, version: string): Promise<Tracing> {
  if (!Reflect.has(globalThis, REGISTERED)) return untraced;
  const { openTracing } = await import('../core/open-telemetry.ts');
  return openTracing(name, version);
}
