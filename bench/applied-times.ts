// What the workers of two hosts wrote down of the purges of `commits` (applied.ts).
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { BOXES, TwoBoxes, WORKERS } from './two-hosts.ts';

/** Of one worker, by id. Microseconds of the clock that all processes of a machine share. */
export interface Applied {
  readonly appliedUs: Readonly<Record<string, number>>;
  /** When a reading found that messages had not brought it. */
  readonly missedUs: Readonly<Record<string, number>>;
}

/** Two hosts whose workers take notes, over a table of so many rows. */
export function startNoting(rows: number, proxied = false): Promise<TwoBoxes> {
  const schema = `CREATE TABLE commits (id int PRIMARY KEY, version int NOT NULL);
    INSERT INTO commits SELECT id, 1 FROM generate_series(0, ${rows}) id; ANALYZE;`;
  const env = (folder: string) => {
    mkdirSync(notesIn(folder), { recursive: true });
    const preload = new URL('applied.js', import.meta.url).href;
    return { NODE_OPTIONS: `--import=${preload}`, BENCH_APPLIED: notesIn(folder) };
  };
  return TwoBoxes.start({ schema, env, proxied });
}

/** Ends the servers: only then are the notes written. */
export async function notesOf(boxes: TwoBoxes): Promise<readonly Applied[]> {
  await boxes.stop();
  const folder = notesIn(boxes.folder);
  const workers = readdirSync(folder).map(
    (file): Applied => JSON.parse(readFileSync(path.join(folder, file), 'utf8')),
  );
  if (workers.length !== BOXES * WORKERS) throw new Error(`${workers.length} workers have applied anything`);
  return workers;
}

export function appliedUs(id: number, worker: Applied): number {
  const us = worker.appliedUs[id];
  if (us === undefined) throw new Error(`A worker never heard of row ${id}`);
  return us;
}

export function lastAppliedUs(id: number, workers: readonly Applied[]): number {
  return Math.max(...workers.map((worker) => appliedUs(id, worker)));
}

/** As cells: the times at these shares of all, in milliseconds. Less than 0 counts as 0. */
export function quantiles(timesUs: readonly number[], shares: readonly number[]): string[] {
  const sorted = timesUs.map((us) => Math.max(0, us) / 1000).sort((a, b) => a - b);
  return shares.map((share) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed(1),
  );
}

function notesIn(folder: string): string {
  return path.join(folder, 'applied');
}
