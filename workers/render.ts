// A render worker: wires the rooms of src/ together and serves pages. Its life:
//
//   start    settings come from the primary; the application is loaded (what is wrong with it ends the start);
//            the port is taken; the primary is told `ready`. A database that is down does not hold this up:
//            pages answer 503 until it is there
//   serve    until the primary says drain
//   drain    the fast path stops (each answer now says `Connection: close`) -> the port is closed, and the primary
//            told -> requests in flight end, or are cut at the deadline, which aborts their renders -> caches ->
//            database
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../src/core/clock.ts';
import { DeadlineWheel } from '../src/core/deadline-wheel.ts';
import { endDeclarations } from '../src/core/declarations.ts';
import { shortIds } from '../src/core/short-ids.ts';
import { catalogKey } from '../src/data/feed/definitions.ts';
import { TRACKED_PUBLICATION } from '../src/data/feed/install-sql.ts';
import { Database } from '../src/data/read/database.ts';
import { FollowedSchema } from '../src/data/record/followed-schema.ts';
import {
  DATABASE_CHANNEL,
  FLIGHTS_CHANNEL,
  PURGES_CHANNEL,
  THROTTLE_CHANNEL,
} from '../src/host-link/messages.ts';
import { HitPath } from '../src/http/fast-path/fast-path.ts';
import { attachProved } from '../src/http/fast-path/self-test.ts';
import { RequestHandler } from '../src/http/handler.ts';
import { DEFAULT_LIMITS } from '../src/http/limits/limits.ts';
import { AccessLog } from '../src/http/observability/access-log.ts';
import { RequestLog } from '../src/http/observability/request-log.ts';
import { RequestTail } from '../src/http/observability/request-tail.ts';
import { HttpUsage } from '../src/http/observability/usage.ts';
import { DebugToken } from '../src/http/request/debug-token.ts';
import { TrustProxy } from '../src/http/request/trust-proxy.ts';
import { EncodingChoice } from '../src/http/response/negotiate.ts';
import { PageServer } from '../src/http/server.ts';
import { StaticFiles } from '../src/http/static.ts';
import { ownerOf } from '../src/invalidation/bus/bus-owner.ts';
import { Dependencies } from '../src/invalidation/graph/dependencies.ts';
import { KeptAssets } from '../src/page/application/kept-assets.ts';
import { loadApplication } from '../src/page/application/load-application.ts';
import { hasHoles } from '../src/page/definitions/hole.ts';
import { FailedReads } from '../src/page/render/failed-reads.ts';
import { Fragments } from '../src/page/render/fragments.ts';
import { RenderNotices } from '../src/page/render/notices.ts';
import { PageRenderer } from '../src/page/render/renderer.ts';
import { tracedFetch } from '../src/page/render/traced-fetch.ts';
import { RenderUsage } from '../src/page/render/usage.ts';
import { Admission } from '../src/page/request/admission.ts';
import { HoleFiller } from '../src/page/request/hole-filler.ts';
import { PersonalPages } from '../src/page/request/personal.ts';
import { PagePipeline } from '../src/page/request/pipeline.ts';
import { Visitors } from '../src/visitor/visitors.ts';
import { openActions } from '../src/worker/actions.ts';
import { applicationFolder } from '../src/worker/application-folder.ts';
import { DatabaseWatch } from '../src/worker/database-watch.ts';
import { explainUrl } from '../src/worker/operations/explain.ts';
import { explainWhy } from '../src/worker/operations/explain-why.ts';
import { answerOperations } from '../src/worker/operations/operations.ts';
import { answerTail } from '../src/worker/operations/tail.ts';
import { guardAgainstOverload } from '../src/worker/overload.ts';
import { createPurgeStream } from '../src/worker/purge-stream.ts';
import { createCaches } from '../src/worker/render-cache.ts';
import { watchCoherence } from '../src/worker/stats/coherence.ts';
import { answerStats } from '../src/worker/stats/worker-stats.ts';
import { openThrottle } from '../src/worker/throttle.ts';
import { tracedLog } from '../src/worker/traced-log.ts';
import { tracing } from '../src/worker/tracing.ts';
import { Warmer } from '../src/worker/warm.ts';
import { openWatchers } from '../src/worker/watchers.ts';
import { connectToPrimary } from '../src/worker/worker-link.ts';

const link = await connectToPrimary();
const { config } = link;
/** Names of requests and failures. */
const newId = shortIds();
const clock = systemClock;

/** Pages that one purge has rendered again at most, without waiting for a request. */
const MAX_REFRESHES = 100;

/** The folder of server.js: dist/ in a build. */
const home = dirname(import.meta.dirname);

