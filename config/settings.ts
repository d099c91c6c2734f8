// Every setting of the server, in one table. docs/configuration.md is written from it
// (scripts/write-configuration-docs.mjs), `coherent-server config` prints it, and `Config` is its type.
// To add one: a line here, a reader of `config.<key>`, and the docs written again. Nothing else.
import {
  auto,
  bytes,
  flag,
  integer,
  type Kind,
  milliseconds,
  oneOf,
  origin,
  redisUrl,
  text,
  url,
} from './kinds.ts';

export interface Setting<T> {
  /** The name in the environment. */
  readonly name: string;
  readonly kind: Kind<T>;
  /** As text, in the same form the environment would give it. Undefined: off until set. */
  readonly default?: string;
  /** One line for people. For `auto` it says what is chosen. */
  readonly help: string;
  readonly group: Group;
  /** Never printed; may be given as a file with `<NAME>_FILE`. */
  readonly secret?: true;
}

export type Group = 'Serving' | 'Operations' | 'Processes' | 'Data' | 'Rendering' | 'Caching' | 'Stopping';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const KiB = 1024;
const MiB = 1024 * KiB;
const TiB = 1024 * 1024 * MiB;

/** Optional settings read as `T | undefined`, those with a default as `T`. */
function setting<T>(setting: Setting<T> & { readonly default: string }): Setting<T>;
function setting<T>(setting: Setting<T>): Setting<T | undefined>;
function setting<T>(setting: Setting<T>): Setting<T> {
  return setting;
}

const hostText = text('a host name or an IP address to listen on', /^[A-Za-z0-9.:_-]{1,253}$/);
/** Each part at most once. */
const ROLLOUT =
  /^(?!.*\b(l1|l2|l3|fragments|static|refresh)=.*\b\1=)(l1|l2|l3|fragments|static|refresh)=(100|\d{1,2}(\.\d{1,2})?)(,(l1|l2|l3|fragments|static|refresh)=(100|\d{1,2}(\.\d{1,2})?))*$/;
const folder = text('a path', /^[^\0]{1,4000}$/);

