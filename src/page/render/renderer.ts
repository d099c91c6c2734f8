// One render of a page: load, view, document, bytes. Every outcome of it is an entry; only failures throw.

import type { FillContext, Filled } from '../../cache/contract.ts';
import type { Header, PageEntry } from '../../cache/entry.ts';
import type { Clock } from '../../core/clock.ts';
import { andThen, type Eventually, finishing, settledOf } from '../../core/eventually.ts';
import type { Logger } from '../../core/log.ts';
import { type StopSignal, throwIfStopped } from '../../core/stop.ts';
import { type Tracing, untraced } from '../../core/trace.ts';
import type { UnheardRejections } from '../../core/unheard-rejections.ts';
import type { Stamp } from '../../core/units.ts';
import { withoutWords } from '../../core/withheld-error.ts';
import type { Node } from '../../render/element.ts';
import type { FragmentCall } from '../../render/fragment-call.ts';
import { type RenderOptions, render, renderToBuffer } from '../../render/render.ts';
import { trusted } from '../../render/trust.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import type { Application, PageRoute } from '../application/application.ts';
import { type Inputs, NO_INPUTS } from '../application/inputs.ts';
import { completePolicy, isStored } from '../application/policy.ts';
import type { Feedback } from '../definitions/action.ts';
import { scriptHash } from '../definitions/content-security.ts';
import { HoleUse } from '../definitions/hole.ts';
import { type HostInput, originOf } from '../definitions/host-input.ts';
import { isNotFound, isRedirect } from '../definitions/outcome.ts';
import type { AnyResource } from '../definitions/resource.ts';
import type { Chosen } from '../definitions/variants.ts';
import type { FailedRead } from './dependency-recorder.ts';
import { type DocumentParts, documentNode } from './document.ts';
import { FailedReads } from './failed-reads.ts';
import { FailurePage, type FailureProps, type RenderFailure } from './failure-page.ts';
import type { Fragments } from './fragments.ts';
import { HoleMarks, insideHole, scriptInHole } from './hole-marks.ts';
import { RenderNotices } from './notices.ts';
import { ownHeaders, ownStatus } from './own-headers.ts';
import { type Finished, makeEntry } from './page-entry.ts';
import { problem } from './problem.ts';
import { safeLocation } from './redirect.ts';
import { RenderContext, type Sources } from './render-context.ts';
import { renderResource, resourceProblem } from './resource-body.ts';
import type { Shell, ShellListener } from './shells.ts';
import type { RenderUsage } from './usage.ts';
import { visitorReadScopes } from './visitor-db.ts';

export interface PageRendererOptions {
  readonly application: Application;
  readonly sources: Sources;
  readonly fragments: Fragments;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publicOrigin?: string | undefined;
  /** Send Surrogate-Key and Cache-Groups with every page that is kept. */
  readonly surrogateKeys?: boolean;
  readonly usage?: RenderUsage | undefined;
  readonly failedReads?: FailedReads;
  /** Told whose work it is that goes on. */
  readonly rejections?: UnheardRejections | undefined;
  /** Told of what was left out of a page. Its own unless given. */
  readonly notices?: RenderNotices;
  readonly trace?: Tracing;
  /** Stands before the application's own page for failures, which it is given. */
  readonly aroundFailures?: (own: RenderFailure) => RenderFailure;
}

const NEVER_STORED = completePolicy('an error', { ttlMs: 0, staleWhileRevalidateMs: 0 });
/** Where the page's content will stand. Data cannot look like it: `<` in data is escaped. */
const HERE = trusted('<!--coherent:content-->');
const NO_STAMP: Stamp = Object.freeze({ epoch: '', seq: 0 });

/** What a page's `load` answered, and what goes with it. */
interface Loaded {
  readonly props: unknown;
  readonly status: number;
  readonly shell: MarkedShell | undefined;
  readonly feedback: Feedback | undefined;
}

export class PageRenderer {
  readonly #options: PageRendererOptions;
  readonly #trace: Tracing;
  readonly #untracked = new Set<string>();
  readonly #failedReads: FailedReads;
  readonly #notices: RenderNotices;
  readonly #renderFailure: RenderFailure;

