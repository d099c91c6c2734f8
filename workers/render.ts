// A render worker: wires the rooms of src/ together and serves pages. Its life:
//
//   start    settings come from the primary; the application is loaded (what is wrong with it ends the start);
//            the port is taken; the primary is told `ready`. A database that is down does not hold this up:
//            pages answer 503 until it is there
//   serve    until the primary says drain
//   drain    the shortcut stops (each answer now says `Connection: close`) -> requests in flight end, or are
//            cut at the deadline, which aborts their renders -> caches -> database
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { FLIGHTS_ROOM, PURGES_ROOM } from '../src/cluster/messages.ts';
import { connectToPrimary } from '../src/cluster/worker-link.ts';
import { systemClock } from '../src/core/clock.ts';
import { Database } from '../src/data/database.ts';
import { catalogKey } from '../src/data/feed/definitions.ts';
import { TRACKED_PUBLICATION } from '../src/data/feed/install-sql.ts';
import { FollowedSchema } from '../src/data/followed-schema.ts';
import { RequestHandler } from '../src/http/handler.ts';
import { HitPath } from '../src/http/hit.ts';
import { attachProved } from '../src/http/hit-proof.ts';
import { DEFAULT_LIMITS } from '../src/http/limits.ts';
import { EncodingChoice } from '../src/http/negotiate.ts';
import { Operator } from '../src/http/operator.ts';
import { PageServer } from '../src/http/server.ts';
import { StaticFiles } from '../src/http/static.ts';
import { Dependencies } from '../src/invalidation/dependencies.ts';
import { Fragments } from '../src/page/fragments.ts';
import { loadApplication } from '../src/page/load-application.ts';
import { PagePipeline } from '../src/page/pipeline.ts';
import { PageRenderer } from '../src/page/renderer.ts';
import { DatabaseWatch } from './database-watch.ts';
import { explainUrl } from './explain.ts';
import { answerOperations } from './operations.ts';
import { createCaches } from './render-cache.ts';
import { createRiver } from './river.ts';
import { Warmer } from './warm.ts';

const link = await connectToPrimary();
const { config, logger: log } = link;
const clock = systemClock;

/** Pages that one purge has rendered again at most, without waiting for somebody to ask. */
const MAX_REFRESHES = 100;

/** The folder of server.js: dist/ in a build. */
const home = dirname(import.meta.dirname);

const application = await loadApplication({ folder: applicationFolder(config.app), serverBuild: version() });
// Of the box and of this process; the end of it tells processes of other containers apart.
const member = `${hostname()}/${link.slot}/${process.pid}/${randomBytes(3).toString('hex')}`;
const river = createRiver({ config, clock, logger: log, line: lineTo(PURGES_ROOM), member });
const dependencies = new Dependencies({ clock, logger: log, maxRefreshes: MAX_REFRESHES });
river.bus.subscribe(dependencies);
const caches = createCaches({
  config,
  clock,
  log,
  validity: river.validity,
  line: lineTo(FLIGHTS_ROOM),
  shelf: (kind, tier) => dependencies.shelf(kind, tier),
});
const schema = new FollowedSchema({
  read: (sql) => database.run(sql),
  publication: config.feed === 'on' ? TRACKED_PUBLICATION : null,
  logger: log,
});
river.bus.subscribe({
  purge: ({ keys }) => {
    if (keys.includes(catalogKey)) schema.changed();
  },
  reset: () => schema.changed(),
});
const database = new Database({
  connectionString: databaseUrl(config.databaseUrl),
  logger: log,
  clock,
  max: config.dbPoolMax,
  workers: config.workers,
  idleTimeoutMs: config.dbIdleTimeoutMs,
  connectTimeoutMs: config.dbConnectTimeoutMs,
  statementTimeoutMs: config.dbStatementTimeoutMs,
  slowQueryMs: config.slowQueryMs,
  observer: schema,
});
const databaseWatch = new DatabaseWatch(database, clock, log);

const sources = { sessions: database, fetch: globalThis.fetch, declared: dependencies.graph };
const timeouts = { hardTimeoutMs: config.renderTimeoutMs, softTimeoutMs: config.renderSoftTimeoutMs };
const fragments = new Fragments({
  build: application.build,
  sources,
  clock,
  timeouts,
  cache: caches.fragments,
});
const renderer = new PageRenderer({
  application,
  sources,
  fragments,
  clock,
  log,
  publicOrigin: config.publicOrigin,
  surrogateKeys: config.surrogateKeys,
});
const pipeline = new PagePipeline({
  application,
  cache: caches.pages,
  renderer,
  timeouts,
  clock,
  log,
  newId: () => randomBytes(6).toString('hex'),
  random: Math.random,
  showErrors: !config.production,
});
dependencies.attach('page', {
  dropPurged: (key) => caches.pages.dropPurged(key),
  refresh: (key) => pipeline.refresh(key),
});
dependencies.attach('fragment', {
  dropPurged: (key) => caches.fragments.dropPurged(key),
  refresh: () => false,
});
const encodings = new EncodingChoice();
const hits = new HitPath({ cache: caches.pages, clock, encodings, maxBytes: caches.preparedBytes });
const limits = { ...DEFAULT_LIMITS, keepAliveTimeoutMs: config.keepAliveTimeoutMs };
const files = new StaticFiles(application.files, application.security.plain);
const operator = new Operator(config.debugToken);
const handler = new RequestHandler({
  pipeline,
  files,
  encodings,
  limits,
  clock,
  log,
  learner: hits,
  operator,
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

answerOperations({
  link,
  bus: river.bus,
  dependencies,
  explainUrl: (url) => explainUrl(url, pipeline, caches.pages),
  rollout: () => ({ pages: caches.pages.rolloutStats(), fragments: caches.fragments.rolloutStats() }),
  log,
});

link.onDrain(async (deadlineMs) => {
  databaseWatch.close();
  hits.stop();
  await warmer.close();
  await server.drain(deadlineMs);
  await pipeline.close();
  dependencies.close();
  await caches.close();
  await river.close();
  await database.close();
});

await river.start();
await attachProved(hits, server.http, log);
const note = await databaseWatch.start();
// A database that is down was said above; the first statement that it takes waits for this.
if (note === undefined) {
  await schema.ready().catch(() => {});
  await warmer.start();
}
const reusePort = config.clusterScheduling === 'reuseport';
await server.listen({
  port: config.port,
  host: config.host,
  ...(reusePort && { reusePort, exclusive: true }),
});
link.ready(note === undefined ? [] : [note]);

/** To a part of the primary, by its name. */
function lineTo(room: string) {
  return {
    send: (body: unknown) => link.send(room, body),
    onMessage: (handler: (body: unknown) => void) => link.onMessage(room, handler),
  };
}

function applicationFolder(app: string | undefined): string {
  if (app === undefined) return join(home, 'app');
  return isAbsolute(app) ? app : resolve(app);
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
