// Loaded into every process of a measured server (node --import): writes down when a worker had applied the purge of a row
// of `commits`. In memory, and into a file when the process ends: nothing is written, sent or asked for meanwhile.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { CoherenceFigures } from '../src/invalidation/coherence-figures.ts';

const folder = process.env.BENCH_APPLIED;
const ROW = /^commits#(\d+)$/;
/** By id: microseconds of the clock that all processes of a machine share. */
const appliedUs: Record<string, number> = {};

const count = CoherenceFigures.prototype.purge;
CoherenceFigures.prototype.purge = function purge(this: CoherenceFigures, ...args): void {
  // Listeners are told in order, and the purge clock is the first of them.
  const now = Number(process.hrtime.bigint() / 1000n);
  for (const key of args[0].keys) {
    const id = ROW.exec(key)?.[1];
    if (id !== undefined) appliedUs[id] ??= now;
  }
  count.apply(this, args);
};

process.on('exit', () => {
  if (folder === undefined || Object.keys(appliedUs).length === 0) return;
  writeFileSync(path.join(folder, `${process.pid}.json`), JSON.stringify(appliedUs));
});
