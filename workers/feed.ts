// The change feed's process, one a host; of all hosts of a fleet one leads. Forked by the primary:
//
//   primary -> { type: 'start', config }       room { room: 'purges', body }      answers of the relay (no Redis)
//   us      -> { type: 'feed', state, note? }  at every change of state
//           -> { type: 'figures', figures }    once a second
//           -> { type: 'beat', inspected }     once a second: the event loop turns
//           -> room { room: 'purges', body }   to the relay in the primary
//
// It also tells the watchers (webhook, CDN, the application's own) while it leads: src/worker/watchers.ts.
//
// It ends with 0 when the channel closes (the primary is gone) or SIGTERM comes. Whatever it had not published is
// read from the log again by its successor, so it may be killed at any moment.
import { url as inspectorUrl } from 'node:inspector';
import type { Config } from '../config/config.ts';
import { systemClock } from '../src/core/clock.ts';
import type { Logger } from '../src/core/log.ts';
import { withRowsThemselves } from '../src/core/row-keys.ts';
import { UnheardRejections } from '../src/core/unheard-rejections.ts';
import { ChangeFeed } from '../src/data/feed/feed.ts';
import { Database } from '../src/data/read/database.ts';
import { type FromFeed, PURGES_CHANNEL, readFromPrimary } from '../src/host-link/messages.ts';
import { ownerOf } from '../src/invalidation/bus/bus-owner.ts';
import { Lease } from '../src/invalidation/clock/lease.ts';
import { DependencyGraph } from '../src/invalidation/graph/graph.ts';
import { createLogger } from '../src/logging/logger.ts';
import { survivePipes } from '../src/logging/survive-pipes.ts';
import { readSettings } from '../src/page/application/load-application.ts';
import { applicationFolder } from '../src/worker/application-folder.ts';
import { joinPurgeBus } from '../src/worker/purge-bus.ts';
import { openWatchers } from '../src/worker/watchers.ts';

const clock = systemClock;
/** Nothing is served from here, so nothing is trusted for long; reading it tells of another epoch in time. */
const READ_EVERY_MS = 500;

let stop: (() => Promise<void>) | undefined;
let hasStarted = false;
let isClosing = false;

process.on('message', (message: { type?: string; config?: Config }) => {
  if (message.type !== 'start' || message.config === undefined || hasStarted) return;
  hasStarted = true;
  void start(message.config);
});
process.on('disconnect', () => void close());
process.on('SIGTERM', () => void close());
// What a terminal sends to all its processes is the primary's business.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
survivePipes();
setInterval(() => say({ type: 'beat', inspected: inspectorUrl() !== undefined }), 1000).unref();

async function start(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel, { pid: process.pid, part: 'feed' });
  // Watchers are the application's: what they do not await must not take the stream of purges away from everybody.
  const rejections = new UnheardRejections(logger, clock);
  process.on('unhandledRejection', (reason) => rejections.rejected(reason));
  const bus = openBus(config, logger);
  const graph = new DependencyGraph();
  const database = new Database({
    connectionString: config.databaseUrl ?? '',
    logger,
    clock,
    max: 2,
    applicationName: 'coherent-watchers',
    pooler: config.dbPooler,
  });
  // Without them a position of the log could be acknowledged that they have not been told of: so this must succeed.
  const { declare } = await readSettings(applicationFolder(config.app));
  const addDependency = (key: string, dependsOn: string) => graph.addDependency(key, dependsOn);
  const watchers = openWatchers({ config, declare, addDependency, database, clock, logger });
  const feed = new ChangeFeed({
    connectionString: config.feedDatabaseUrl ?? config.databaseUrl ?? '',
    pagesUrl: config.databaseUrl ?? '',
    slot: config.feedSlot,
    withoutTriggers: config.feedWithoutTriggers,
    clock,
    logger,
    random: Math.random,
    // The first of the three lives that add up to the bound.
    freshLifeMs: config.coherenceBoundMs / 4,
    bus: {
      follows: async (server) => bus.belongTo(ownerOf(server)),
      // Pages first. The log's position moves on only when the watchers' share is committed, too.
      publish: async (keys, committedMs) => {
        const all = graph.dependents(keys);
        // What is declared stands behind what it was reached from, and names whole rows.
        const declared = all.slice(keys.length);
        await bus.publish([...keys, ...withRowsThemselves(declared)], 'purge', committedMs);
        await watchers?.add(all);
      },
      beginEpoch: async () => {
        await bus.beginEpoch();
        await watchers?.add(undefined);
      },
      setFresh: (lifeMs) => bus.setFresh(lifeMs),
    },
    onState: (state, error) => {
      say({ type: 'feed', state, ...(error && { note: `${error.code}: ${error.message}` }) });
      if (state === 'leading') watchers?.start();
      else void watchers?.rest();
    },
  });
  const stats = setInterval(
    () => say({ type: 'stats', stats: { ...feed.stats(), ...watchers?.stats() } }),
    1000,
  );
  stop = async () => {
    clearInterval(stats);
    await feed.close();
    await watchers?.close();
    await database.close();
    await bus.close();
  };
  if (isClosing) return;
  void bus.start();
  feed.start();
}

function openBus({ redisUrl }: Config, logger: Logger) {
  return joinPurgeBus({
    redisUrl,
    clock,
    logger,
    lease: new Lease(clock, 2 * READ_EVERY_MS),
    readEveryMs: READ_EVERY_MS,
    needsFresh: false,
    line: {
      send: (body) => say({ type: 'channel', channel: PURGES_CHANNEL, body }),
      onMessage: (handler) => {
        process.on('message', (raw) => {
          const message = readFromPrimary(raw);
          if (message?.type === 'channel' && message.channel === PURGES_CHANNEL) handler(message.body);
        });
      },
    },
  });
}

/** Never throws: with the primary gone there is nothing to tell it to. */
function say(message: FromFeed): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function close(): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  await stop?.().catch(() => {});
  process.exit(0);
}
