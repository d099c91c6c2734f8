// One state of an application under development, from load to answer: as a render worker wires it, without a cache, with
// ears for what its author should know.
import { randomBytes } from 'node:crypto';
import type { Config } from '../../../config/config.ts';
import type { PageEntry } from '../../cache/entry.ts';
import { systemClock } from '../../core/clock.ts';
import type { Database } from '../../data/read/database.ts';
import { EndpointHandler } from '../../http/endpoint/endpoint-handler.ts';
import { FormHandler } from '../../http/form-handler.ts';
import { RequestHandler } from '../../http/handler.ts';
import { DEFAULT_LIMITS } from '../../http/limits/limits.ts';
import { TrustProxy } from '../../http/request/trust-proxy.ts';
import { EncodingChoice } from '../../http/response/negotiate.ts';
import { StaticFiles } from '../../http/static.ts';
import { Fragments } from '../../page/render/fragments.ts';
import { PageRenderer } from '../../page/render/renderer.ts';
import { PageActions } from '../../page/request/actions.ts';
import { Admission } from '../../page/request/admission.ts';
import { Endpoints } from '../../page/request/endpoints.ts';
import { PersonalPages } from '../../page/request/personal.ts';
import { PagePipeline } from '../../page/request/pipeline.ts';
import { Visitors } from '../../visitor/visitors.ts';
import type { DatabaseAdvice } from './advice.ts';
import type { Failure } from './failure.ts';
import { failuresOf } from './failures.ts';
import { whyNotKept } from './kept-because.ts';
import { NoCache } from './no-cache.ts';
import type { Notices } from './notices.ts';
import type { SourceApplication } from './source-application.ts';
import { watched } from './watched-db.ts';

export interface DevSiteOptions {
  readonly source: SourceApplication;
  readonly config: Config;
  readonly project: string;
  readonly database: Database;
  readonly advice: DatabaseAdvice;
  readonly notices: Notices;
  readonly onFailure: (route: string | undefined, failure: Failure) => void;
}

export interface DevSite {
  readonly handler: RequestHandler;
  close(): Promise<void>;
}

export function openDevSite(options: DevSiteOptions): DevSite {
  const { source, config, project, database, advice, notices, onFailure } = options;
  const { application } = source;
  const clock = systemClock;
  const log = notices.asLogger();
  const timeouts = { hardTimeoutMs: config.renderTimeoutMs, softTimeoutMs: config.renderTimeoutMs };
  const sources = {
    readScopes: watched(database, {
      project,
      notices,
      onStatement: (statement) => void advice.look(statement),
    }),
    fetch: globalThis.fetch,
  };
  const fragments = new Fragments({ build: application.build, sources, clock, timeouts });
  const { publicOrigin } = config;
  const renderer = new PageRenderer({
    application,
    sources,
    fragments,
    clock,
    log,
    publicOrigin,
    aroundFailures: failuresOf({ project, fileOf: source.fileOf, onFailure }),
  });
  const cache = new NoCache<PageEntry>((rendered) => {
    const text = whyNotKept(rendered);
    if (text !== undefined) notices.tell({ topic: 'not-kept', place: undefined, text });
  });
  const common = { application, renderer, clock, log, newId, random: Math.random, showErrors: true };
  const stamp = () => ({ epoch: '', seq: 0 });
  const { readScopes } = sources;
  const forVisitors = { application, renderer, readScopes, timeouts, clock, stamp, newId };
  const admission = new Admission({ ...forVisitors, timeoutMs: config.renderTimeoutMs });
  const personal = new PersonalPages(forVisitors);
  const pipeline = new PagePipeline({ ...common, admission, personal, cache, timeouts });
  application.variants.log = log;
  const serving = {
    writing: {
      writeScope: (signal: AbortSignal) => database.writeScope(signal),
      // Nothing is kept, so what is committed is what the next request shows.
      visible: async () => ({ applied: true as const, workers: 1 }),
    },
    fetch: globalThis.fetch,
    timeoutMs: config.renderTimeoutMs,
  };
  const { maxBodyBytes } = DEFAULT_LIMITS;
  const actions = new PageActions({ ...common, ...serving, admission, stamp });
  const endpoints = new EndpointHandler({
    routes: application.router,
    admission,
    endpoints: new Endpoints({ ...common, ...serving }),
    failurePages: (props) => renderer.failure(props, []),
    maxBodyBytes,
    publicOrigin,
    documentPolicy: application.security.plain,
    now: () => clock.now(),
    newId,
  });
  const handler = new RequestHandler({
    pipeline,
    endpoints,
    actions: new FormHandler({ actions, maxBodyBytes, publicOrigin }),
    files: new StaticFiles(application.files, application.security.plain),
    encodings: new EncodingChoice(),
    limits: DEFAULT_LIMITS,
    clock,
    log,
    visitors: new Visitors({ declaration: application.session, secret: config.sessionSecret, clock }),
    // Whom it answers was asked before (dev-server.ts).
    trustProxy: new TrustProxy({ publicOrigin }),
  });
  return { handler, close: () => pipeline.close() };
}

function newId(): string {
  return randomBytes(6).toString('hex');
}