  constructor(options: PageRendererOptions) {
    this.#options = options;
    this.#failedReads = options.failedReads ?? new FailedReads(options.log);
    this.#trace = options.trace ?? untraced;
    this.#notices = options.notices ?? new RenderNotices(options.log);
    const failures = new FailurePage({
      ...options,
      document: (parts, renderContext, resolveFragment) =>
        this.#document(parts, renderContext, resolveFragment),
    });
    const own: RenderFailure = (props, headers) => failures.render(props, headers);
    this.#renderFailure = options.aroundFailures?.(own) ?? own;
  }

  /** Renders `route` from its inputs; `announce` is told the shell of one that has one. Rejects with what `load` or `view` threw, or the signal's reason. */
  fill(
    route: PageRoute,
    inputs: Inputs,
    context: FillContext,
    announce?: ShellListener,
  ): Eventually<Filled<PageEntry>> {
    if (!this.#trace.isOn) return this.#counted(route, inputs, context, announce);
    const { template } = route;
    const attributes = { 'http.route': template, 'coherent.render.reason': context.reason };
    const apart = context.reason !== 'miss';
    return this.#trace.span({ name: `render ${template}`, kind: 'internal', attributes, apart }, () =>
      this.#counted(route, inputs, context, announce),
    );
  }

  #counted(
    route: PageRoute,
    inputs: Inputs,
    context: FillContext,
    announce: ShellListener | undefined,
  ): Eventually<Filled<PageEntry>> {
    const { clock, sources, usage, rejections } = this.#options;
    const { stamp, signal } = context;
    const renderContext = new RenderContext({ stamp, signal, nowMs: clock.now() }, sources);
    renderContext.measured.watch = usage?.componentWatch();
    const startedMs = clock.monotonic();
    const ended = (filled: Filled<PageEntry> | undefined) => {
      rejections?.ended(route.template);
      const { loadedAtMs } = renderContext.measured;
      usage?.rendered({
        kind: 'page',
        name: route.template,
        durationMs: clock.monotonic() - startedMs,
        reason: context.reason,
        loadMs: loadedAtMs === undefined ? null : loadedAtMs - startedMs,
        htmlBytes: filled?.value.identity.length ?? 0,
        dependencies: filled?.value.keys.length ?? 0,
        failed: filled === undefined,
      });
    };
    rejections?.began(route.template);
    return finishing(() => this.#fill(route, inputs, context, renderContext, announce), ended);
  }

  #fill(
    route: PageRoute,
    inputs: Inputs,
    context: FillContext,
    renderContext: RenderContext,
    announce: ShellListener | undefined,
  ): Eventually<Filled<PageEntry>> {
    const status = route === this.#options.application.notFound ? 404 : 200;
    return andThen(this.#page(route, inputs, renderContext, status, { announce }), (finished) =>
      this.#entry(route, context, renderContext, finished),
    );
  }

  #entry(
    route: PageRoute,
    { signal, stamp, reason }: FillContext,
    renderContext: RenderContext,
    finished: Finished,
  ): Eventually<Filled<PageEntry>> {
    const { clock, surrogateKeys = false } = this.#options;
    // The cache takes nothing of an aborted render, which may lack anything; this spares the compression.
    throwIfStopped(signal);
    renderContext.settle();
    this.#failedReads.tell(route.template, renderContext.failed);
    this.#tellUntracked(route, renderContext);
    const { policy } = route;
    const store = isStored(policy, finished.status);
    const origin = {
      keys: renderContext.keys,
      stamp,
      sinceMs: renderContext.sinceMs,
      nowMs: clock.now(),
      limitMs: renderContext.freshUntilMs,
      policy,
      surrogateKeys: surrogateKeys && store && !policy.guarded,
      incomplete: renderContext.isIncomplete,
    };
    const filled = (value: PageEntry): Filled<PageEntry> => {
      if (finished.status !== 200) return { value, store, cost: 'unlike' };
      return renderContext.asksOthers ? { value, store, cost: 'dear' } : { value, store };
    };
    return andThen(makeEntry(finished, origin, reason === 'miss'), filled);
  }

  /** The shell alone. Undefined where the page has none. Rejects with what it or the layout threw, or the signal's reason. */
  async shell(route: PageRoute, inputs: Inputs, signal: StopSignal): Promise<Shell | undefined> {
    const { clock, sources } = this.#options;
    if (route.page.definition.shell === undefined) return undefined;
    const renderContext = new RenderContext({ stamp: NO_STAMP, signal, nowMs: clock.now() }, sources);
    return (await this.#shell(route, inputs, renderContext))?.shell;
  }

  /** The answer for a failure, never stored. Never rejects: when the application's own page fails, a plain one. */
  async failure(props: FailureProps, headers: readonly Header[]): Promise<PageEntry> {
    return this.#unstored(await this.#renderFailure(props, headers));
  }

  /** The answer of a resource for a failure, never stored. */
  problem(
    resource: AnyResource,
    { status, id, detail }: FailureProps,
    headers: readonly Header[],
  ): Eventually<PageEntry> {
    const told = resourceProblem(resource, status, problem({ status, id, detail }));
    return this.#unstored({ ...told, headers: [...told.headers, ...headers] });
  }

  /**
   * The page once more for a visitor whose form could not be taken; without feedback, the page of what is not there. `visitor`: where
   * the page is personal. Never stored. Rejects as `fill` does.
   */
  async again(
    route: PageRoute,
    inputs: Inputs,
    context: RenderOnce,
    feedback: Feedback | undefined,
    visitor?: RenderedVisitor,
  ): Promise<PageEntry> {
    const status = feedback === undefined ? 404 : 422;
    const renderContext = this.#renderContext(context, visitor);
    const finished = await this.#page(route, inputs, renderContext, status, { feedback, visitor });
    throwIfStopped(context.signal);
    return this.#unstored(finished);
  }

  /** A personal page for its visitor. Never stored. Rejects as `fill` does. */
  async personal(
    route: PageRoute,
    inputs: Inputs,
    context: RenderOnce,
    visitor: RenderedVisitor,
  ): Promise<PageEntry> {
    const { clock, usage, rejections } = this.#options;
    const renderContext = this.#renderContext(context, visitor);
    const startedMs = clock.monotonic();
    let entry: PageEntry | undefined;
    rejections?.began(route.template, true);
    try {
      const finished = await this.#page(route, inputs, renderContext, 200, { visitor });
      throwIfStopped(context.signal);
      renderContext.settle();
      this.#failedReads.tell(route.template, renderContext.failed.map(withoutItsWords));
      entry = await this.#unstored(finished);
      return entry;
    } finally {
      rejections?.ended(route.template);
      const { loadedAtMs } = renderContext.measured;
      usage?.rendered({
        kind: 'page',
        name: route.template,
        durationMs: clock.monotonic() - startedMs,
        reason: 'miss',
        loadMs: loadedAtMs === undefined ? null : loadedAtMs - startedMs,
        htmlBytes: entry?.identity.length ?? 0,
        dependencies: 0,
        failed: entry === undefined,
      });
    }
  }

  /** Of a render for one visitor, where there is one: what it reads with begins with their settings. */
  #renderContext(context: RenderOnce, visitor: RenderedVisitor | undefined): RenderContext {
    const { clock, sources } = this.#options;
    const readScopes =
      visitor === undefined ? sources.readScopes : visitorReadScopes(sources.readScopes, visitor);
    const { stamp, signal } = context;
    const personal = visitor !== undefined;
    return new RenderContext({ stamp, signal, nowMs: clock.now(), personal }, { ...sources, readScopes });
  }

  /** To where an action sends its visitor. Errors: `E_REDIRECT`. */
  redirect(status: number, location: string): Eventually<PageEntry> {
    return this.#unstored(
      redirectTo(status, safeLocation(location), this.#options.application.security.plain),
    );
  }

  #unstored(finished: Finished): Eventually<PageEntry> {
    const nowMs = this.#options.clock.now();
    return makeEntry(
      finished,
      {
        keys: [],
        stamp: NO_STAMP,
        sinceMs: nowMs,
        nowMs,
        limitMs: nowMs,
        policy: NEVER_STORED,
        surrogateKeys: false,
        incomplete: false,
      },
      true,
    );
  }

  #page(
    route: PageRoute,
    inputs: Inputs,
    renderContext: RenderContext,
    status: number,
    { announce, feedback, visitor }: Asking = {},
  ): Eventually<Finished> {
    const { definition } = route.page;
    const loading = settledOf(this.#load(route, inputs, renderContext, visitor));
    const body = (shell: MarkedShell | undefined) =>
      andThen(loading, (props) =>
        this.#body(route, inputs, renderContext, { props, status, shell, feedback }),
      );
    if (definition.shell === undefined || feedback !== undefined) return body(undefined);
    // It goes on meanwhile; that it fails is told when it is waited for.
    if (loading instanceof Promise) loading.catch(() => {});
    return andThen(this.#shell(route, inputs, renderContext), (shell) => {
      if (shell !== undefined) announce?.(shell.shell);
      return body(shell);
    });
  }

  /** What is made of what `load` answered. */
  #body(
    route: PageRoute,
    inputs: Inputs,
    renderContext: RenderContext,
    { props, status, shell, feedback }: Loaded,
  ): Eventually<Finished> {
    const { application, clock } = this.#options;
    renderContext.settle();
    renderContext.measured.loadedAtMs = clock.monotonic();
    if (isRedirect(props))
      return redirectTo(props.status ?? 307, safeLocation(props.location), application.security.plain);
    if (isNotFound(props)) {
      if (route.resource !== undefined) return resourceProblem(route.resource, 404, problem({ status: 404 }));
      if (route !== application.notFound) {
        const { variants, host } = inputs;
        return this.#page(application.notFound, { ...NO_INPUTS, variants, host }, renderContext, 404);
      }
      throw new Error('pages/_404 answered notFound() itself.');
    }
    if (route.resource !== undefined) {
      const options = {
        ...this.#renderOptions(route.template, renderContext),
        resolveFragment: this.#options.fragments.resolver(renderContext),
      };
      return renderResource(route.template, route.resource, props, options);
    }
    const { definition } = route.page;
    const own = definition.headers && ownHeaders(route.template, definition.headers(props));
    const given = definition.status && ownStatus(route.template, definition.status(props));
    const shown = feedback === undefined ? (given ?? status) : status;
    return andThen(
      this.#html(route, inputs, renderContext, {
        content: definition.view(props, feedback),
        props,
        around: shell?.marked,
        feedback,
      }),
      (marked) => {
        const { html, holes } = renderContext.holes?.cut(marked) ?? { html: marked, holes: undefined };
        const policy: Header = [
          'content-security-policy',
          application.security.policyFor(renderContext.scripts),
        ];
        const headers = own === undefined ? [policy] : [policy, ...own];
        return { status: shown, html, headers, assets: renderContext.assets, holes };
      },
    );
  }

  #load(
    { template, page }: PageRoute,
    inputs: Inputs,
    renderContext: RenderContext,
    visitor: RenderedVisitor | undefined,
  ): unknown {
    const { definition } = page;
    if (definition.load === undefined) return undefined;
    // The page of what is not there may stand in for a personal one; it is shared, and sees no visitor.
    const seen = definition.personal === true ? visitor?.personal : undefined;
    const given = renderContext.reading({ ...pageInputs(inputs), ...seen });
    if (!this.#trace.isOn) return definition.load(given);
    const attributes = { 'http.route': template };
    return this.#trace.span({ name: `load ${template}`, kind: 'internal', attributes }, () =>
      definition.load?.(given),
    );
  }

  #html(
    route: PageRoute,
    inputs: Inputs,
    renderContext: RenderContext,
    { content, props, around, feedback }: Viewed,
  ): Eventually<Buffer> {
    const { definition } = route.page;
    if (around !== undefined) {
      const { before, after } = around;
      const rendered = renderToBuffer(content, this.#renderOptions(route.template, renderContext));
      return andThen(rendered, (html) => Buffer.concat([before, html, after]));
    }
    const head = definition.shell?.(pageInputs(inputs)) ??
      definition.head?.(props, feedback) ?? { title: '' };
    const { template, layouts } = route;
    return this.#document({ head, content, route: template, layouts, ...placeOf(inputs) }, renderContext);
  }

  /** The document without the page's own content. Undefined where the layout does not show it exactly once. */
  #shell(
    route: PageRoute,
    inputs: Inputs,
    renderContext: RenderContext,
  ): Eventually<MarkedShell | undefined> {
    const { application } = this.#options;
    const head = route.page.definition.shell?.(pageInputs(inputs)) ?? { title: '' };
    const { template, layouts } = route;
    const parts = { head, content: HERE, route: template, layouts, ...placeOf(inputs) };
    return andThen(this.#document(parts, renderContext), (html) => {
      const at = html.indexOf(HERE.toString());
      const from = at + HERE.toString().length;
      if (at === -1 || html.includes(HERE.toString(), from)) return undefined;
      const marked = { before: html.subarray(0, at), after: html.subarray(from) };
      const { holes } = renderContext;
      const shell = {
        before: holes?.cut(marked.before).html ?? marked.before,
        after: holes?.cut(marked.after).html ?? marked.after,
        contentSecurityPolicy: application.security.policyFor(renderContext.scripts),
        vary: route.policy.variesBy,
        cookies: holes?.cookies ?? [],
      };
      return { shell, marked };
    });
  }

  #renderOptions(view: string, renderContext: RenderContext): RenderOptions {
    const { signal, measured } = renderContext;
    return {
      resolveFragment: this.#resolver(renderContext, this.#options.fragments.resolver(renderContext)),
      signal,
      watch: measured.watch,
      tell: this.#notices.of(view, renderContext.personal),
      onScript: (text) => renderContext.scripts.add(scriptHash(text)),
    };
  }

  /** The HTML of what is kept apart: of a fragment, and of a hole its view without a visitor, between marks. */
  #resolver(renderContext: RenderContext, resolve: Resolve): Resolve {
    return (call) => {
      if (!(call.content instanceof HoleUse)) return resolve(call);
      const { hole, props } = call.content;
      const anonymous = render(hole.definition.anonymous(props), {
        resolveFragment: insideHole(hole.name, resolve),
        signal: renderContext.signal,
        watch: renderContext.measured.watch,
        tell: this.#notices.of(`hole ${hole.name}`),
        onScript: () => {
          throw scriptInHole(hole.name);
        },
      });
      renderContext.holes ??= new HoleMarks();
      return renderContext.holes.place(call.content, anonymous);
    };
  }

  #document(
    parts: DocumentParts,
    renderContext: RenderContext,
    resolveFragment?: (call: FragmentCall) => Eventually<string>,
  ): Eventually<Buffer> {
    const { application, publicOrigin } = this.#options;
    const asset = (path: string) => {
      const hashed = application.files.asset(path);
      renderContext.assets.add(hashed);
      return hashed;
    };
    const outer = application.layout === undefined ? [] : [application.layout];
    const layouts = [...outer, ...(parts.layouts ?? [])];
    const origin = parts.host === undefined ? publicOrigin : originOf(parts.host, publicOrigin);
    const node = documentNode(parts, { layouts, asset, publicOrigin: origin });
    const options = this.#renderOptions(parts.route, renderContext);
    if (resolveFragment === undefined) return renderToBuffer(node, options);
    return renderToBuffer(node, {
      ...options,
      resolveFragment: this.#resolver(renderContext, resolveFragment),
    });
  }

  #tellUntracked(route: PageRoute, renderContext: RenderContext): void {
    for (const why of renderContext.untracked) {
      const told = `${route.template} ${why}`;
      if (this.#untracked.has(told) || this.#untracked.size > 1000) continue;
      this.#untracked.add(told);
      this.#options.log.warn(
        { route: route.template, why },
        'this page reads what no purge tells of: it lives by its ttl',
      );
    }
  }
}

