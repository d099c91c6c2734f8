import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisTarget } from '../../core/redis-url.ts';
import type { Milliseconds } from '../../core/units.ts';
import { type RedisWatchOptions, watchListener } from './redis-watch.ts';

export type RedisClient = Redis | Cluster;

/** Without the option by which replies would change their type. */
type CommonOptions = Omit<RedisOptions, 'replyMapping'>;

/** A connection on which nothing has come for so long, while an answer is due, is destroyed and made anew. */
const SILENT_AFTER_MS: Milliseconds = 1000;
const CONNECT_TIMEOUT_MS: Milliseconds = 2000;

/**
 * A client for commands fails fast: it queues nothing while there is no connection, and gives a command up after
 * `commandTimeoutMs` (the client's own defaults take ten seconds). It never gives up reconnecting.
 */
export function connectForCommands(
  target: RedisTarget,
  commandTimeoutMs: Milliseconds,
  silentAfterMs: Milliseconds = SILENT_AFTER_MS,
): RedisClient {
  return connect(target, {
    commandTimeout: commandTimeoutMs,
    socketTimeout: silentAfterMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
}

/** A client that listens: nothing it was asked for is forgotten, however long the connection is gone. */
export function connectForMessages(
  target: RedisTarget,
  watch: Pick<RedisWatchOptions, 'clock' | 'pingChannel' | 'sharded'> & {
    readonly silentAfterMs?: Milliseconds;
  },
): RedisClient {
  const client = connect(target, {
    enableOfflineQueue: true,
    autoResubscribe: true,
    maxRetriesPerRequest: null,
  });
  const { silentAfterMs = SILENT_AFTER_MS } = watch;
  watchListener(client, { ...watch, silentAfterMs, everyMs: silentAfterMs });
  return client;
}

/** 50, 100, 200, ... at most 1000 ms. */
function retryMs(attempt: number): Milliseconds {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), 1000);
}

function connect(target: RedisTarget, options: CommonOptions): RedisClient {
  const { username, password, db } = target;
  const common: CommonOptions = {
    ...options,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A connection that is given up is first closed in order, which takes two on the line.
    disconnectTimeout: 100,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    db,
    retryStrategy: retryMs,
    // After a failover the old primary answers READONLY: connect anew, to the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(target.kind !== 'socket' && target.tls ? { tls: {} } : {}),
  };
  const client = clientFor(target, common);
  // Without a listener an error event would end the process. The stores count and log what matters.
  client.on('error', () => {});
  return client;
}

function clientFor(target: RedisTarget, common: CommonOptions): RedisClient {
  switch (target.kind) {
    case 'socket':
      return new Redis({ ...common, path: target.path });
    case 'server':
      return new Redis({ ...common, host: target.node.host, port: target.node.port });
    case 'sentinel':
      return new Redis({
        ...common,
        sentinels: target.nodes.map((node) => ({ ...node })),
        name: target.master,
        sentinelRetryStrategy: retryMs,
        sentinelCommandTimeout: SILENT_AFTER_MS,
        ...(target.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
      });
    case 'cluster':
      return new Cluster(
        target.nodes.map((node) => ({ ...node })),
        {
          redisOptions: common,
          enableOfflineQueue: common.enableOfflineQueue ?? true,
          clusterRetryStrategy: retryMs,
          // Only opened by those who subscribe: one connection to each primary, for channels that live on one node.
          shardedSubscribers: true,
          slotsRefreshTimeout: 1000,
        },
      );
  }
}
