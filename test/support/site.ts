// A whole site in the test's own process: real server, real pipeline, real cache, on a free port.

import type { Cached, FragmentEntry, PageEntry } from '../../src/cache/entry.ts';
import { MemoryTier } from '../../src/cache/memory/memory.ts';
import { type Weigh, weighFragment, weighPage } from '../../src/cache/memory/weight.ts';
import { Background } from '../../src/cache/render/background.ts';
import type { FlightCoordinator } from '../../src/cache/render/flights.ts';
import type { Tier } from '../../src/cache/shared/tier.ts';
import { CacheStack, type StackOptions } from '../../src/cache/stack/stack.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { EndpointHandler } from '../../src/http/endpoint/endpoint-handler.ts';
import { HitPath } from '../../src/http/fast-path/fast-path.ts';
import { FormHandler } from '../../src/http/form-handler.ts';
import { RequestHandler } from '../../src/http/handler.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/http/limits/limits.ts';
import { AccessLog, type AccessLogOptions } from '../../src/http/observability/access-log.ts';
import { RequestLog } from '../../src/http/observability/request-log.ts';
import type { HttpUsage } from '../../src/http/observability/usage.ts';
import { DebugToken } from '../../src/http/request/debug-token.ts';
import { TrustProxy, type TrustProxyOptions } from '../../src/http/request/trust-proxy.ts';
import { EncodingChoice } from '../../src/http/response/negotiate.ts';
import { PageServer } from '../../src/http/server.ts';
import { StaticFiles } from '../../src/http/static.ts';
import { PurgeClock } from '../../src/invalidation/clock/clock.ts';
import type { Dependencies } from '../../src/invalidation/graph/dependencies.ts';
import { type Application, assemble } from '../../src/page/application/application.ts';
import type { KeptAssets } from '../../src/page/application/kept-assets.ts';
import type { PublicFiles } from '../../src/page/application/public-files.ts';
import { hasHoles } from '../../src/page/definitions/hole.ts';
import type { ApplicationSettings } from '../../src/page/definitions/settings.ts';
import { FailedReads } from '../../src/page/render/failed-reads.ts';
import { Fragments } from '../../src/page/render/fragments.ts';
import { RenderNotices } from '../../src/page/render/notices.ts';
import type { ReadScopes } from '../../src/page/render/render-context.ts';
import { PageRenderer } from '../../src/page/render/renderer.ts';
import { PageActions, type Writing } from '../../src/page/request/actions.ts';
import { Admission } from '../../src/page/request/admission.ts';
import { Endpoints } from '../../src/page/request/endpoints.ts';
import { HoleFiller } from '../../src/page/request/hole-filler.ts';
import { PersonalPages } from '../../src/page/request/personal.ts';
import { PagePipeline } from '../../src/page/request/pipeline.ts';
import type { SessionDeclaration } from '../../src/visitor/declaration.ts';
import type { Throttle } from '../../src/visitor/throttle/throttle.ts';
import { Visitors } from '../../src/visitor/visitors.ts';

import { LogLines } from './log-lines.ts';

export interface SiteOptions {
  /** Default exports by file name below pages/. */
  readonly pages?: Readonly<Record<string, unknown>>;
  /** Exports of other names, by file name. */
  readonly named?: Readonly<
    Record<string, { readonly page?: unknown; readonly resource?: unknown; readonly endpoint?: unknown }>
  >;
  readonly application?: Application;
  /** Of app.ts, for `pages`. */
  readonly settings?: ApplicationSettings;
  readonly files?: PublicFiles;
  /** Files of other builds. */
  readonly assets?: KeptAssets;
  readonly readScopes?: ReadScopes;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  readonly showErrors?: boolean;
  readonly publicOrigin?: string;
  readonly trustProxy?: TrustProxyOptions;
  /** Requests have ids then, and these get lines. */
  readonly accessLog?: Pick<AccessLogOptions, 'mode' | 'share' | 'random'>;
  readonly fragmentCache?: boolean;
  /** Below memory, for pages. */
  readonly shared?: readonly Tier<PageEntry>[];
  /** Agreement about pages with other sites that have the same tiers. */
  readonly flights?: FlightCoordinator;
  readonly usage?: HttpUsage;
  /** Of memory, for each kind of entry. */
  readonly cacheBytes?: number;
  readonly hardTimeoutMs?: number;
  readonly debugToken?: string;
  readonly surrogateKeys?: boolean;
  /** What actions write with. Without it no page takes a form. */
  readonly writing?: Writing;
  readonly maxRunningActions?: number;
  readonly session?: SessionDeclaration;
  readonly sessionSecret?: string;
  readonly throttle?: Throttle;
  /** Log what personal failures say. */
  readonly personalErrors?: boolean;
  /** Sweeps and refreshes after a purge, and closes over declared edges. */
  readonly dependencies?: Dependencies;
}

