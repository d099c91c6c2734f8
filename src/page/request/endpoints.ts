// Runs an endpoint's handler for one request: inputs -> body -> handler -> what it answered, or what went wrong. Nothing of
// it is cached, and nothing is run twice. How a request reads and an answer is written is http/endpoint/.
//
//   inputs that do not parse     404 (path), 400 (query)
//   a body that is not taken     400, 413, 415; 422 with what its schema says
//   an error of the handler      as for a page: 400, 500, or 503 with Retry-After
//   a handler that takes too long, or too many at once: 503
import { Readable } from 'node:stream';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { UnheardRejections } from '../../core/unheard-rejections.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { WritableDb } from '../../data/read/write-scope.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import { parseInputs } from '../application/inputs.ts';
import type { VisibleOptions } from '../definitions/action.ts';
import { isInvalid, isNotFound } from '../definitions/outcome.ts';
import { BodyRefused, type IncomingBody, type Issue, isBodyKind } from '../endpoint/body.ts';
import type { EndpointRoute } from '../endpoint/compile-endpoint.ts';
import type { AnyMethod, EndpointMethod } from '../endpoint/endpoint.ts';
import { boundFetch } from '../render/render-context.ts';
import type { Writing } from './actions.ts';
import { errorStatusOf } from './error-status.ts';
import { FailureLog } from './failure-log.ts';
import { readBySchema } from './schema-body.ts';

export interface EndpointRequest {
  readonly route: EndpointRoute;
  readonly method: EndpointMethod;
  readonly params: Readonly<Record<string, string>>;
  /** Raw, without the '?'. */
  readonly query: string;
  readonly header: (name: string) => string | undefined;
  /** Who sent it. Never asked for where requests may come from anywhere. */
  readonly arrival: () => Arrival;
  readonly body: IncomingBody;
  readonly id: string;
}

/** What a client is told of a request that failed. */
export interface Failure {
  readonly status: number;
  readonly id: string;
  /** Of the client's own mistake; of ours only during development. */
  readonly detail: string | undefined;
  readonly issues: readonly Issue[];
  /** Flat: name, value. */
  readonly headers: readonly string[];
}

export type EndpointDone =
  | {
      readonly answer: unknown;
      /** The visitor's cookies. Flat: name, value. */
      readonly headers: readonly string[];
      /** Call it when a streamed answer's reader has gone before its end: the handler's signal aborts. */
      readonly abandon: () => void;
    }
  | { readonly failure: Failure };

export interface EndpointsOptions {
  readonly writing: Writing;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1); spreads Retry-After. */
  readonly random: () => number;
  readonly showErrors: boolean;
  /** Log what failed handlers say. */
  readonly personalErrors?: boolean;
  /** Told whose work it is that goes on. */
  readonly rejections?: UnheardRejections | undefined;
  readonly timeoutMs: Milliseconds;
  /** Handlers at once in this worker; more are answered 503. */
  readonly maxRunning?: number;
}

const MAX_RUNNING = 64;
/** Stands where a clock must not be started any more. */
const NEVER: Timer = Object.freeze({ cancel: () => {} });

