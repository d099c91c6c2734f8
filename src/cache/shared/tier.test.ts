import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChaosTier, seeded } from '../../../test/support/chaos-tier.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { testRedis } from '../../../test/support/redis.ts';
import { silent } from '../../../test/support/silent.ts';
import { systemClock } from '../../core/clock.ts';
import { parseRedisUrl } from '../../core/redis-url.ts';
import type { Validity } from '../../core/validity.ts';
import { DiskStore } from '../disk/disk.ts';
import type { PageEntry } from '../entry.ts';
import { MemoryTier } from '../memory/memory.ts';
import { weighPage } from '../memory/weight.ts';
import { RedisStore } from '../redis/redis.ts';
import { RedisCapacity } from '../redis/redis-capacity.ts';
import { RedisCommands } from '../redis/redis-commands.ts';
import { connectForCommands } from '../redis/redis-connect.ts';
import { pageCodec } from './codec.ts';
import { EnvelopeTier } from './envelope-tier.ts';
import { type TierUnderTest, tierContract } from './tier.contract.ts';
import type { Tier } from './tier.ts';

/** L1 has no I/O and so another shape; this is that shape as a tier. */
class MemoryAsTier implements Tier<PageEntry> {
  readonly name = 'l2';
  readonly usable = true;
  readonly #memory: MemoryTier<PageEntry>;

  constructor(memory: MemoryTier<PageEntry>) {
    this.#memory = memory;
  }

  async get(key: string) {
    return this.#memory.get(key)?.cached.value;
  }

  async set(key: string, value: PageEntry) {
    this.#memory.set(key, value, 'group');
  }

  async delete(key: string) {
    this.#memory.delete(key);
  }

  async clear() {
    this.#memory.clear();
  }

  stats() {
    const { pinned: _, ...stats } = this.#memory.stats();
    return stats;
  }

  async close() {}
}

async function l1(): Promise<TierUnderTest> {
  const clock = new ManualClock();
  // Every stamp that the contract makes up is good, or nothing could be held.
  const validity: Validity = {
    seq: 0,
    version: 1,
    trustedUntil: Number.POSITIVE_INFINITY,
    degradedTtlMs: 0,
    stamp: () => ({ epoch: 'e1', seq: 0 }),
    slotsOf: (keys) => new Uint32Array(keys.length),
    judge: () => 'valid',
  };
  const memory = new MemoryTier({
    clock,
    validity,
    weigh: weighPage,
    maxBytes: 8 * 2 ** 20,
    maxGroupShare: 1,
  });
  return { tier: new MemoryAsTier(memory), now: () => clock.now(), close: async () => {} };
}

async function l2(): Promise<TierUnderTest> {
  const server = await testRedis();
  const client = connectForCommands(parseRedisUrl(server.url), 1000);
  await new Promise((resolve) => client.once('ready', resolve));
  const commands = new RedisCommands({ client, clock: systemClock, log: silent, random: seeded(1) });
  const store = new RedisStore({
    commands,
    prefix: 'test:',
    room: new RedisCapacity({ commands, clock: systemClock }),
  });
  const close = async () => {
    await commands.close();
    await server.close();
  };
  return {
    tier: new EnvelopeTier({ name: 'l2', clock: systemClock, codec: pageCodec, store }),
    now: () => systemClock.now(),
    close,
  };
}

async function l3(): Promise<TierUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'crs-disk-'));
  const store = new DiskStore({
    folder,
    clock: systemClock,
    log: silent,
    random: seeded(1),
    maxBytes: 1e8,
    writers: 1,
    pid: process.pid,
  });
  return {
    tier: new EnvelopeTier({ name: 'l3', clock: systemClock, codec: pageCodec, store }),
    now: () => systemClock.now(),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

function inChaos(open: () => Promise<TierUnderTest>): () => Promise<TierUnderTest> {
  return async () => {
    const subject = await open();
    const random = seeded(42);
    const delay = async () => {
      for (let turns = Math.floor(random() * 3); turns > 0; turns--) await new Promise(setImmediate);
    };
    const chaos = { random, delay, throwShare: 0.2, loseShare: 0.2 };
    return { ...subject, tier: new ChaosTier(subject.tier, chaos) };
  };
}

for (const [name, open] of Object.entries({ L1: l1, L2: l2, L3: l3 })) {
  tierContract(name, open);
  tierContract(`${name} in chaos`, inChaos(open), { lossy: true });
}
