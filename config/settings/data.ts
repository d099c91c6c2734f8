import { databaseUrl, integer, milliseconds, oneOf, redisUrl, text } from '../kinds.ts';
import { setting } from './setting.ts';
import { HOUR, MINUTE } from './units.ts';

const folder = text('a path', /^[^\0]{1,4000}$/);

export const data = {
  databaseUrl: setting({
    name: 'DATABASE_URL',
    kind: databaseUrl(),
    help: 'The Postgres to read from. Unset: an embedded server with the sample data (not with NODE_ENV=production).',
    secret: true,
  }),
  redisUrl: setting({
    name: 'REDIS_URL',
    kind: redisUrl(),
    help: 'The Redis of the fleet: shared cache and purges between hosts. Unset: a private one where redis-server or valkey-server is on the PATH (not with NODE_ENV=production), else one host works alone.',
    secret: true,
  }),
  feed: setting({
    name: 'FEED',
    kind: oneOf(['auto', 'on', 'off']),
    default: 'auto',
    help: 'The change feed: pages follow what is committed in Postgres. Needs wal_level = logical and a role with REPLICATION. auto: on where those are given, else off, and the start says what is missing. on: pages are not kept for longer than DEGRADED_TTL_MS while it cannot work.',
  }),
  feedDatabaseUrl: setting({
    name: 'FEED_DATABASE_URL',
    kind: databaseUrl(),
    help: 'Where the change feed alone connects: the primary itself, where DATABASE_URL goes through a pooler, or with a role that may read the log. Render workers never see it. Both must lead to the same database, which is checked all the time. Unset: DATABASE_URL.',
    secret: true,
  }),
  feedWithoutTriggers: setting({
    name: 'FEED_WITHOUT_TRIGGERS',
    kind: oneOf(['full', 'all']),
    default: 'full',
    help: 'Which tables are followed where the role may not create event triggers and "db prepare" was not run. full: those with REPLICA IDENTITY FULL. all: those with a primary key, too; Postgres then refuses UPDATE and DELETE on a table whose key was dropped, until the feed has noticed.',
  }),
  feedSlot: setting({
    name: 'FEED_SLOT',
    kind: text('a name of lower-case letters, digits and _, at most 63', /^[a-z0-9_]{1,63}$/),
    help: 'The replication slot of this fleet. Unset: named after the database. Two fleets on one database need two names.',
  }),
  dataDir: setting({
    name: 'DATA_DIR',
    kind: folder,
    default: '.data',
    help: 'Folder for what is kept between runs: the embedded Postgres, the private Redis, the disk tier of the cache.',
  }),
  dbPooler: setting({
    name: 'DB_POOLER',
    kind: oneOf(['auto', 'none', 'transaction']),
    default: 'auto',
    help: 'Whether a pooler such as pgbouncer stands before Postgres. auto: found out with each connection. transaction: reads rely on nothing that outlives a transaction. none: connections are sessions of the server.',
  }),
  dbPoolMax: setting({
    name: 'DB_POOL_MAX',
    kind: integer({ min: 1, max: 1000 }),
    default: '20',
    help: 'Connections to Postgres per worker; fewer when all workers together would pass its max_connections.',
  }),
  dbIdleTimeoutMs: setting({
    name: 'DB_IDLE_TIMEOUT_MS',
    kind: milliseconds({ min: 0, max: 24 * HOUR }),
    default: '30000',
    help: 'An unused connection to Postgres is closed after this.',
  }),
  dbConnectTimeoutMs: setting({
    name: 'DB_CONNECT_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: 5 * MINUTE }),
    default: '2000',
    help: 'How long a render waits for a connection to Postgres.',
  }),
  dbStatementTimeoutMs: setting({
    name: 'DB_STATEMENT_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: HOUR }),
    default: '3000',
    help: 'Postgres stops a statement of a render after this.',
  }),
  slowQueryMs: setting({
    name: 'SLOW_QUERY_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '100',
    help: 'Statements slower than this are recorded, without their parameters.',
  }),
};