/** Of sessions, unless a test has its own. */
const SECRET = 'a-secret-of-the-tests-which-no-other-server-has';

export type Site = Awaited<ReturnType<typeof startSite>>;

/** For pages that read nothing. */
const noDatabase: ReadScopes = {
  readScope: () => {
    const refuse = () => Promise.reject(new Error('This test has no database.'));
    return { query: refuse, one: refuse, many: refuse, byId: refuse, paginate: refuse };
  },
};

/** For actions that write nothing. */
export const noWriting: Writing = {
  writeScope: () => {
    const refuse = () => Promise.reject(new Error('This test has no database.'));
    return { ...noDatabase.readScope({} as never), transaction: refuse, stream: () => refuse() as never };
  },
  visible: () => Promise.reject(new Error('This test has no database.')),
};

export async function startSite(options: SiteOptions) {
  const { clock = systemClock, files, readScopes = noDatabase, hardTimeoutMs = 5000 } = options;
  const log = new LogLines();
  const modules = Object.entries(options.pages ?? {}).map(([file, exported]) => ({
    file,
    exported,
    ...(options.named?.[file] && { named: options.named[file] }),
  }));
  const application =
    options.application ??
    assemble({
      modules,
      build: 'b1',
      ...(files && { files }),
      ...(options.settings && { settings: options.settings }),
    });
  const purges = new PurgeClock({ epoch: 'e1', slots: 65_536 });
  const { dependencies } = options;
  const stack = <V extends Cached>(
    kind: 'page' | 'fragment',
    weigh: Weigh<V>,
    others: Pick<StackOptions<V>, 'shared' | 'flights'> = {},
  ) => {
    const maxBytes = options.cacheBytes ?? 10e6;
    const tierObserver = dependencies && { tierObserver: dependencies.tierObserver(kind) };
    const background = new Background({ maxRunning: 2, maxQueued: 10 });
    const common = { clock, validity: purges, weigh };
    const memory = new MemoryTier({ ...common, maxBytes, maxPinnedBytes: maxBytes, ...tierObserver });
    const own = { clock, log, validity: purges, memory, background, negativeTtlMs: 0 };
    return new CacheStack<V>({ ...own, ...others });
  };
  const cache = stack<PageEntry>('page', weighPage, {
    ...(options.shared && { shared: options.shared }),
    ...(options.flights && { flights: options.flights }),
  });
  const fragmentCache =
    options.fragmentCache === true ? stack<FragmentEntry>('fragment', weighFragment) : undefined;
  const sources = {
    readScopes,
    fetch: globalThis.fetch,
    ...(dependencies && { declared: dependencies.graph }),
  };
  const timeouts = { hardTimeoutMs, softTimeoutMs: 1000 };
  const failedReads = new FailedReads(log);
  const notices = new RenderNotices(log);
  const fragments = new Fragments({
    failedReads,
    notices,
    build: application.build,
    sources,
    clock,
    timeouts,
    cache: fragmentCache,
  });
  const { publicOrigin, surrogateKeys = false } = options;
  const renderer = new PageRenderer({
    failedReads,
    notices,
    application,
    sources,
    fragments,
    clock,
    log,
    publicOrigin,
    surrogateKeys,
  });
  let ids = 0;
  const newId = () => `id${++ids}`;
  const { showErrors = false, personalErrors = false } = options;
  const stamp = () => purges.stamp();
  const forVisitors = { application, renderer, readScopes, timeouts, clock, stamp, newId };
  const admission = new Admission({ ...forVisitors, timeoutMs: hardTimeoutMs });
  const holes = new HoleFiller({ sources, fragments, clock, log, notices });
  const pipeline = new PagePipeline({
    admission,
    personal: new PersonalPages(forVisitors),
    application,
    cache,
    renderer,
    timeouts,
    clock,
    log,
    newId,
    random: () => 0,
    showErrors,
    personalErrors,
  });
  dependencies?.attach('page', {
    dropPurged: (key) => cache.dropPurged(key),
    refresh: (key) => pipeline.refresh(key),
  });
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  application.variants.log = log;
  const encodings = new EncodingChoice();
  const trustProxy = new TrustProxy(options.trustProxy);
  const accessLog = options.accessLog;
  const access = accessLog && new AccessLog({ ...accessLog, log, clock });
  const requests = access && new RequestLog({ access, trustProxy, clock, newId });
  const hits = new HitPath({
    cache,
    clock,
    encodings,
    maxBytes: 1e6,
    trustProxy,
    captures: hasHoles() ? [...application.variants.headers, 'cookie'] : application.variants.headers,
    byHost: application.host !== undefined,
    ...(access && { access }),
  });
  const actions =
    options.writing &&
    new PageActions({
      application,
      renderer,
      admission,
      throttle: options.throttle,
      writing: options.writing,
      fetch: globalThis.fetch,
      stamp: () => purges.stamp(),
      clock,
      log,
      newId,
      random: () => 0,
      showErrors,
      personalErrors,
      timeoutMs: hardTimeoutMs,
      ...(options.maxRunningActions !== undefined && { maxRunning: options.maxRunningActions }),
    });
  const { session: declaration = application.session } = options;
  const visitors = new Visitors({ declaration, secret: options.sessionSecret ?? SECRET, clock });
  const endpoints = new EndpointHandler({
    routes: application.router,
    admission,
    endpoints: new Endpoints({
      writing: options.writing ?? noWriting,
      fetch: globalThis.fetch,
      clock,
      log,
      random: () => 0,
      showErrors,
      personalErrors,
      timeoutMs: hardTimeoutMs,
      ...(options.maxRunningActions !== undefined && { maxRunning: options.maxRunningActions }),
    }),
    failurePages: (props) => renderer.failure(props, []),
    maxBodyBytes: limits.maxBodyBytes,
    publicOrigin,
    documentPolicy: application.security.plain,
    now: () => clock.now(),
    newId,
  });
  const handler = new RequestHandler({
    holes,
    endpoints,
    visitors,
    ...(actions && {
      actions: new FormHandler({ actions, maxBodyBytes: limits.maxBodyBytes, publicOrigin, holes }),
    }),
    pipeline,
    files: new StaticFiles(application.files, application.security.plain, options.assets),
    encodings,
    limits,
    clock,
    log,
    learner: hits,
    debugToken: new DebugToken(options.debugToken),
    trustProxy,
    requests,
    usage: options.usage,
  });
  const server = new PageServer({ handler, clock, limits });
  hits.attach(server.http);
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
  const origin = `http://127.0.0.1:${port}`;
  return {
    port,
    origin,
    log,
    server,
    handler,
    pipeline,
    renderer,
    cache,
    fragmentCache,
    hits,
    holes,
    purge: (...keys: string[]) => {
      const seq = purges.seq + 1;
      purges.apply(seq, keys, 'purge');
      dependencies?.purge({ epoch: purges.epoch, seq, kind: 'purge', keys });
    },
    drain: (deadlineMs: number) => {
      hits.stop();
      return server.drain(deadlineMs);
    },
    close: async () => {
      hits.stop();
      await server.close();
      await pipeline.close();
    },
  };
}