export const settings = {
  port: setting({
    name: 'PORT',
    kind: integer({ min: 0, max: 65_535 }),
    default: '3000',
    help: 'Port of the pages. 0 takes a free one.',
    group: 'Serving',
  }),
  host: setting({
    name: 'HOST',
    kind: hostText,
    default: '0.0.0.0',
    help: 'Address the pages are served on.',
    group: 'Serving',
  }),
  publicOrigin: setting({
    name: 'PUBLIC_ORIGIN',
    kind: origin(),
    help: 'What visitors type: scheme and host. Makes canonical links absolute; unset leaves them relative.',
    group: 'Serving',
  }),
  app: setting({
    name: 'APP',
    kind: folder,
    help: 'Folder of the compiled application (pages/, fragments/, public/). Unset: the sample that came with the server.',
    group: 'Serving',
  }),
  keepAliveTimeoutMs: setting({
    name: 'KEEP_ALIVE_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: 10 * MINUTE }),
    default: '72000',
    help: 'How long an idle connection is kept. Longer than that of the proxy in front, or it meets closed ones.',
    group: 'Serving',
  }),

  opsPort: setting({
    name: 'OPS_PORT',
    kind: integer({ min: 0, max: 65_535 }),
    default: '3001',
    help: 'Port of the operations server: /livez, /readyz, POST /reload. 0 takes a free one.',
    group: 'Operations',
  }),
  opsHost: setting({
    name: 'OPS_HOST',
    kind: hostText,
    default: '127.0.0.1',
    help: 'Address of the operations server. Anything but loopback asks for OPS_TOKEN.',
    group: 'Operations',
  }),
  opsToken: setting({
    name: 'OPS_TOKEN',
    kind: text('at least 16 printable characters without spaces', /^[\x21-\x7e]{16,512}$/),
    help: 'Bearer token that the operations server asks for, except on the probes.',
    group: 'Operations',
    secret: true,
  }),
  debugToken: setting({
    name: 'DEBUG_TOKEN',
    kind: text('at least 16 printable characters without spaces', /^[\x21-\x7e]{16,512}$/),
    help: 'Whoever sends it as X-Coherent-Token with a page request is told how the answer was made (Server-Timing, Surrogate-Key), and gets a new render for Cache-Control: no-cache. Not OPS_TOKEN: it crosses the public port.',
    group: 'Operations',
    secret: true,
  }),
  logLevel: setting({
    name: 'LOG_LEVEL',
    kind: oneOf(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
    help: 'The least important log lines that are written.',
    group: 'Operations',
  }),

  workers: setting({
    name: 'WORKERS',
    kind: auto(integer({ min: 1, max: 1024 })),
    default: 'auto',
    help: 'Render processes. auto: one per CPU that the machine and the container allow.',
    group: 'Processes',
  }),
  clusterScheduling: setting({
    name: 'CLUSTER_SCHEDULING',
    kind: oneOf(['rr', 'none', 'reuseport']),
    default: 'rr',
    help: 'Who hands out connections: rr the primary in turn, none the kernel from one socket, reuseport the kernel from one socket per worker (Linux, Node 22.12 or newer).',
    group: 'Processes',
  }),
  uvThreadpoolSize: setting({
    name: 'UV_THREADPOOL_SIZE',
    kind: integer({ min: 1, max: 1024 }),
    default: '4',
    help: 'Threads of each worker for files, DNS and compression. The default is that of Node; no other was measured.',
    group: 'Processes',
  }),
  heapMaxMb: setting({
    name: 'HEAP_MAX_MB',
    kind: auto(integer({ min: 64, max: 1_048_576, unit: 'MiB' })),
    default: 'auto',
    help: 'Limit of the JavaScript heap of each worker. auto: three quarters of the memory of the container or machine, less 96 MiB and L1_MAX_BYTES, divided among the workers; 128 to 4096.',
    group: 'Processes',
  }),
  semiSpaceMb: setting({
    name: 'SEMI_SPACE_MB',
    kind: integer({ min: 1, max: 256, unit: 'MiB' }),
    default: '32',
    help: 'Limit of a semi-space of the young generation of each worker. Larger: fewer collections of what one render leaves behind, more memory. The default is a choice, not measured.',
    group: 'Processes',
  }),
  bootTimeoutMs: setting({
    name: 'BOOT_TIMEOUT_MS',
    kind: milliseconds({ min: SECOND, max: HOUR }),
    default: '30000',
    help: 'A worker that is not ready after this is replaced.',
    group: 'Processes',
  }),
  heartbeatTimeoutMs: setting({
    name: 'HEARTBEAT_TIMEOUT_MS',
    kind: milliseconds({ min: SECOND, max: HOUR }),
    default: '10000',
    help: 'A worker whose event loop is silent for this long is replaced.',
    group: 'Processes',
  }),

  databaseUrl: setting({
    name: 'DATABASE_URL',
    kind: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/database'),
    help: 'The Postgres to read from. Unset: an embedded server with the sample data (not with NODE_ENV=production).',
    group: 'Data',
    secret: true,
  }),
  redisUrl: setting({
    name: 'REDIS_URL',
    kind: redisUrl(),
    help: 'The Redis of the fleet: shared cache and purges between boxes. Unset: a private one where redis-server or valkey-server is on the PATH (not with NODE_ENV=production), else one box works alone.',
    group: 'Data',
    secret: true,
  }),
  feed: setting({
    name: 'FEED',
    kind: oneOf(['auto', 'on', 'off']),
    default: 'auto',
    help: 'The change feed: pages follow what is committed in Postgres. Needs wal_level = logical and a role with REPLICATION. auto: on where those are given, else off, and the start says what is missing. on: pages are not kept for longer than DEGRADED_TTL_MS while it cannot work.',
    group: 'Data',
  }),
  feedSlot: setting({
    name: 'FEED_SLOT',
    kind: text('a name of lower-case letters, digits and _, at most 63', /^[a-z0-9_]{1,63}$/),
    help: 'The replication slot of this fleet. Unset: named after the database. Two fleets on one database need two names.',
    group: 'Data',
  }),
  dataDir: setting({
    name: 'DATA_DIR',
    kind: folder,
    default: '.data',
    help: 'Folder for what is kept between runs: the embedded Postgres, the private Redis, the disk tier of the cache.',
    group: 'Data',
  }),
  dbPoolMax: setting({
    name: 'DB_POOL_MAX',
    kind: integer({ min: 1, max: 1000 }),
    default: '20',
    help: 'Connections to Postgres per worker; fewer when all workers together would pass its max_connections.',
    group: 'Data',
  }),
  dbIdleTimeoutMs: setting({
    name: 'DB_IDLE_TIMEOUT_MS',
    kind: milliseconds({ min: 0, max: 24 * HOUR }),
    default: '30000',
    help: 'An unused connection to Postgres is closed after this.',
    group: 'Data',
  }),
  dbConnectTimeoutMs: setting({
    name: 'DB_CONNECT_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: 5 * MINUTE }),
    default: '2000',
    help: 'How long a render waits for a connection to Postgres.',
    group: 'Data',
  }),
  dbStatementTimeoutMs: setting({
    name: 'DB_STATEMENT_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: HOUR }),
    default: '3000',
    help: 'Postgres stops a statement of a render after this.',
    group: 'Data',
  }),
  slowQueryMs: setting({
    name: 'SLOW_QUERY_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '100',
    help: 'Statements slower than this are recorded, without their parameters.',
    group: 'Data',
  }),

  renderTimeoutMs: setting({
    name: 'RENDER_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: HOUR }),
    default: '10000',
    help: 'A render is stopped after this and answers 503.',
    group: 'Rendering',
  }),
  renderSoftTimeoutMs: setting({
    name: 'RENDER_SOFT_TIMEOUT_MS',
    kind: milliseconds({ min: 1, max: HOUR }),
    default: '500',
    help: 'Where a stale page is at hand it is served after this, and the render goes on behind it.',
    group: 'Rendering',
  }),

  surrogateKeys: setting({
    name: 'SURROGATE_KEYS',
    kind: flag(),
    default: 'off',
    help: 'Tell caches in front what each page was made from (Surrogate-Key, Cache-Groups), so that purges can be passed on to them. Names tables and ids.',
    group: 'Caching',
  }),
  l1MaxBytes: setting({
    name: 'L1_MAX_BYTES',
    kind: bytes({ min: 0, max: TiB }),
    default: '100MB',
    help: 'Memory for cached pages in all workers of this box together. 0 turns the tier off.',
    group: 'Caching',
  }),
  l2: setting({
    name: 'L2',
    kind: flag(),
    default: 'on',
    help: 'Cached pages in Redis, shared by all boxes. Needs REDIS_URL.',
    group: 'Caching',
  }),
  l3: setting({
    name: 'L3',
    kind: flag(),
    default: 'on',
    help: 'Cached pages on disk under DATA_DIR, shared by the workers of this box and kept across restarts.',
    group: 'Caching',
  }),
  l3MaxBytes: setting({
    name: 'L3_MAX_BYTES',
    kind: bytes({ min: MiB, max: 1024 * TiB }),
    default: '1GB',
    help: 'Disk for cached pages on this box.',
    group: 'Caching',
  }),
  coherenceBoundMs: setting({
    name: 'COHERENCE_BOUND_MS',
    kind: milliseconds({ min: 200, max: HOUR }),
    default: '2000',
    help: 'No page is served longer than this after its data changed, whatever has failed.',
    group: 'Caching',
  }),
  degradedTtlMs: setting({
    name: 'DEGRADED_TTL_MS',
    kind: auto(milliseconds({ min: 0, max: HOUR })),
    default: 'auto',
    help: 'How long a page lives while purges cannot be heard. auto: half of COHERENCE_BOUND_MS, which is also the most.',
    group: 'Caching',
  }),

  warmTimeoutMs: setting({
    name: 'WARM_TIMEOUT_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '5000',
    help: 'Before a worker takes visitors it makes the pages that app.js lists (warm) and those wanted last in the run before, for at most this long. 0: it does not. Shorter than BOOT_TIMEOUT_MS.',
    group: 'Caching',
  }),
  rollout: setting({
    name: 'ROLLOUT',
    kind: text('a list like l2=10,fragments=50: percent of keys, 0 to 100', ROLLOUT),
    help: 'Parts of the cache for a share of the keys only: l1, l2, l3, fragments, static, refresh. What is not named is on for all. A key stays in its cohort, on every worker of every box, and while the share grows.',
    group: 'Caching',
  }),

  shutdownDelayMs: setting({
    name: 'SHUTDOWN_DELAY_MS',
    kind: auto(milliseconds({ min: 0, max: HOUR })),
    default: 'auto',
    help: 'After SIGTERM the server says "not ready" and goes on serving for this long, so that the balancer can turn away. auto: 5000 with NODE_ENV=production, else 0.',
    group: 'Stopping',
  }),
  drainTimeoutMs: setting({
    name: 'DRAIN_TIMEOUT_MS',
    kind: milliseconds({ min: 0, max: HOUR }),
    default: '15000',
    help: 'How long requests in flight may take to finish once a worker stops.',
    group: 'Stopping',
  }),
  graceMs: setting({
    name: 'GRACE_MS',
    kind: milliseconds({ min: SECOND, max: 2 * HOUR }),
    default: '30000',
    help: 'What the orchestrator allows between SIGTERM and SIGKILL. SHUTDOWN_DELAY_MS + DRAIN_TIMEOUT_MS + 3000 must fit in it.',
    group: 'Stopping',
  }),
};

type Settings = typeof settings;

/** Values as written, `auto` still in them. */
export type Values = { readonly [K in keyof Settings]: Settings[K] extends Setting<infer T> ? T : never };

export type Key = keyof Settings;