const applicationAt = applicationFolder(config.app);
const application = await loadApplication({
  folder: applicationAt,
  serverBuild: version(),
  buildId: config.buildId,
});
endDeclarations();
const visitors = new Visitors({
  declaration: application.session,
  secret: config.sessionSecret,
  clock,
});
const trace = await tracing('coherent-render-server', version());
const log = tracedLog(link.logger, trace);
// Of the host and of this process; the end of it tells processes of other containers apart.
const member = `${hostname()}/${link.slot}/${process.pid}/${randomBytes(3).toString('hex')}`;
const purgeStream = createPurgeStream({ config, clock, logger: log, line: lineTo(PURGES_CHANNEL), member });
const dependencies = new Dependencies({ clock, logger: log, maxRefreshes: MAX_REFRESHES });
purgeStream.bus.subscribe(dependencies);
const overload = guardAgainstOverload({ config, clock, log, onLook: () => caches.relieved() });
const caches = createCaches({
  owner: () => ownerOf(database.identity.current)?.name,
  tells: link.slot === 0,
  slots: overload.slots,
  trace,
  config,
  clock,
  log,
  validity: purgeStream.validity,
  line: lineTo(FLIGHTS_CHANNEL),
  tierObserver: (kind) => dependencies.tierObserver(kind),
});
const coherence = watchCoherence({ config, clock, purgeStream, dependencies, caches });
const schema = new FollowedSchema({
  read: (sql) => database.run(sql),
  publication: config.feed === 'on' ? TRACKED_PUBLICATION : null,
  logger: log,
});
purgeStream.bus.subscribe({
  purge: ({ keys }) => {
    if (keys.includes(catalogKey)) schemaChanged();
  },
  reset: schemaChanged,
});
/** Whatever has to happen in time in this process. */
const wheel = new DeadlineWheel(clock);
const database = new Database({
  wheel,
  connectionString: databaseUrl(config.databaseUrl),
  logger: log,
  clock,
  max: config.dbPoolMax,
  workers: config.workers,
  idleTimeoutMs: config.dbIdleTimeoutMs,
  connectTimeoutMs: config.dbConnectTimeoutMs,
  statementTimeoutMs: config.dbStatementTimeoutMs,
  slowQueryMs: config.slowQueryMs,
  pooler: config.dbPooler,
  observer: schema,
  trace,
});
const databaseWatch = new DatabaseWatch(database, clock, log, () => link.send(DATABASE_CHANNEL, true));
purgeStream.speakOf(database.identity);

const sources = {
  readScopes: database,
  fetch: tracedFetch(trace, globalThis.fetch),
  declared: dependencies.graph,
};
const timeouts = { hardTimeoutMs: config.renderTimeoutMs, softTimeoutMs: config.renderSoftTimeoutMs };
const tail = new RequestTail(clock);
const usage = { http: new HttpUsage(clock, tail), renders: new RenderUsage({ clock, ...config }) };
const failedReads = new FailedReads(log);
const notices = new RenderNotices(log);
const { rejections } = link;
rejections.ofApplication(applicationAt);
rejections.personalErrors = config.logPersonalErrors;
const fragments = new Fragments({
  rejections,
  failedReads,
  notices,
  build: application.build,
  sources,
  clock,
  timeouts,
  cache: caches.fragments,
  usage: usage.renders,
  trace,
});
const renderer = new PageRenderer({
  rejections,
  failedReads,
  notices,
  application,
  sources,
  fragments,
  clock,
  log,
  publicOrigin: config.publicOrigin,
  surrogateKeys: config.surrogateKeys,
  usage: usage.renders,
  trace,
});
const stamp = () => purgeStream.validity.stamp();
const forVisitors = { application, renderer, readScopes: database, timeouts, clock, stamp, newId };
const admission = new Admission({ ...forVisitors, timeoutMs: timeouts.hardTimeoutMs });
const personal = new PersonalPages({ ...forVisitors, slots: overload.slots });
const holes = new HoleFiller({
  sources,
  fragments,
  clock,
  log,
  notices,
  personalErrors: config.logPersonalErrors,
});
const pipeline = new PagePipeline({
  admission,
  personal,
  application,
  cache: caches.pages,
  renderer,
  timeouts,
  clock,
  log,
  newId,
  random: Math.random,
  showErrors: !config.production,
  personalErrors: config.logPersonalErrors,
  trace,
});
dependencies.attach('page', {
  dropPurged: (key) => caches.pages.dropPurged(key),
  refresh: (key) => pipeline.refresh(key),
});
dependencies.attach('fragment', {
  dropPurged: (key) => caches.fragments.dropPurged(key),
  refresh: () => false,
});
application.variants.log = log;
const encodings = new EncodingChoice();
const trustProxy = new TrustProxy(config);
const access = new AccessLog({
  mode: config.accessLog,
  share: config.accessLogSample,
  log,
  clock,
  random: Math.random,
});
const requests = new RequestLog({ access, trustProxy, clock, newId });
const { preparedBytes } = caches;
const hits = new HitPath({
  cache: caches.pages,
  clock,
  encodings,
  maxBytes: preparedBytes,
  trustProxy,
  access,
  tail,
  captures: hasHoles() ? [...application.variants.headers, 'cookie'] : application.variants.headers,
  byHost: application.host !== undefined,
});
const { keepAliveTimeoutMs, sendTimeoutMs, maxConnections } = config;
const limits = { ...DEFAULT_LIMITS, keepAliveTimeoutMs, sendTimeoutMs, maxConnections };
const assets = await KeptAssets.open({
  folder: join(config.dataDir, 'assets'),
  files: application.files,
  log,
  nowMs: clock.now(),
});
const files = new StaticFiles(application.files, application.security.plain, assets);
const debugToken = new DebugToken(config.debugToken);
const throttle = openThrottle({ config, line: lineTo(THROTTLE_CHANNEL), clock });
const { door, endpoints } = openActions({
  throttle,
  admission,
  holes,
  rejections,
  config,
  application,
  renderer,
  purgeStream,
  database,
  limits,
  clock,
  log,
});
const handler = new RequestHandler({
  holes,
  visitors,
  actions: door,
  endpoints,
  pipeline,
  files,
  encodings,
  limits,
  clock,
  log,
  learner: hits,
  usage: usage.http,
  requests,
  trace,
  debugToken,
  trustProxy,
});
const server = new PageServer({ handler, clock, limits });
const warmer = new Warmer({
  config,
  slot: link.slot,
  listed: application.warm,
  pipeline,
  cache: caches.pages,
  clock,
  log,
});

