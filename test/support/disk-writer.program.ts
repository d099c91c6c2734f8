// Writes entries to a folder of L3 as fast as it can until it is killed. Argument: the folder.

import { DiskStore } from '../../src/cache/disk/disk.ts';
import { pageCodec } from '../../src/cache/shared/codec.ts';
import { EnvelopeTier } from '../../src/cache/shared/envelope-tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import { KEYS, selfProving } from './self-proving.ts';
import { silent } from './silent.ts';

const [, , folder = ''] = process.argv;
const store = new DiskStore({
  folder,
  clock: systemClock,
  log: silent,
  random: Math.random,
  maxBytes: 2e6,
  writers: 2,
  pid: process.pid,
});
const tier = new EnvelopeTier({ name: 'l3', clock: systemClock, codec: pageCodec, store });
const write = () => {
  const key = `k${Math.floor(Math.random() * KEYS)}`;
  return tier.set(key, selfProving(key, Math.floor(Math.random() * 40_000)));
};
await write();
process.send?.('writing');
for (;;) await Promise.all([write(), write(), write(), write()]);