type Resolve = (call: FragmentCall) => Eventually<string>;

/** The document around a page's own content, with the marks of its holes. */
interface Around {
  readonly before: Buffer;
  readonly after: Buffer;
}

interface MarkedShell {
  readonly shell: Shell;
  readonly marked: Around;
}

/** What a page is given of its inputs: of the host, what the schema made of it. */
function pageInputs({ params, query, headers, variants, host }: Inputs) {
  return { params, query, headers, variants, host: host?.value ?? '' };
}

function placeOf({ variants, host }: Inputs): {
  readonly variants: Chosen;
  readonly host: HostInput | undefined;
} {
  return { variants, host };
}

function withoutItsWords({ what, error }: FailedRead): FailedRead {
  return { what, error: error === undefined ? undefined : withoutWords(error) };
}

interface Viewed {
  readonly content: Node;
  readonly props: unknown;
  readonly around: Around | undefined;
  readonly feedback: Feedback | undefined;
}

/** Of a render that no other request joins. */
type RenderOnce = Pick<FillContext, 'stamp' | 'signal'>;

/** Of whom a personal page is told. */
type RenderedVisitor = Pick<Arrival, 'personal' | 'rowSettings'>;

interface Asking {
  readonly announce?: ShellListener | undefined;
  readonly feedback?: Feedback | undefined;
  readonly visitor?: RenderedVisitor | undefined;
}

function redirectTo(status: number, location: string, policy: string): Finished {
  const headers: Header[] = [
    ['location', location],
    ['content-security-policy', policy],
  ];
  return { status, html: Buffer.alloc(0), headers };
}
