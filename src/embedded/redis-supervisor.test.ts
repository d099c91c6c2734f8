import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { LogLines } from '../../test/support/log-lines.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { redisProgram, until } from '../../test/support/redis.ts';
import { RedisSupervisor } from './redis-supervisor.ts';

const said = (logger: LogLines, message: string) => logger.lines.some((line) => line.message === message);

it('starts a Redis that died again, a second later, where it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crs-keeper-'));
  const clock = new ManualClock();
  const logger = new LogLines();
  const options = { program: redisProgram(), folder, maxMemoryMb: 16, clock, logger };
  const supervisor = await RedisSupervisor.start(options);
  const redis = new Redis({ path: join(folder, 'redis.sock'), maxRetriesPerRequest: null });
  redis.on('error', () => {});
  const [, pid] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];

  process.kill(Number(pid), 'SIGKILL');
  await until(() => said(logger, 'the private Redis stopped by itself'));
  clock.advance(999);
  expect(said(logger, 'the private Redis runs again')).toBe(false);
  clock.advance(1);
  await until(() => said(logger, 'the private Redis runs again'));
  const [, next] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];
  expect(next).not.toBe(pid);

  redis.disconnect();
  await supervisor.close();
  rmSync(folder, { recursive: true });
});
