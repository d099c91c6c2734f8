// Two boxes over one Redis and one Postgres, or one box alone with a Postgres; real processes that end with the check.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/services/postgres.ts';
import { layOut } from '../support/lay-out.ts';
import { pause } from '../support/pause.ts';
import { freePort } from '../support/redis.ts';
import { RunningRedis } from '../support/running-redis.ts';
import { silent } from '../support/silent.ts';
import { Box } from './box.ts';
import { SCHEMA } from './history.ts';

export interface FleetOptions {
  /** With the built server in `package/`. */
  readonly build: string;
  readonly boundMs: number;
  /** One box, without Redis. */
  readonly alone?: boolean;
}

export class Fleet {
  readonly boxes: readonly Box[];
  readonly admin: Admin;
  /** The database itself, past the proxies. */
  readonly url: string;
  readonly #folder: string;
  #postgres: EmbeddedPostgres;
  #redis: RunningRedis | undefined;
  #redisChanges: Promise<void> = Promise.resolve();

  private constructor(
    folder: string,
    postgres: EmbeddedPostgres,
    redis: RunningRedis | undefined,
    boxes: readonly Box[],
  ) {
    this.#folder = folder;
    this.#postgres = postgres;
    this.#redis = redis;
    this.boxes = boxes;
    this.url = postgres.url;
    this.admin = new Admin(postgres.url);
  }

  get redisAdmin(): Redis {
    return this.#redisInCharge.admin;
  }

  get #redisInCharge(): RunningRedis {
    if (this.#redis === undefined) throw new Error('This fleet has no Redis');
    return this.#redis;
  }

  static async start({ build, boundMs, alone = false }: FleetOptions): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'crs-check-'));
    chmodSync(folder, 0o755); // as root, Postgres runs as another user, who has to get in
    layOut(folder, build, 'test/coherence/app');
    const postgres = await startPostgres(folder);
    const admin = new Admin(postgres.url);
    await admin.query(SCHEMA);
    await admin.close();
    const redis = alone ? undefined : await RunningRedis.start(folder, 'redis');
    const box = (name: string) =>
      Box.start({
        name,
        folder,
        redisSocket: redis?.socket,
        postgres: new URL(postgres.url),
        boundMs,
      });
    const boxes = await Promise.all(alone ? [box('a')] : [box('a'), box('b')]);
    return new Fleet(folder, postgres, redis, boxes);
  }

  /** Ends it in order, which saves what it holds, or with -9; while it is down `meanwhile` runs. */
  async restartRedis(how: 'saved' | 'killed', meanwhile: (folder: string) => Promise<void>): Promise<void> {
    await this.#afterOthers(async () => {
      const redis = this.#redisInCharge;
      if (how === 'killed') await redis.kill();
      await redis.end();
      await meanwhile(redis.folder);
      await redis.startAgain();
    });
  }

  /**
   * A replica takes over, as Sentinel and Cluster have it do: it lacks what the old one accepted while the line between
   * them was cut, for `behindMs`.
   */
  async failOverRedis(behindMs: number): Promise<void> {
    await this.#afterOthers(() => this.#failOverRedis(behindMs));
  }

  /** Two faults that come at once may both be the end of this Redis; nobody can start it twice. */
  async #afterOthers(work: () => Promise<void>): Promise<void> {
    const mine = this.#redisChanges.then(work);
    this.#redisChanges = mine.catch(() => {});
    await mine;
  }

  async #failOverRedis(behindMs: number): Promise<void> {
    const before = this.#redisInCharge;
    const name = before.name === 'redis' ? 'redis-2' : 'redis';
    rmSync(join(this.#folder, name), { recursive: true, force: true });
    const replica = await RunningRedis.start(this.#folder, name);
    const port = String(await freePort());
    await before.admin.config('SET', 'port', port);
    await replica.admin.replicaof('127.0.0.1', port);
    while (!(await replica.admin.info('replication')).includes('master_link_status:up')) await pause(20);
    await replica.admin.replicaof('127.0.0.1', '1');
    await pause(behindMs);
    await before.kill();
    for (const { redis } of this.boxes) redis.retarget({ path: replica.socket });
    await replica.admin.replicaof('NO', 'ONE');
    this.#redis = replica;
    await before.close();
  }

  async restartPostgres(): Promise<void> {
    const { port } = this.#postgres;
    await this.#postgres.close();
    this.#postgres = await startPostgres(this.#folder, port);
  }

  async close(): Promise<void> {
    await Promise.all(this.boxes.map((box) => box.close()));
    await this.admin.close();
    await this.#redis?.close();
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
        await pause(100);
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

function startPostgres(folder: string, port?: number): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDir: folder,
    logger: silent,
    settings: {
      fsync: 'off',
      max_connections: '200',
      max_prepared_transactions: '20',
      // Few segments: a slot that is behind can be lost.
      max_slot_wal_keep_size: '48MB',
      min_wal_size: '32MB',
      max_wal_size: '64MB',
    },
    ...(port !== undefined && { port }),
  });
}
