// The change feed's process, one a box; of all boxes of a fleet one leads. Forked by the primary:
//
//   primary -> { type: 'start', config }       room { room: 'purges', body }      answers of the relay (no Redis)
//   us      -> { type: 'feed', state, note? }  at every change of state
//           -> { type: 'figures', figures }    once a second
//           -> room { room: 'purges', body }   to the relay in the primary
//
// It ends with 0 when the channel closes (the primary is gone) or SIGTERM comes. Whatever it had not published is
// read from the log again by its successor, so it may be killed at any moment.
import type { Config } from '../config/config.ts';
import { createLogger } from '../src/cluster/logger.ts';
import { type FromFeed, PURGES_ROOM, readFromPrimary } from '../src/cluster/messages.ts';
import { systemClock } from '../src/core/clock.ts';
import type { Logger } from '../src/core/log.ts';
import { ChangeFeed } from '../src/data/feed/feed.ts';
import { Lease } from '../src/invalidation/lease.ts';
import { joinPurgeBus } from './purge-bus.ts';

const clock = systemClock;
/** Nothing is served from here, so nothing is trusted for long; reading it tells of another epoch in time. */
const READ_EVERY_MS = 500;

let stop: (() => Promise<void>) | undefined;
let isClosing = false;

process.on('message', (message: { type?: string; config?: Config }) => {
  if (message.type === 'start' && message.config !== undefined && stop === undefined) start(message.config);
});
process.on('disconnect', () => void close());
process.on('SIGTERM', () => void close());
// Ctrl+C is the primary's business.
process.on('SIGINT', () => {});

function start(config: Config): void {
  const logger = createLogger(config.logLevel, { pid: process.pid, part: 'feed' });
  const bus = openBus(config, logger);
  const feed = new ChangeFeed({
    connectionString: config.databaseUrl ?? '',
    slot: config.feedSlot,
    clock,
    logger,
    random: Math.random,
    // The first of the three lives that add up to the bound.
    freshLifeMs: config.coherenceBoundMs / 4,
    bus: {
      publish: async (keys) => void (await bus.publish(keys, 'purge')),
      beginEpoch: async () => void (await bus.beginEpoch()),
      setFresh: (lifeMs) => bus.setFresh(lifeMs),
    },
    onState: (state, error) =>
      say({ type: 'feed', state, ...(error && { note: `${error.code}: ${error.message}` }) }),
  });
  const figures = setInterval(() => say({ type: 'figures', figures: { ...feed.figures() } }), 1000);
  stop = async () => {
    clearInterval(figures);
    await feed.close();
    await bus.close();
  };
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
      send: (body) => say({ type: 'room', room: PURGES_ROOM, body }),
      onMessage: (handler) => {
        process.on('message', (raw) => {
          const message = readFromPrimary(raw);
          if (message?.type === 'room' && message.room === PURGES_ROOM) handler(message.body);
        });
      },
    },
  });
}

/** Never throws: with the primary gone there is nobody to tell. */
function say(message: FromFeed): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function close(): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  await stop?.().catch(() => {});
  process.exit(0);
}