export class Endpoints {
  readonly #options: EndpointsOptions;
  readonly #failures: FailureLog;
  readonly #counts = { run: 0, failed: 0, refused: 0 };
  #running = 0;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options);
  }

  stats() {
    return { ...this.#counts, running: this.#running };
  }

  /** Rejects with `BodyCut` where the client broke off, and with nothing else. */
  async run(request: EndpointRequest): Promise<EndpointDone> {
    const { route, method, params, query, header, id } = request;
    const definition = route.methods.get(method);
    if (definition === undefined) throw new Error(`${route.template} has no ${method}.`);
    try {
      const inputs = await parseInputs(route.declared, { params, query, header });
      if ('rejected' in inputs) return refused(inputs.rejected, id, inputs.reason);
      const body = await readBody(definition, request.body);
      return await this.#handle(definition, request, { params: inputs.params, query: inputs.query, body });
    } catch (error) {
      if (error instanceof BodyRefused) return refused(error.status, id, error.message, error);
      throw error;
    }
  }

  /** What went wrong after the handler had answered: while its answer was written. */
  failed({ route, id }: Pick<EndpointRequest, 'route' | 'id'>, error: unknown): Failure {
    const { showErrors } = this.#options;
    this.#counts.failed++;
    const { status, retry } = errorStatusOf(error);
    const failed = { error, id, status, route: route.template, personal: true };
    this.#failures.write(failed, 'an endpoint failed');
    const shown = showErrors && error instanceof Error ? (error.stack ?? error.message) : undefined;
    const detail = shown ?? (status === 400 ? 'A value of the request cannot be taken.' : undefined);
    return { status, id, detail, issues: [], headers: retry ? this.#retryAfter() : [] };
  }

  async #handle(
    { handler, timeoutMs = this.#options.timeoutMs }: AnyMethod,
    request: EndpointRequest,
    inputs: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
  ): Promise<EndpointDone> {
    const { clock, rejections, maxRunning = MAX_RUNNING } = this.#options;
    if (this.#running >= maxRunning) {
      this.#counts.refused++;
      return { failure: { ...failureOf(503, request.id), headers: this.#retryAfter() } };
    }
    const place = `endpoint ${request.route.template}`;
    const stop = new AbortController();
    let timer: Timer | undefined;
    const startClock = () => {
      timer ??= clock.after(timeoutMs, () => stop.abort(new HandlerTimeout(timeoutMs)));
    };
    // While a body comes its sender's time runs (SlowSenders), and not the handler's.
    if (inputs.body instanceof Readable) inputs.body.once('close', startClock);
    else startClock();
    this.#running++;
    this.#counts.run++;
    rejections?.began(place, true);
    const arrival = request.route.from === 'anywhere' ? undefined : request.arrival();
    const handling = (async () => {
      const db = this.#options.writing.writeScope(stop.signal);
      await arrival?.settle(() => db);
      return handler(this.#context(request, inputs, db, arrival, stop.signal));
    })();
    // Past its time it holds its place until it ends: it still costs.
    const ended = () => {
      this.#running--;
      rejections?.ended(place);
    };
    handling.then(ended, ended);
    try {
      const answer = await Promise.race([handling, aborted(stop.signal)]);
      const headers = arrival?.headers().flat() ?? [];
      if (isNotFound(answer)) return { failure: { ...failureOf(404, request.id), headers } };
      if (isInvalid(answer)) {
        const issues = Object.entries(answer.errors).map(([path, message]) => ({ path, message }));
        const detail = 'The request has values that are not taken.';
        return { failure: { ...failureOf(422, request.id), detail, issues, headers } };
      }
      return { answer, headers, abandon: () => stop.abort(new Error('The reader of the answer has gone.')) };
    } catch (error) {
      if (error instanceof BodyRefused) throw error;
      const failure = this.failed(request, error);
      const passes = error instanceof HandlerTimeout;
      return { failure: passes ? { ...failure, status: 503, headers: this.#retryAfter() } : failure };
    } finally {
      timer?.cancel();
      timer = NEVER;
    }
  }

  #context(
    { route, method, header, id }: EndpointRequest,
    { params, query, body }: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
    db: WritableDb,
    arrival: Arrival | undefined,
    signal: AbortSignal,
  ): object {
    const { writing, fetch, log } = this.#options;
    return Object.freeze({
      // Of a request from anywhere nothing speaks for a visitor.
      header: (name: string) => (name.toLowerCase() === 'cookie' ? undefined : header(name.toLowerCase())),
      ...arrival?.writing,
      params,
      query,
      ...(body !== undefined && { body }),
      db,
      visible: ({ withinMs }: VisibleOptions = {}) => writing.visible(withinMs),
      signal,
      fetch: boundFetch(fetch, signal),
      log: log.child({ id, route: route.template, method }),
    });
  }

  #retryAfter(): readonly string[] {
    return ['retry-after', String(2 + Math.floor(this.#options.random() * 9))];
  }
}

/** The handler took longer than it may. */
class HandlerTimeout extends Error {
  constructor(limitMs: Milliseconds) {
    super(`The endpoint's handler took longer than ${limitMs} ms.`);
  }
}

function readBody({ body }: AnyMethod, incoming: IncomingBody): unknown {
  if (body === undefined) return undefined;
  return isBodyKind(body) ? body.read(incoming) : readBySchema(body, incoming);
}

function refused(
  status: number,
  id: string,
  detail: string,
  {
    issues = [],
    accepts = [],
  }: { readonly issues?: readonly Issue[]; readonly accepts?: readonly string[] } = {},
): EndpointDone {
  const headers = accepts.length === 0 ? [] : ['accept-post', accepts.join(', ')];
  return { failure: { status, id, detail, issues, headers } };
}

function failureOf(status: number, id: string): Failure {
  return { status, id, detail: undefined, issues: [], headers: [] };
}

/** Rejects when `signal` aborts: a handler that does not heed it is not waited for. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
