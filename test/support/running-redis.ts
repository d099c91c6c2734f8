import { join } from 'node:path';
import { Redis } from 'ioredis';
import { systemClock } from '../../src/core/clock.ts';
import { PrivateRedis } from '../../src/embedded/redis.ts';
import { redisPid, redisProgram } from './redis.ts';

/** A server that can be killed and started again, and a connection to it past the proxies. */
export class RunningRedis {
  readonly name: string;
  readonly folder: string;
  readonly socket: string;
  readonly admin: Redis;
  #server: PrivateRedis;

  private constructor(name: string, folder: string, server: PrivateRedis) {
    this.name = name;
    this.folder = folder;
    this.socket = join(folder, 'redis.sock');
    this.#server = server;
    this.admin = new Redis({ path: this.socket, maxRetriesPerRequest: null });
    this.admin.on('error', () => {});
  }

  static async start(inside: string, name: string): Promise<RunningRedis> {
    const folder = join(inside, name);
    return new RunningRedis(name, folder, await startRedis(folder));
  }

  pid(): Promise<number> {
    return redisPid(this.admin);
  }

  async kill(): Promise<void> {
    process.kill(await this.pid(), 'SIGKILL');
  }

  end(): Promise<void> {
    return this.#server.close();
  }

  async startAgain(): Promise<void> {
    this.#server = await startRedis(this.folder);
  }

  async close(): Promise<void> {
    this.admin.disconnect();
    await this.end();
  }
}

function startRedis(folder: string): Promise<PrivateRedis> {
  return PrivateRedis.start({ program: redisProgram(), folder, maxMemoryMb: 128, clock: systemClock });
}
