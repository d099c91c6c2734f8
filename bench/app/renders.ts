// Counts renders over all processes of a contestant: one byte a render at the end of one file, or one line.
import { appendFileSync } from 'node:fs';

export function countRender(): void {
  const file = process.env.BENCH_RENDERS;
  if (file !== undefined) appendFileSync(file, '.');
}

/** Which process read the database for which page, and when by the clock that all processes share: one line a render. */
export function noteLoad(page: number): void {
  const file = process.env.BENCH_LOADS;
  if (file !== undefined) appendFileSync(file, `${process.pid} ${page} ${process.hrtime.bigint() / 1000n}\n`);
}
