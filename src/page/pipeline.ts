// The way of a request that was no hit: route -> inputs -> key -> cache -> (render) -> entry. Failures become
// entries too, so that whoever writes the answer knows one kind of thing.
import type { Header, PageEntry } from '../cache/entry.ts';
import { pageKey } from '../cache/key.ts';
import type { Cache, CacheKey, FillContext, Filled, Outcome } from '../cache/stack-contract.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Application, PageRoute } from './application.ts';
import { diagnose } from './diagnose.ts';
import type { Encoding } from './encode.ts';
import { PageEncodings } from './encodings.ts';
import type { ErrorProps } from './error-page.ts';
import { type Inputs, parseInputs, type RawInputs } from './inputs.ts';
import { Recipes } from './recipes.ts';
import type { PageRenderer } from './renderer.ts';
import { type Shell, type ShellListener, Shells } from './shells.ts';
import type { Timeouts } from './timeouts.ts';

export interface PageRequest {
  /** Of the canonical path, decoded. */
  readonly segments: readonly string[];
  /** Raw, without the '?'. */
  readonly query: string;
  readonly header: (name: string) => string | undefined;
  /** The one that the visitor likes best of those there are. */
  readonly encoding: Encoding;
  /** Render anew whatever is cached: an operator asks. */
  readonly bypass?: boolean;
  /** Told the shell of a page that has one, once, if the visitor has to wait for its render. */
  readonly onShell?: ShellListener;
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
  /** Of a failure: what the visitor is told, and the log. */
  readonly errorId?: string;
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
  readonly #encodings: PageEncodings;
  readonly #shells = new Shells();
  readonly #recipes = new Recipes();

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { cache, clock, log } = options;
    this.#encodings = new PageEncodings({ cache, clock, log });
  }

  /** Before the cache's own: nothing is compressed any more that the cache would have to take. */
  close(): Promise<void> {
    return this.#encodings.close();
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
      if (!('rejected' in inputs)) return await this.#fetch(route, inputs, request);
      if (inputs.rejected === 400) {
        const props = { status: 400, id: this.#options.newId(), detail: inputs.reason };
        return await this.#failure(route, props, [], request);
      }
      // _404 declares no parameters, so this cannot be rejected again.
      return await this.#fetch(application.notFound, { params: {}, query: {}, headers: {} }, request);
    } catch (error) {
      return this.#failed(route, error, request);
    }
  }

  /** Renders a page again that nobody asks for now. False: not known (any more), not wanted, or on its way. */
  refresh(key: CacheKey): boolean {
    const recipe = this.#recipes.recall(key);
    if (recipe === undefined) return false;
    const { route, inputs } = recipe;
    return this.#options.cache.warm(key, this.#fetchOptions(route), (context) =>
      this.#fill(route, inputs, context, key),
    );
  }

  /** Which page answers an address, and under which key. Undefined: none. Renders nothing. */
  async locate({
    segments,
    query,
    header,
  }: Pick<PageRequest, 'segments' | 'query' | 'header'>): Promise<
    { readonly route: string; readonly key: CacheKey } | undefined
  > {
    const match = this.#options.application.router.match(segments);
    if (match === undefined) return undefined;
    const inputs = await parseInputs(match.route.declared, { params: match.params, query, header });
    if ('rejected' in inputs) return undefined;
    return { route: match.route.template, key: this.#keyOf(match.route, inputs) };
  }

  async #fetch(route: PageRoute, inputs: Inputs, request: PageRequest): Promise<PageResponse> {
    const { cache, log } = this.#options;
    const key = this.#keyOf(route, inputs);
    const { signal, bypass = false } = request;
    const group = route.template;
    const options = { ...this.#fetchOptions(route), signal, bypass };
    const listener = route.page.definition.shell === undefined ? undefined : request.onShell;
    const stopListening = listener === undefined ? undefined : this.#shells.wait(key, listener);
    const outcome = await cache
      .fetch(key, options, (context) => this.#fill(route, inputs, context, key))
      .finally(stopListening);
    // What is kept nowhere cannot be purged.
    if (route.policy.refresh && (outcome.stored || outcome.result !== 'miss'))
      this.#recipes.remember(key, { route, inputs });
    const id = outcome.error === undefined ? undefined : this.#newIdOf(outcome.error);
    if (id !== undefined) {
      log.warn(
        { err: outcome.error, id, route: route.template, key },
        'a render failed; an older page was served',
      );
    }
    const place = { key, group, again: outcome.result !== 'miss' };
    const entry = await this.#encodings.ready(outcome.value, request.encoding, place);
    return { entry, route: group, key, outcome, vary: route.policy.vary };
  }

  #keyOf(route: PageRoute, { params, query, headers }: Inputs): CacheKey {
    const { build } = this.#options.application;
    return pageKey({ build, page: route.template, params, query, variants: headers });
  }

  #fetchOptions(route: PageRoute) {
    return { group: route.template, pin: route.policy.static, ...this.#options.timeouts };
  }

  async #fill(
    route: PageRoute,
    inputs: Inputs,
    context: FillContext,
    key: CacheKey,
  ): Promise<Filled<PageEntry>> {
    const announce = (shell: Shell) => this.#shells.announce(key, shell);
    try {
      return await this.#options.renderer.fill(route, inputs, context, announce);
    } finally {
      this.#shells.forget(key);
    }
  }

  async #failed(route: PageRoute, error: unknown, request: PageRequest): Promise<PageResponse> {
    const { log, random, showErrors, newId } = this.#options;
    const { status, retry } = diagnose(error);
    const known = typeof error === 'object' && error !== null ? this.#told.get(error) : undefined;
    const id = known ?? newId();
    // Whoever asked is gone, and the render stopped for that reason: no failure to tell of.
    if (known === undefined && !request.signal.aborted) {
      if (typeof error === 'object' && error !== null) this.#told.set(error, id);
      const write = status >= 500 ? log.error : log.warn;
      write.call(log, { err: error, id, status, route: route.template }, 'a page failed');
    }
    const detail = showErrors ? describe(error) : undefined;
    const retryAfter = retry ? [['retry-after', String(2 + Math.floor(random() * 9))] as const] : [];
    return this.#failure(route, { status, id, detail }, retryAfter, request);
  }

  async #failure(
    route: PageRoute,
    props: ErrorProps,
    headers: readonly Header[],
    request: PageRequest,
  ): Promise<PageResponse> {
    const failure = await this.#options.renderer.failure(props, headers);
    const entry = await this.#encodings.ready(failure, request.encoding, undefined);
    return { entry, route: route.template, key: undefined, outcome: undefined, errorId: props.id, vary: [] };
  }

  /** Undefined: told before. Otherwise the id under which it is told now, which a visitor may be shown later. */
  #newIdOf(error: unknown): string | undefined {
    const id = this.#options.newId();
    if (typeof error !== 'object' || error === null) return id;
    if (this.#told.has(error)) return undefined;
    this.#told.set(error, id);
    return id;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
