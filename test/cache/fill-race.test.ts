// Renders and purges in every order we can think of: no entry is ever served that was purged after its stamp.
// HISTORIES=100000 npx vitest run test/cache/fill-race.test.ts is the long form.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskStore } from '../../src/cache/disk/disk.ts';
import { RedisStore } from '../../src/cache/redis/redis.ts';
import { RedisCapacity } from '../../src/cache/redis/redis-capacity.ts';
import { RedisCommands } from '../../src/cache/redis/redis-commands.ts';
import { connectForCommands } from '../../src/cache/redis/redis-connect.ts';
import { fragmentCodec } from '../../src/cache/shared/codec.ts';
import { EnvelopeTier } from '../../src/cache/shared/envelope-tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import { parseRedisUrl } from '../../src/core/redis-url.ts';
import { seeded } from '../support/chaos-tier.ts';
import { fillRace, type WorldOptions } from '../support/fill-race.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';
import { silent } from '../support/silent.ts';

const histories = Number(process.env.HISTORIES ?? 3000);
const firstSeed = Number(process.env.SEED ?? 1);
const timeout = 30_000 + histories * 20;

async function run(options: WorldOptions, count: number): Promise<number> {
  let reads = 0;
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const result = await fillRace(seed, options);
    expect(result.violations, `SEED=${seed} HISTORIES=1`).toEqual([]);
    reads += result.reads;
  }
  return reads;
}

describe('the fill race', () => {
  const worlds: Record<string, WorldOptions> = {
    'in L1': { workers: 1, shared: [], coordinated: false },
    'in L1 and L2': { workers: 1, shared: ['l2'], coordinated: false },
    'in L1 and L3': { workers: 1, shared: ['l3'], coordinated: false },
    'between two workers over L2': { workers: 2, shared: ['l2'], coordinated: false },
    'between two workers whose shared tiers throw, hang and lose writes': {
      workers: 2,
      shared: ['l2', 'l3'],
      coordinated: true,
      chaos: true,
    },
    'between two workers that agree on who renders, over L2 and L3': {
      workers: 2,
      shared: ['l2', 'l3'],
      coordinated: true,
    },
  };
  const share = Math.ceil(histories / Object.keys(worlds).length);

  it.each(Object.entries(worlds))(
    'is closed %s',
    async (_, options) => {
      expect(await run(options, share)).toBeGreaterThan(share);
    },
    timeout,
  );
});

describe('the fill race over real stores', () => {
  const few = Math.ceil(histories / 60);
  let redis: TestRedis;
  let commands: RedisCommands;
  let folder: string;
  let world = 0;
  beforeAll(async () => {
    redis = await testRedis();
    const client = connectForCommands(parseRedisUrl(redis.url), 5000);
    await new Promise((resolve) => client.once('ready', resolve));
    commands = new RedisCommands({ client, clock: systemClock, log: silent, random: seeded(1) });
    folder = mkdtempSync(join(tmpdir(), 'crs-race-'));
  });
  afterAll(async () => {
    await commands.close();
    await redis.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (name: 'l2' | 'l3', clock: ManualClock) => {
    const common = { clock, log: silent, random: seeded(1) };
    const store =
      name === 'l2'
        ? new RedisStore({
            commands,
            prefix: `w${world++}:`,
            room: new RedisCapacity({ commands, clock: systemClock }),
          })
        : new DiskStore({
            ...common,
            folder: join(folder, `w${world++}`),
            maxBytes: 1e7,
            writers: 1,
            pid: 1,
          });
    return new EnvelopeTier({ name, clock, codec: fragmentCodec, store });
  };

  it(
    'is closed between two workers over Redis and the disk',
    async () => {
      expect(await run({ workers: 2, shared: ['l2', 'l3'], coordinated: true, open }, few)).toBeGreaterThan(
        few,
      );
    },
    timeout,
  );
});