const watchers = openWatchers({
  config,
  declare: application.declare,
  addDependency: (key, dependsOn) => dependencies.addDependency(key, dependsOn),
  database,
  clock,
  logger: log,
});
if (watchers !== undefined && config.feed === 'off' && link.slot === 0)
  log.warn({}, 'webhook, CDN and watchers are told of nothing: the change feed is off, and tells them');
answerOperations({
  link,
  bus: purgeStream.bus,
  ...(config.feed === 'on' && { watchers }),
  dependencies,
  explainUrl: (url) => explainUrl(url, pipeline, caches.pages),
  explainWhy: (url) =>
    explainWhy(url, {
      pipeline,
      application,
      sources,
      clock,
      log,
      stamp: () => purgeStream.validity.stamp(),
    }),
  rollout: () => ({ pages: caches.pages.rolloutStats(), fragments: caches.fragments.rolloutStats() }),
  log,
});

answerTail(link, tail);
const stats = answerStats({
  link,
  clock,
  usage,
  hits,
  server,
  caches,
  database,
  dependencies,
  coherence,
  overload,
});

link.onDrain(async (deadlineMs) => {
  databaseWatch.close();
  overload.close();
  hits.stop();
  await Promise.all([warmer.close(), server.drain(deadlineMs, () => link.closed())]);
  stats.close();
  tail.close();
  await pipeline.close();
  dependencies.close();
  coherence.close();
  throttle.close();
  await caches.close();
  await purgeStream.close();
  await database.close();
});

// The proof is work of this process; the rest of it waits for others meanwhile.
const [note] = await Promise.all([reachDatabase(), attachProved(hits, server.http, log)]);
if (note === undefined) await warmer.start();
const reusePort = config.clusterScheduling === 'reuseport';
await server.listen({
  port: config.port,
  host: config.host,
  ...(reusePort && { reusePort, exclusive: true }),
});
link.ready(note === undefined ? [] : [note]);

/** What renders from now on carries a newer stamp than this: it must be made by nothing that was known before. */
function schemaChanged(): void {
  schema.changed();
  database.schemaChanged();
}

/** Undefined, or what people should be told of a database that is down: the first statement that it takes waits for the schema. */
async function reachDatabase(): Promise<string | undefined> {
  const unreachable = await databaseWatch.start();
  if (unreachable !== undefined) link.send(DATABASE_CHANNEL, false);
  // After the first statement: the database says whose purges are to be followed.
  await purgeStream.start();
  if (unreachable === undefined) await schema.ready().catch(() => {});
  return unreachable;
}

/** To a part of the primary, by its name. */
function lineTo(channel: string) {
  return {
    send: (body: unknown) => link.send(channel, body),
    onMessage: (handler: (body: unknown) => void) => link.onMessage(channel, handler),
  };
}

/** The primary gives every worker one: configured, or of the embedded server. */
function databaseUrl(url: string | undefined): string {
  if (url !== undefined) return url;
  throw new Error('DATABASE_URL is not set, and there is no embedded Postgres.');
}

/** Of package.json, which is beside server.js or above dist/. */
function version(): string {
  for (const folder of [home, dirname(home)]) {
    try {
      return String(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version);
    } catch {
      // It is the other one.
    }
  }
  return 'unknown';
}
