// Two boxes over one Redis and one Postgres, all of them real processes, as a user would start them.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/services/postgres.ts';
import { RunningRedis } from '../test/support/running-redis.ts';
import { TcpProxy } from '../test/support/tcp-proxy.ts';
import { Contestant } from './contestant.ts';
import { freePort } from './peers.ts';
import { silent } from './silent.ts';

/** dist/, as this file runs as dist/bench/two-boxes.js. */
const dist = fileURLToPath(new URL('..', import.meta.url));

export const BOXES = 2;
export const WORKERS = 2;

export interface Stage {
  /** SQL, before anybody follows. */
  readonly schema: string;
  /** Of the servers, made when the folder is known. */
  readonly env?: (folder: string) => Readonly<Record<string, string>>;
  /** Each box reaches Redis by way of a proxy (`waysToRedis`), for who wants to see or to lose what passes. */
  readonly proxied?: boolean;
}

export class TwoBoxes implements AsyncDisposable {
  /** Of the database, whose tables are followed. */
  readonly url: string;
  /** Its own, and gone with it. */
  readonly folder: string;
  readonly redis: RunningRedis;
  /** One a box, where they are wanted. */
  readonly waysToRedis: readonly TcpProxy[];
  readonly #boxes: Contestant[] = [];
  readonly #closing: (() => unknown)[];

  private constructor(
    folder: string,
    url: string,
    redis: RunningRedis,
    ways: readonly TcpProxy[],
    closing: (() => unknown)[],
  ) {
    this.folder = folder;
    this.url = url;
    this.redis = redis;
    this.waysToRedis = ways;
    this.#closing = closing;
  }

  static async start({ schema, env = () => ({}), proxied = false }: Stage): Promise<TwoBoxes> {
    const folder = mkdtempSync(path.join(tmpdir(), 'coherent-boxes-'));
    const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
    try {
      const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'db'), logger: silent });
      closing.push(
        () => rmSync(postgres.folder, { recursive: true, force: true }),
        () => postgres.close(),
      );
      const redis = await RunningRedis.start(folder, 'redis');
      closing.push(() => redis.close());
      const ways: TcpProxy[] = [];
      for (let box = 0; proxied && box < BOXES; box++) {
        const way = await TcpProxy.to({ path: redis.socket });
        ways.push(way);
        closing.push(() => way.close());
      }
      const boxes = new TwoBoxes(folder, postgres.url, redis, ways, closing);
      await sql(postgres.url, schema);
      for (let box = 0; box < BOXES; box++) {
        const way = ways[box];
        const redisUrl =
          way === undefined ? `unix://${encodeURI(redis.socket)}` : `redis://127.0.0.1:${way.port}`;
        boxes.#boxes.push(await startBox(folder, box, postgres.url, redisUrl, env(folder)));
      }
      await boxes.#followed();
      return boxes;
    } catch (error) {
      for (const close of closing.reverse()) await close();
      throw error;
    }
  }

  get origins(): readonly string[] {
    return this.#boxes.map(({ origin }) => origin);
  }

  /** Ends the servers in order; the database goes on. */
  async stop(): Promise<void> {
    await Promise.all(this.#boxes.splice(0).map((box) => box[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    for (const close of this.#closing.reverse()) await close();
  }

  /** A table that has just been published counts once all transactions of before have ended. */
  async #followed(): Promise<void> {
    const all = `SELECT 1 FROM pg_publication_tables WHERE pubname = 'coherent_tracked'`;
    await until('a table is followed', async () => (await sql(this.url, all)).length > 0);
  }
}

async function startBox(
  folder: string,
  box: number,
  database: string,
  redis: string,
  env: Readonly<Record<string, string>>,
): Promise<Contestant> {
  const data = path.join(folder, `box-${box}`);
  mkdirSync(data);
  const port = await freePort();
  const operations = await freePort();
  const started = await Contestant.start({
    name: `box ${box}`,
    what: '',
    command: process.execPath,
    args: [path.join(dist, 'server.js')],
    port,
    readyPath: '/card/1',
    env: {
      PORT: String(port),
      HOST: '127.0.0.1',
      OPS_PORT: String(operations),
      WORKERS: String(WORKERS),
      APP: path.join(dist, 'bench/app'),
      DATA_DIR: data,
      DATABASE_URL: database,
      REDIS_URL: redis,
      FEED: 'on',
      SHUTDOWN_DELAY_MS: '0',
      LOG_LEVEL: 'error',
      ...env,
    },
  });
  // One worker is enough to be ready; connections that stay would all go to it.
  await until('every worker serves', async () => {
    const status = (await (await fetch(`http://127.0.0.1:${operations}/readyz`)).json()) as {
      serving?: number;
    };
    return status.serving === WORKERS;
  });
  return started;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Not so within 30 s: ${what}.`);
}

async function sql(url: string, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(text);
    return rows ?? [];
  } finally {
    await client.end();
  }
}
