// Loaded into every process of a measured server (node --import): writes down when a worker had applied the purge of a row
// of `commits`, and where no message had brought it, when it was found missing. In memory, and into a file when the
// process ends: nothing is written, sent or asked for meanwhile. applied-times.ts reads it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { CoherenceMeter } from '../src/invalidation/measure/coherence-meter.ts';
import { RedisBus } from '../src/invalidation/redis/redis-bus.ts';
import type { Applied } from './applied-times.ts';
import { nowUs } from './machine.ts';

const folder = process.env.BENCH_APPLIED;
const ROW = /^commits#(\d+)$/;
const appliedUs: Record<string, number> = {};
const missedUs: Record<string, number> = {};

const count = CoherenceMeter.prototype.purge;
CoherenceMeter.prototype.purge = function purge(this: CoherenceMeter, ...args): void {
  // Listeners are told in order, and the purge clock is the first of them.
  note(appliedUs, args[0].keys, nowUs());
  count.apply(this, args);
};

const readSince = RedisBus.prototype.readSince;
RedisBus.prototype.readSince = async function read(this: RedisBus, ...args) {
  // The reading has just told that there is more than the messages brought.
  const now = nowUs();
  const purges = await readSince.apply(this, args);
  for (const { keys } of purges ?? []) note(missedUs, keys, now);
  return purges;
};

function note(times: Record<string, number>, keys: readonly string[], us: number): void {
  for (const key of keys) {
    const id = ROW.exec(key)?.[1];
    if (id !== undefined) times[id] ??= us;
  }
}

process.on('exit', () => {
  if (folder === undefined || Object.keys(appliedUs).length === 0) return;
  const applied: Applied = { appliedUs, missedUs };
  writeFileSync(path.join(folder, `${process.pid}.json`), JSON.stringify(applied));
});
