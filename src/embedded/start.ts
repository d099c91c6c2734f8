// The services that were not configured, as one thing: started together, closed together.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { RedisStartError } from './errors.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres.ts';
import { prepare } from './prepare.ts';
import type { Progress } from './progress.ts';
import { RedisSupervisor } from './redis-supervisor.ts';

/** A cache of a development machine. */
const REDIS_MAX_MEMORY_MB = 128;

export interface ServicesOptions {
  readonly dataDir: string;
  readonly appFolder: string;
  /** In the place of seed.js in it. */
  readonly seedFile?: string | undefined;
  /** Undefined: a database was configured, and no data but our own is touched. */
  readonly postgres: { readonly settings?: Readonly<Record<string, string>> } | undefined;
  /** Undefined: a Redis was configured, or this machine has no program to run. */
  readonly redisProgram: string | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly progress: Progress;
  /** The database stopped without being closed. */
  readonly onExit: () => void;
}

export interface Services {
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** For people: what to know about what is embedded. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** Errors: those of the parts, but without its private Redis a host still serves; then a note says why it is off. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const database = await startDatabase(options);
  const redis = await startRedis(options);
  return {
    databaseUrl: database?.url,
    redisUrl: redis?.supervisor?.url,
    notes: [...(database?.notes ?? []), ...(redis?.notes ?? [])],
    close: async () => {
      await Promise.all([redis?.supervisor?.close(), database?.close()]);
    },
  };
}

type Database = Pick<EmbeddedPostgres, 'url' | 'notes' | 'close'>;

/** An embedded Postgres with the application's schema and seed in it. */
async function startDatabase(options: ServicesOptions): Promise<Database | undefined> {
  const { dataDir, appFolder, seedFile, postgres: wanted, logger, clock, progress, onExit } = options;
  if (wanted === undefined) return undefined;
  if (!existsSync(join(dataDir, 'postgres'))) {
    logger.info({ dataDir }, 'the first start: a Postgres is set up and filled, which takes a few seconds');
  }
  const postgres = await startEmbeddedPostgres({ dataDir, logger, onExit, ...wanted });
  try {
    const dataFolder = join(dataDir, 'postgres');
    const databaseUrl = postgres.url;
    const prepared = await prepare({
      databaseUrl,
      appFolder,
      seedFile,
      progress,
      logger,
      clock,
      dataFolder,
    });
    return {
      url: databaseUrl,
      notes: [...postgres.notes, ...prepared.notes],
      close: () => postgres.close(),
    };
  } catch (error) {
    await postgres.close();
    throw error;
  }
}

interface Redis {
  readonly supervisor?: RedisSupervisor;
  readonly notes: readonly string[];
}

async function startRedis({
  redisProgram,
  dataDir,
  clock,
  logger,
}: ServicesOptions): Promise<Redis | undefined> {
  if (redisProgram === undefined) return undefined;
  const folder = join(resolve(dataDir), 'redis');
  const maxMemoryMb = REDIS_MAX_MEMORY_MB;
  try {
    return {
      supervisor: await RedisSupervisor.start({ program: redisProgram, folder, maxMemoryMb, clock, logger }),
      notes: [],
    };
  } catch (error) {
    if (error instanceof RedisStartError) return { notes: [error.message] };
    throw error;
  }
}
