// The services that were not configured, as one thing: started together, closed together.
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { startEmbeddedPostgres } from './postgres.ts';
import { prepare } from './prepare.ts';
import type { Progress } from './progress.ts';

export interface ServicesOptions {
  readonly dataDir: string;
  readonly appFolder: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly progress: Progress;
  /** A service stopped though nobody closed it. */
  readonly onExit: () => void;
  /** Settings of the embedded Postgres beyond ours. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
}

export interface Services {
  readonly databaseUrl: string;
  /** For people: what is embedded and where, what to know about it. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** An embedded Postgres with the application's schema and seed in it. Errors: those of its parts. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { dataDir, appFolder, logger, clock, progress, onExit, postgresSettings } = options;
  const postgres = await startEmbeddedPostgres({
    dataDir,
    logger,
    onExit,
    ...(postgresSettings === undefined ? {} : { settings: postgresSettings }),
  });
  try {
    const dataFolder = join(dataDir, 'postgres');
    const prepared = await prepare({
      databaseUrl: postgres.url,
      appFolder,
      progress,
      logger,
      clock,
      dataFolder,
    });
    return {
      databaseUrl: postgres.url,
      notes: [
        `Postgres ${postgres.version} is embedded, its data in ${dataFolder}`,
        ...postgres.notes,
        ...prepared.notes,
      ],
      close: () => postgres.close(),
    };
  } catch (error) {
    await postgres.close();
    throw error;
  }
}
