// The way of a request that the fast path did not answer: route -> inputs -> key -> cache -> (render) -> entry. A
// page that lies in memory is answered without waiting for anything; so are the cheap steps before it. Failures
// become entries too, so that what writes the response knows one kind of thing.

import type { Cache, CacheKey, FetchOptions, FillContext, Filled, Outcome } from '../../cache/contract.ts';
import type { PageEntry } from '../../cache/entry.ts';
import { OverloadedError } from '../../cache/errors.ts';
import { pageKey } from '../../cache/key.ts';
import { inEmptyContext } from '../../core/empty-context.ts';
import { andThen, type Eventually, finishing } from '../../core/eventually.ts';
import type { StopSignal } from '../../core/stop.ts';
import { type Tracing, untraced } from '../../core/trace.ts';
import type { Application, PageRoute } from '../application/application.ts';
import { type Inputs, NO_INPUTS, parseInputs, type RawInputs, type Rejected } from '../application/inputs.ts';
import type { Chosen } from '../definitions/variants.ts';
import { PageEncodings } from '../encode/encodings.ts';
import { type Shell, Shells } from '../render/shells.ts';
import type { Timeouts } from '../timeouts.ts';
import { addressOf } from './address.ts';
import type { Admission } from './admission.ts';
import { PageFailures, type PageFailuresOptions } from './page-failures.ts';
import type { PageAddress, PageRequest, PageResponse } from './page-request.ts';
import { forOneVisitor, type PersonalPages } from './personal.ts';
import { type Refreshable, RefreshRegistry } from './refresh-registry.ts';
import { Visit } from './visit.ts';

export interface PipelineOptions extends Omit<PageFailuresOptions, 'encodings'> {
  readonly application: Application;
  readonly cache: Cache<PageEntry>;
  /** Without it no page with guards is answered, without `personal` no page of one visitor. */
  readonly admission?: Admission;
  readonly personal?: PersonalPages;
  readonly timeouts: Timeouts;
  readonly trace?: Tracing;
}

