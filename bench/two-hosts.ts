// Two hosts over one Redis and one Postgres, all of them real processes, as a user would start them.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningRedis } from '../test/support/running-redis.ts';
import { TcpProxy } from '../test/support/tcp-proxy.ts';
import { Backing, followed, query, until } from './backing.ts';
import { Contestant } from './contestant.ts';
import { freePort } from './peers.ts';

/** dist/, as this file runs as dist/bench/two-hosts.js. */
const dist = fileURLToPath(new URL('..', import.meta.url));

export const BOXES = 2;
export const WORKERS = 2;

export interface Stage {
  /** SQL, before anybody follows. */
  readonly schema: string;
  /** Of the servers, made when the folder is known. */
  readonly env?: (folder: string) => Readonly<Record<string, string>>;
  /** Each host reaches Redis by way of a proxy (`waysToRedis`), for who wants to see or to lose what passes. */
  readonly proxied?: boolean;
}

export class TwoBoxes implements AsyncDisposable {
  /** One a host, where they are wanted. */
  readonly waysToRedis: readonly TcpProxy[];
  readonly #backing: Backing;
  readonly #boxes: Contestant[] = [];

  private constructor(backing: Backing, ways: readonly TcpProxy[]) {
    this.#backing = backing;
    this.waysToRedis = ways;
  }

  static async start({ schema, env = () => ({}), proxied = false }: Stage): Promise<TwoBoxes> {
    const backing = await Backing.start();
    const ways: TcpProxy[] = [];
    const boxes = new TwoBoxes(backing, ways);
    try {
      const { folder, url, redis, redisUrl } = backing;
      await query(url, schema);
      for (let box = 0; box < BOXES; box++) {
        if (proxied) ways.push(await TcpProxy.to({ path: redis.socket }));
        const way = ways[box];
        const reached = way === undefined ? redisUrl : `redis://127.0.0.1:${way.port}`;
        boxes.#boxes.push(await startHost(folder, box, url, reached, env(folder)));
      }
      await followed(url, 1);
      return boxes;
    } catch (error) {
      await boxes[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of the database, whose tables are followed. */
  get url(): string {
    return this.#backing.url;
  }

  /** Its own, and gone with it. */
  get folder(): string {
    return this.#backing.folder;
  }

  get redis(): RunningRedis {
    return this.#backing.redis;
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
    for (const way of this.waysToRedis) await way.close();
    await this.#backing[Symbol.asyncDispose]();
  }
}

async function startHost(
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
    name: `host ${box}`,
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
