import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { program } from '../../test/support/child.ts';
import { redisProgram, testRedis, until } from '../../test/support/redis.ts';
import { systemClock } from '../core/clock.ts';
import { PrivateRedis } from './redis.ts';
import { findRedisProgram } from './redis-program.ts';

const folderOf = () => mkdtempSync(join(tmpdir(), 'crs-redis-test-'));

describe('the program', () => {
  it('is the first redis-server or valkey-server on the PATH that may be run', () => {
    const folder = folderOf();
    const file = join(folder, 'valkey-server');
    writeFileSync(file, '');
    expect(findRedisProgram(`/nowhere:${folder}`)).toBeUndefined();
    chmodSync(file, 0o755);
    expect(findRedisProgram(`/nowhere:${folder}`)).toBe(file);
    expect(findRedisProgram('')).toBeUndefined();
    rmSync(folder, { recursive: true });
  });
});

describe('a private Redis', () => {
  it('answers once it has started, listens on no port, and keeps its data across a restart', async () => {
    const folder = folderOf();
    const options = { program: redisProgram(), folder, maxMemoryMb: 16, clock: systemClock };
    const first = await testRedis();
    expect(await first.admin.config('GET', 'port')).toEqual(['port', '0']);
    await first.close();
    expect(existsSync(first.folder)).toBe(false);
    const server = await PrivateRedis.start(options);
    await expect(PrivateRedis.start(options)).rejects.toMatchObject({ code: 'E_REDIS_START' });
    await server.close();
    expect(existsSync(join(folder, 'redis.sock'))).toBe(false);
    const again = await PrivateRedis.start(options);
    await again.close();
    rmSync(folder, { recursive: true });
  });

  it('says what the program said when it will not start', async () => {
    const folder = folderOf();
    const burning = join(folder, 'redis-server');
    writeFileSync(burning, '#!/bin/sh\necho the disk is on fire; exit 1\n', { mode: 0o755 });
    const start = PrivateRedis.start({ program: burning, folder, maxMemoryMb: 16, clock: systemClock });
    await expect(start).rejects.toThrow(/E_REDIS_START|the disk is on fire/);
    rmSync(folder, { recursive: true });
  });

  it('ends also when it cannot save what it holds', async () => {
    const server = await testRedis();
    await server.admin.set('kept', 'not');
    rmSync(server.folder, { recursive: true });
    await server.close();
  });

  it('ends when its owner is killed', async () => {
    const folder = folderOf();
    const owners = await program(new URL('../../test/support/redis-owner.program.ts', import.meta.url));
    const owner = owners.fork(redisProgram(), folder);
    await once(owner, 'message');
    expect(existsSync(join(folder, 'redis.sock'))).toBe(true);
    owner.kill('SIGKILL');
    await until(() => !existsSync(join(folder, 'redis.sock')));
    owners.remove();
    rmSync(folder, { recursive: true });
  });
});
