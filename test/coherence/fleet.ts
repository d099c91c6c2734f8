// Two hosts over one Redis and one Postgres, or one host alone with a Postgres; real processes that end with the check.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { EmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { layOut } from '../support/lay-out.ts';
import { pause } from '../support/pause.ts';
import { Pgbouncer } from '../support/pgbouncer.ts';
import { freePort } from '../support/redis.ts';
import { RunningRedis } from '../support/running-redis.ts';
import type { Admin } from './admin.ts';
import { type CopyKind, FleetDatabase } from './database.ts';
import { SCHEMA } from './history.ts';
import { Host } from './host.ts';

export interface FleetOptions {
  /** With the built server in `package/`. */
  readonly build: string;
  readonly boundMs: number;
  /** One host, without Redis. */
  readonly alone?: boolean;
  /** Pages go through pgbouncer, in transaction mode. */
  readonly pooler?: boolean;
}

export class Fleet {
  readonly boxes: readonly Host[];
  readonly database: FleetDatabase;
  readonly #folder: string;
  readonly #pooler: Pgbouncer | undefined;
  #redis: RunningRedis | undefined;
  #redisChanges: Promise<void> = Promise.resolve();

  private constructor(
    folder: string,
    database: FleetDatabase,
    pooler: Pgbouncer | undefined,
    redis: RunningRedis | undefined,
    boxes: readonly Host[],
  ) {
    this.#folder = folder;
    this.database = database;
    this.#pooler = pooler;
    this.#redis = redis;
    this.boxes = boxes;
  }

  get admin(): Admin {
    return this.database.admin;
  }

  get pooler(): Pgbouncer {
    if (this.#pooler === undefined) throw new Error('This fleet has no pooler: --pooler');
    return this.#pooler;
  }

  get redisAdmin(): Redis {
    return this.#redisInCharge.admin;
  }

  get #redisInCharge(): RunningRedis {
    if (this.#redis === undefined) throw new Error('This fleet has no Redis');
    return this.#redis;
  }

  static async start({ build, boundMs, alone = false, pooler = false }: FleetOptions): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'crs-check-'));
    chmodSync(folder, 0o755); // as root, Postgres runs as another user, who has to get in
    layOut(folder, build, 'test/coherence/app');
    const database = await FleetDatabase.start(folder);
    await database.admin.query(SCHEMA);
    const between = pooler
      ? await Pgbouncer.start(database.url, { mode: 'transaction', poolSize: 20 })
      : undefined;
    const redis = alone ? undefined : await RunningRedis.start(folder, 'redis');
    const box = (name: string) =>
      Host.start({
        name,
        folder,
        redisSocket: redis?.socket,
        pages: between?.url ?? database.url,
        feedPort: database.port,
        boundMs,
      });
    const boxes = await Promise.all(alone ? [box('a')] : [box('a'), box('b')]);
    return new Fleet(folder, database, between, redis, boxes);
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

  /** Pages, writers and the feeds of some hosts go to a copy. While nobody writes. */
  async moveToCopy(kind: CopyKind, feedsOf: readonly Host[]): Promise<EmbeddedPostgres> {
    const copy = await this.database.copy(kind);
    this.#lead(copy.port, feedsOf);
    return copy;
  }

  /** All of them come back. While nobody writes. */
  async moveBack(copy: EmbeddedPostgres): Promise<void> {
    await this.database.takeRowsOf(copy);
    this.#lead(this.database.port, this.boxes);
    await this.database.discard(copy);
  }

  /** Connections that stand end, as they do when a server goes away. */
  #lead(port: number, feedsOf: readonly Host[]): void {
    for (const line of [this.database.line, ...feedsOf.map(({ feedLine }) => feedLine)]) {
      line.retarget({ port });
      line.cut();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.boxes.map((box) => box.close()));
    await this.#redis?.close();
    await this.#pooler?.close();
    await this.database.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
