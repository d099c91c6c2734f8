// The way of a request that was no hit: route -> inputs -> key -> cache -> (render) -> entry. Failures become
// entries too, so that whoever writes the answer knows one kind of thing.
import type { PageEntry } from '../cache/entry.ts';
import { pageKey } from '../cache/key.ts';
import type { Cache, CacheKey, Outcome } from '../cache/stack-contract.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Application, PageRoute } from './application.ts';
import { diagnose } from './diagnose.ts';
import { type Inputs, parseInputs, type RawInputs } from './inputs.ts';
import type { PageRenderer } from './renderer.ts';
import type { Timeouts } from './timeouts.ts';

export interface PageRequest {
  /** Of the canonical path, decoded. */
  readonly segments: readonly string[];
  /** Raw, without the '?'. */
  readonly query: string;
  readonly header: (name: string) => string | undefined;
  /** Aborts when the visitor is gone. */
  readonly signal: AbortSignal;
}

export interface PageResponse {
  readonly entry: PageEntry;
  /** The route template; '_404' where no route matches. For logs and metrics. */
  readonly route: string;
  /** Undefined for failures, which have no key. */
  readonly key: CacheKey | undefined;
  readonly outcome: Outcome<PageEntry> | undefined;
  /** Of the request headers, these took part in the key. */
  readonly vary: readonly string[];
}

export interface PipelineOptions {
  readonly application: Application;
  readonly cache: Cache<PageEntry>;
  readonly renderer: PageRenderer;
  readonly timeouts: Timeouts;
  readonly clock: Clock;
  readonly log: Logger;
  /** A short name for a failure, shown to the visitor and written to the log. */
  readonly newId: () => string;
  /** In [0, 1); spreads Retry-After. */
  readonly random: () => number;
  /** Show errors to the visitor. Never in production. */
  readonly showErrors: boolean;
}

export class PagePipeline {
  readonly #options: PipelineOptions;
  /** An error that many waited for is told once, under one id. */
  readonly #told = new WeakMap<object, string>();

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Always an answer; never rejects. */
  async respond(request: PageRequest): Promise<PageResponse> {
    const { application } = this.#options;
    const match = application.router.match(request.segments);
    // One entry for every address that leads nowhere, or a scan of addresses would fill the cache.
    const route = match?.route ?? application.notFound;
    try {
      const raw: RawInputs = { params: match?.params ?? {}, query: request.query, header: request.header };
      const inputs = await parseInputs(route.declared, raw);
      if (!('rejected' in inputs)) return await this.#fetch(route, inputs, request.signal);
      if (inputs.rejected === 400) return await this.#fail(route, 400, inputs.reason);
      // _404 declares no parameters, so this cannot be rejected again.
      return await this.#fetch(application.notFound, { params: {}, query: {}, headers: {} }, request.signal);
    } catch (error) {
      return this.#failed(route, error, request.signal.aborted);
    }
  }

  async #fetch(route: PageRoute, inputs: Inputs, signal: AbortSignal): Promise<PageResponse> {
    const { application, cache, renderer, timeouts, log } = this.#options;
    const { params, query, headers } = inputs;
    const key = pageKey({ build: application.build, page: route.template, params, query, variants: headers });
    const options = { group: route.template, signal, pin: route.policy.static, ...timeouts };
    const outcome = await cache.fetch(key, options, (context) => renderer.fill(route, inputs, context));
    if (outcome.error !== undefined && this.#isNew(outcome.error)) {
      log.warn(
        { err: outcome.error, route: route.template, key },
        'a render failed; an older page was served',
      );
    }
    return { entry: outcome.value, route: route.template, key, outcome, vary: route.policy.vary };
  }

  async #failed(route: PageRoute, error: unknown, nobodyWaits: boolean): Promise<PageResponse> {
    const { log, random, showErrors, newId, renderer } = this.#options;
    const { status, retry } = diagnose(error);
    const known = typeof error === 'object' && error !== null ? this.#told.get(error) : undefined;
    const id = known ?? newId();
    // Whoever asked is gone, and the render stopped for that reason: no failure to tell of.
    if (known === undefined && !nobodyWaits) {
      if (typeof error === 'object' && error !== null) this.#told.set(error, id);
      const write = status >= 500 ? log.error : log.warn;
      write.call(log, { err: error, id, status, route: route.template }, 'a page failed');
    }
    const detail = showErrors ? describe(error) : undefined;
    const retryAfter = retry ? [['retry-after', String(2 + Math.floor(random() * 9))] as const] : [];
    return this.#response(route, await renderer.failure({ status, id, detail }, retryAfter));
  }

  async #fail(route: PageRoute, status: number, reason: string): Promise<PageResponse> {
    const { renderer, newId } = this.#options;
    return this.#response(route, await renderer.failure({ status, id: newId(), detail: reason }, []));
  }

  #response(route: PageRoute, entry: PageEntry): PageResponse {
    return { entry, route: route.template, key: undefined, outcome: undefined, vary: [] };
  }

  #isNew(error: unknown): boolean {
    if (typeof error !== 'object' || error === null) return true;
    if (this.#told.has(error)) return false;
    this.#told.set(error, '');
    return true;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
