// Two boxes over one Redis and one Postgres, all of them real processes that end with the check.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import pg from 'pg';
import { systemClock } from '../../src/core/clock.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/services/postgres.ts';
import { PrivateRedis } from '../../src/services/redis.ts';
import { redisProgram } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { Box } from './box.ts';
import { SCHEMA } from './history.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface FleetOptions {
  /** With the built server in `package/`. */
  readonly build: string;
  readonly boundMs: number;
}

export class Fleet {
  readonly boxes: readonly Box[];
  readonly admin: Admin;
  readonly redisAdmin: Redis;
  /** The database itself, past the proxies. */
  readonly url: string;
  readonly #folder: string;
  #postgres: EmbeddedPostgres;
  #redis: PrivateRedis;

  private constructor(
    folder: string,
    postgres: EmbeddedPostgres,
    redis: PrivateRedis,
    redisAdmin: Redis,
    boxes: readonly Box[],
  ) {
    this.#folder = folder;
    this.#postgres = postgres;
    this.#redis = redis;
    this.redisAdmin = redisAdmin;
    this.boxes = boxes;
    this.url = postgres.url;
    this.admin = new Admin(postgres.url);
  }

  static async start({ build, boundMs }: FleetOptions): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'crs-check-'));
    chmodSync(folder, 0o755); // as root, Postgres runs as another user, who has to get in
    layOut(folder, build);
    const postgres = await startPostgres(folder);
    const admin = new Admin(postgres.url);
    await admin.query(SCHEMA);
    await admin.close();
    const redis = await startRedis(folder);
    const redisAdmin = new Redis({ path: join(folder, 'redis/redis.sock'), maxRetriesPerRequest: null });
    redisAdmin.on('error', () => {});
    const box = (name: string) =>
      Box.start({
        name,
        folder,
        redisSocket: join(folder, 'redis/redis.sock'),
        postgres: new URL(postgres.url),
        boundMs,
      });
    const boxes = await Promise.all([box('a'), box('b')]);
    return new Fleet(folder, postgres, redis, redisAdmin, boxes);
  }

  /** Ends it in order, which saves what it holds, or with -9; while it is down `meanwhile` runs. */
  async restartRedis(how: 'saved' | 'killed', meanwhile: (folder: string) => Promise<void>): Promise<void> {
    if (how === 'killed') {
      const [, pid] = /process_id:(\d+)/.exec(await this.redisAdmin.info('server')) ?? [];
      process.kill(Number(pid), 'SIGKILL');
    }
    await this.#redis.close();
    const folder = join(this.#folder, 'redis');
    await meanwhile(folder);
    this.#redis = await startRedis(this.#folder);
  }

  async restartPostgres(): Promise<void> {
    const { port } = this.#postgres;
    await this.#postgres.close();
    this.#postgres = await startPostgres(this.#folder, port);
  }

  async close(): Promise<void> {
    await Promise.all(this.boxes.map((box) => box.close()));
    this.redisAdmin.disconnect();
    await this.admin.close();
    await this.#redis.close();
    await this.#postgres.close();
    rmSync(this.#postgres.folder, { recursive: true, force: true });
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** As superuser, and back by itself when its session was ended. */
export class Admin {
  readonly #url: string;
  #client: pg.Client | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async query<R extends object>(sql: string): Promise<R[]> {
    for (let failures = 0; ; failures++) {
      try {
        this.#client ??= await this.#connect();
        return (await this.#client.query<R>(sql)).rows;
      } catch (error) {
        this.#client = undefined;
        const isRefusal = error instanceof pg.DatabaseError && !error.code?.startsWith('57');
        if (isRefusal || failures > 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url, application_name: 'coherence-admin' });
    client.on('error', () => {});
    await client.connect();
    return client;
  }
}

/** package/ the build, site/ the application, which finds the server by its name. */
function layOut(folder: string, build: string): void {
  cpSync(join(build, 'package'), join(folder, 'package'), { recursive: true, verbatimSymlinks: true });
  const site = join(folder, 'site');
  cpSync(join(repository, 'test/coherence/app'), site, { recursive: true });
  mkdirSync(join(site, 'node_modules'));
  symlinkSync(join(folder, 'package'), join(site, 'node_modules/coherent-render-server'));
  symlinkSync(join(repository, 'node_modules/zod'), join(site, 'node_modules/zod'));
}

function startPostgres(folder: string, port?: number): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDir: folder,
    logger: silent,
    settings: { fsync: 'off', max_connections: '200' },
    ...(port !== undefined && { port }),
  });
}

function startRedis(folder: string): Promise<PrivateRedis> {
  return PrivateRedis.start({
    program: redisProgram(),
    folder: join(folder, 'redis'),
    maxMemoryMb: 128,
    clock: systemClock,
  });
}