export class PagePipeline {
  readonly #options: PipelineOptions;
  readonly #encodings: PageEncodings;
  readonly #failures: PageFailures;
  readonly #shells = new Shells();
  readonly #refreshables = new RefreshRegistry();

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { cache, clock, log } = options;
    this.#encodings = new PageEncodings({ cache, clock, log });
    this.#failures = new PageFailures({ ...options, encodings: this.#encodings });
  }

  /** Before the cache's own: nothing is compressed any more that the cache would have to take. */
  close(): Promise<void> {
    return this.#encodings.close();
  }

  /** Always an answer: a promise of it only where something must be waited for, which never rejects. */
  respond(request: PageRequest): PageResponse | Promise<PageResponse> {
    const { application } = this.#options;
    const match = application.router.match(request.segments);
    // One entry for every address that leads nowhere, or a scan of addresses would fill the cache.
    const route = match?.route ?? application.notFound;
    const raw: RawInputs = { params: match?.params ?? {}, query: request.query, header: request.header };
    const visit = new Visit(request, hasInputs(route));
    if (isForVisitors(route))
      return this.#forVisitor(route, raw, visit).catch((error) => this.#failures.failed(route, error, visit));
    try {
      const inputs = parseInputs(route.declared, raw);
      const response =
        inputs instanceof Promise
          ? inputs.then((settled) => this.#answer(route, settled, visit))
          : this.#answer(route, inputs, visit);
      if (!(response instanceof Promise)) return response;
      return response.catch((error) => this.#failures.failed(route, error, visit));
    } catch (error) {
      return this.#failures.failed(route, error, visit);
    }
  }

  /** Renders a page again that no request asks for now. False: not known (any more), not wanted, or on its way. */
  refresh(key: CacheKey): boolean {
    const refreshable = this.#refreshables.recall(key);
    if (refreshable === undefined) return false;
    const { route, inputs } = refreshable;
    return this.#options.cache.warm(key, this.#optionsOf(route, inputs, key), (context) =>
      this.#fill(route, inputs, context, key),
    );
  }

  /**
   * Has the page of an address in the cache before anybody asks; resolves when it is there. False: no page answers.
   * Rejects with what the render threw, or when `signal` aborts.
   */
  async warm({
    segments,
    query,
    header,
    signal,
  }: PageAddress & { readonly signal: AbortSignal }): Promise<boolean> {
    const place = await this.#place({ segments, query, header });
    if (place === undefined) return false;
    const { route, inputs, key } = place;
    const options = { ...this.#optionsOf(route, inputs, key), signal, reason: 'warm' as const };
    const outcome = await this.#options.cache.fetch(key, options, (context) =>
      this.#fill(route, inputs, context, key),
    );
    this.#rememberRefreshable(key, { route, inputs }, outcome);
    return true;
  }

  /**
   * Addresses under which these pages can be asked for again, in their order. A key cannot be read back, so an
   * address is made of what the page saw, and counts only if it leads to the same key.
   */
  async addressesOf(keys: readonly CacheKey[]): Promise<string[]> {
    const addresses: string[] = [];
    for (const key of keys) {
      const refreshable = this.#refreshables.recall(key);
      const address = refreshable && addressOf(refreshable);
      if (address === undefined) continue;
      const place = await this.#place({ ...address, header: () => undefined });
      if (place?.key === key) addresses.push(address.text);
    }
    return addresses;
  }

  /** Which page answers an address, and under which key. Undefined: none. Renders nothing. */
  async locate(
    address: PageAddress,
  ): Promise<
    { readonly route: string; readonly key: CacheKey; readonly refreshable: Refreshable } | undefined
  > {
    const place = await this.#place(address);
    return place && { route: place.route.template, key: place.key, refreshable: place };
  }

  async #place({
    segments,
    query,
    header,
  }: PageAddress): Promise<(Refreshable & { readonly key: CacheKey }) | undefined> {
    const match = this.#options.application.router.match(segments);
    if (match === undefined || match.route.page.definition.personal === true) return undefined;
    const inputs = await parseInputs(match.route.declared, { params: match.params, query, header });
    if ('rejected' in inputs) return undefined;
    return { route: match.route, inputs, key: this.#keyOf(match.route, inputs) };
  }

  #answer(route: PageRoute, inputs: Inputs | Rejected, visit: Visit): PageResponse | Promise<PageResponse> {
    if (!('rejected' in inputs)) return this.#cached(route, inputs, visit);
    if (inputs.rejected !== 404) {
      const props = { status: inputs.rejected, id: this.#failures.idOf(visit), detail: inputs.reason };
      return this.#failures.failure(route, props, [], visit);
    }
    const { notFound } = this.#options.application;
    const own = parseInputs(notFound.declared, { params: {}, query: '', header: visit.request.header });
    return own instanceof Promise
      ? own.then((settled) => this.#cached(notFound, accepted(settled), visit))
      : this.#cached(notFound, accepted(own), visit);
  }

  /** The guards first: before a schema has looked at the address, a tier at its key, or a condition at an ETag. */
  async #forVisitor(route: PageRoute, raw: RawInputs, visit: Visit): Promise<PageResponse> {
    const { admission, personal } = this.#options;
    const { request } = visit;
    const arrival = visit.arrival;
    if (arrival === undefined || admission === undefined || personal === undefined)
      throw new Error(
        `${route.template} needs a visitor, and this server was started without sessions and guards.`,
      );
    const refusal = await admission.refuse(route, { params: raw.params, arrival }, request.id);
    if (refusal !== undefined) return this.#personal(route, refusal, visit);
    const inputs = await parseInputs(route.declared, raw);
    const isPersonal = route.page.definition.personal === true && !('rejected' in inputs);
    if (isPersonal) {
      const { signal: gone } = visit.visitor;
      return this.#personal(route, await personal.render({ route, inputs, arrival, gone }), visit);
    }
    const response = await this.#answer(route, inputs, visit);
    if (!('rejected' in inputs)) return { ...response, guarded: true };
    // The page of what is not there is everybody's. As the answer to this address it is no cache's.
    return { ...response, entry: forOneVisitor(response.entry, undefined), guarded: true };
  }

  /**
   * Compressed only for a visitor who comes from this site: what a page of another site asked for may hold its guess beside what
   * is secret, and lengths tell which guess was right (BREACH).
   */
  async #personal({ template }: PageRoute, made: PageEntry, { request }: Visit): Promise<PageResponse> {
    const site = request.header('sec-fetch-site');
    const isElsewhere = site === 'cross-site' || site === 'same-site';
    const entry = await this.#encodings.ready(made, isElsewhere ? 'identity' : request.encoding, undefined);
    return { entry, route: template, key: undefined, outcome: undefined, vary: [], personal: true };
  }

  #cached(route: PageRoute, inputs: Inputs, visit: Visit): PageResponse | Promise<PageResponse> {
    const key = this.#keyOf(route, inputs);
    const hit = visit.request.bypass === true ? undefined : this.#options.cache.hit(key);
    return hit === undefined
      ? this.#fetch(route, inputs, key, visit)
      : this.#encoded(route, inputs, key, hit, visit);
  }

  #fetch(
    route: PageRoute,
    inputs: Inputs,
    key: CacheKey,
    visit: Visit,
  ): PageResponse | Promise<PageResponse> {
    if (route.page.definition.shell !== undefined) return this.#fetchStreamed(route, inputs, key, visit);
    const options = this.#fetchOptions(route, inputs, key, visit);
    const fetched = this.#options.cache.fetch(key, options, (context) =>
      this.#fill(route, inputs, context, key),
    );
    return andThen(fetched, (outcome) => this.#fetched(route, inputs, key, outcome, visit));
  }

  /** Of a page with a shell, which the visitor is told of meanwhile. */
  async #fetchStreamed(route: PageRoute, inputs: Inputs, key: CacheKey, visit: Visit): Promise<PageResponse> {
    const { onShell } = visit.visitor;
    const options = this.#fetchOptions(route, inputs, key, visit);
    let isOwn = false;
    const stopListening =
      onShell === undefined ? undefined : this.#shells.wait(key, (shell) => onShell(shell, !isOwn));
    const fill = (context: FillContext) => {
      isOwn = true;
      return this.#fill(route, inputs, context, key);
    };
    try {
      const outcome = await this.#options.cache.fetch(key, options, fill);
      return await this.#fetched(route, inputs, key, outcome, visit);
    } finally {
      stopListening?.();
    }
  }

  #fetched(
    route: PageRoute,
    inputs: Inputs,
    key: CacheKey,
    outcome: Outcome<PageEntry>,
    visit: Visit,
  ): PageResponse | Promise<PageResponse> {
    if (outcome.error !== undefined && !(outcome.error instanceof OverloadedError))
      this.#failures.tellOfOlder(route, outcome.error);
    return this.#encoded(route, inputs, key, outcome, visit);
  }

  #encoded(
    route: PageRoute,
    inputs: Inputs,
    key: CacheKey,
    outcome: Outcome<PageEntry>,
    visit: Visit,
  ): PageResponse | Promise<PageResponse> {
    const group = route.template;
    this.#rememberRefreshable(key, { route, inputs }, outcome);
    const place = { key, group, again: outcome.result !== 'miss' };
    const { vary } = route.policy;
    const of = route.declared.variants;
    const variants = of && { of, chosen: inputs.variants };
    const keyNow = visit.hasInputs ? this.#keyLater(visit.request, inputs) : undefined;
    const respond = (entry: PageEntry) => ({ entry, route: group, key, outcome, vary, variants, keyNow });
    const entry = this.#encodings.ready(outcome.value, visit.request.encoding, place);
    return entry instanceof Promise ? entry.then(respond) : respond(entry);
  }

  /** What is kept nowhere cannot be purged. */
  #rememberRefreshable(
    key: CacheKey,
    refreshable: Refreshable,
    { stored, result }: Outcome<PageEntry>,
  ): void {
    if (refreshable.route.policy.refresh && (stored || result !== 'miss'))
      this.#refreshables.remember(key, refreshable);
  }

  /** Holds nothing of the request but its target. Who asks has found that the same variants are wanted, of the same host. */
  #keyLater({ segments, query }: PageRequest, { variants, host }: Inputs): () => CacheKey | undefined {
    const { router, notFound } = this.#options.application;
    const header = (name: string) => (name === 'host' ? host?.name : undefined);
    return () => {
      const match = router.match(segments);
      if (match === undefined) return undefined;
      try {
        const inputs = parseInputs(match.route.declared, { params: match.params, query, header });
        if (inputs instanceof Promise) return undefined;
        if (!('rejected' in inputs)) return this.#keyOf(match.route, inputs, variants);
        return inputs.rejected === 404 ? this.#keyOf(notFound, { ...NO_INPUTS, variants, host }) : undefined;
      } catch {
        return undefined;
      }
    };
  }

  #keyOf(
    route: PageRoute,
    { params, query, headers, variants, host }: Inputs,
    given: Chosen = variants,
  ): CacheKey {
    const { build } = this.#options.application;
    const chosen = route.declared.variants === undefined ? undefined : given;
    return pageKey({ build, page: route.template, params, query, variants: headers, chosen, host });
  }

  #optionsOf(route: PageRoute, inputs: Inputs, key: CacheKey) {
    const { hardTimeoutMs, softTimeoutMs } = this.#options.timeouts;
    const { renderTimeoutMs: limitMs = hardTimeoutMs, shell } = route.page.definition;
    return {
      group: route.template,
      pin: route.policy.static,
      neverKept: route.policy.ttlMs === 0,
      hardTimeoutMs: limitMs,
      softTimeoutMs: Math.min(softTimeoutMs, limitMs),
      ...(shell !== undefined && {
        onFollow: (over: StopSignal) => this.#offerShell(route, inputs, key, over),
      }),
    };
  }

  /** Of a request. Its visitor is listened to only where it has to wait. */
  #fetchOptions(route: PageRoute, inputs: Inputs, key: CacheKey, visit: Visit): FetchOptions {
    return {
      ...this.#optionsOf(route, inputs, key),
      bypass: visit.request.bypass === true,
      get signal() {
        return visit.visitor.signal;
      },
    };
  }

  /** Another process renders the page. Its shell needs nothing that `load` reads, so visitors here get one made here. */
  #offerShell(route: PageRoute, inputs: Inputs, key: CacheKey, over: StopSignal): void {
    if (over.aborted) return;
    const make = async () => {
      const { renderer, trace = untraced } = this.#options;
      const shell = await inEmptyContext(trace, () => renderer.shell(route, inputs, over));
      if (shell !== undefined && !over.aborted) this.#shells.announce(key, shell);
    };
    // Where the layout fails the render does, too, and tells of it.
    this.#shells.offer(key, () => void make().catch(() => {}));
    over.addEventListener('abort', () => this.#shells.forget(key), { once: true });
  }

  #fill(
    route: PageRoute,
    inputs: Inputs,
    context: FillContext,
    key: CacheKey,
  ): Eventually<Filled<PageEntry>> {
    const { renderer, trace = untraced } = this.#options;
    if (route.page.definition.shell === undefined)
      return inEmptyContext(trace, () => renderer.fill(route, inputs, context));
    const announce = (shell: Shell) => this.#shells.announce(key, shell);
    return finishing(
      () => inEmptyContext(trace, () => renderer.fill(route, inputs, context, announce)),
      () => this.#shells.forget(key),
    );
  }
}

/** _404 has no parameters that could be rejected. */
function accepted(inputs: Inputs | Rejected): Inputs {
  return 'rejected' in inputs ? NO_INPUTS : inputs;
}

function isForVisitors({ guards, page }: PageRoute): boolean {
  return guards.length > 0 || page.definition.personal === true;
}

function hasInputs({ declared: { params, query, host } }: PageRoute): boolean {
  return Object.keys(params).length > 0 || Object.keys(query).length > 0 || host?.isInput === true;
}
