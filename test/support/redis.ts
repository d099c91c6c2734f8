// Private Redis servers for tests. They end with the test that started them, also when it is killed.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { systemClock } from '../../src/core/clock.ts';
import { PrivateRedis } from '../../src/embedded/redis.ts';
import { needProgram, REDIS } from './programs.ts';

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  /** A client with the library's own defaults, for looking in and for breaking things. Closed with the server. */
  readonly admin: Redis;
  pid(): Promise<number>;
  close(): Promise<void>;
}

/** On a unix socket of its own. */
export async function testRedis(): Promise<TestRedis> {
  const program = redisProgram();
  const folder = mkdtempSync(join(tmpdir(), 'crs-redis-'));
  const server = await PrivateRedis.start({ program, folder, maxMemoryMb: 64, clock: systemClock });
  const admin = new Redis({ path: join(folder, 'redis.sock'), maxRetriesPerRequest: null });
  admin.on('error', () => {});
  const close = async () => {
    admin.disconnect();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    url: server.url,
    folder,
    admin,
    pid: () => redisPid(admin),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Of the server that answers, however it was started. */
export async function redisPid(admin: Redis): Promise<number> {
  const [, pid] = /process_id:(\d+)/.exec(await admin.info('server')) ?? [];
  return Number(pid);
}

/** The server program of this machine; the error names the package. */
export function redisProgram(): string {
  return needProgram(REDIS);
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Waits for a condition that comes true by itself; the test's own time limit is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
