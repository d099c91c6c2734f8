// COMMIT to applied: how long after a commit every worker of two hosts knows that what it made from the row is old.
//
// Real processes and one clock that all processes of a machine share. Each commit changes rows of its own, and each worker
// notes when it has applied the purge of a row (applied.ts), so nothing is polled and nobody is asked while it runs.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Applied, lastAppliedUs, notesOf, quantiles, startNoting } from './applied-times.ts';
import { nowUs } from './machine.ts';
import type { Table } from './table.ts';
import { BOXES, WORKERS } from './two-hosts.ts';

const WARM_UP: Load = { name: 'warm-up', goal: '', writers: 1, everyMs: 20, rows: 1, seconds: 2 };
const LOADS: readonly Load[] = [
  {
    name: 'idle: 20 commits/s of one row',
    goal: 'p50 5, p99 20',
    writers: 1,
    everyMs: 50,
    rows: 1,
    seconds: 20,
  },
  { name: '1,000 rows/s: 200 commits/s of 5', goal: 'p99 50', writers: 4, everyMs: 20, rows: 5, seconds: 10 },
  {
    name: '20,000 rows/s: 20 commits/s of 1,000',
    goal: 'keeps up',
    writers: 2,
    everyMs: 100,
    rows: 1000,
    seconds: 5,
  },
];
const ROWS = [WARM_UP, ...LOADS].reduce(
  (all, { writers, everyMs, rows, seconds }) => all + writers * rows * Math.ceil((seconds * 1000) / everyMs),
  0,
);

interface Load {
  readonly name: string;
  readonly goal: string;
  readonly writers: number;
  /** Of one writer. */
  readonly everyMs: number;
  /** Of one commit. */
  readonly rows: number;
  readonly seconds: number;
}

/** By the clock that all processes share. */
interface Commit {
  /** The first of its rows. */
  readonly id: number;
  readonly sentUs: number;
  readonly returnedUs: number;
}

export async function commit(): Promise<Table[]> {
  await using boxes = await startNoting(ROWS);
  let next = 0;
  const newRows = (count: number): number => {
    next += count;
    return next - count;
  };
  // The first commits find everybody cold.
  await write(boxes.url, WARM_UP, newRows);
  const measured: { load: Load; commits: readonly Commit[] }[] = [];
  for (const load of LOADS) measured.push({ load, commits: await write(boxes.url, load, newRows) });
  await pause(1000);
  const workers = await notesOf(boxes);
  return [tableOf(measured, workers)];
}

/** Commits at a steady pace, however long one takes. */
async function write(
  url: string,
  { writers, everyMs, rows, seconds }: Load,
  newRows: (count: number) => number,
): Promise<readonly Commit[]> {
  const commits: Commit[] = [];
  const endsAt = performance.now() + seconds * 1000;
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      let dueAt = performance.now() + (everyMs * writer) / writers;
      for (; dueAt < endsAt; dueAt += everyMs) {
        await pause(Math.max(0, dueAt - performance.now()));
        const id = newRows(rows);
        const sentUs = nowUs();
        // One statement is one transaction: its answer is the answer to COMMIT.
        await client.query(
          `UPDATE commits SET version = version + 1 WHERE id >= ${id} AND id < ${id + rows}`,
        );
        commits.push({ id, sentUs, returnedUs: nowUs() });
      }
      await client.end();
    }),
  );
  return commits;
}

function tableOf(
  measured: readonly { load: Load; commits: readonly Commit[] }[],
  workers: readonly Applied[],
): Table {
  return {
    title: 'From COMMIT to every worker',
    notes: [
      `Milliseconds from a commit until all ${BOXES * WORKERS} workers of ${BOXES} hosts have applied its purge: their caches hold nothing made before it.`,
      'Real processes, Redis, Postgres with fsync. Times are of one clock, noted in memory by each worker (about 1 us) and read when all is over.',
      '`returned`: since the writer had read the answer to COMMIT, which may be a little after it came; less than 0 counts as 0. `sent`: since it',
      'sent the statement, execution and flush included. The truth of "COMMIT returned" lies between the two.',
    ],
    columns: ['load', 'commits', 'since', 'p50 ms', 'p90', 'p99', 'most', 'goal'],
    rows: measured.flatMap(({ load, commits }) => {
      const row = (name: string, from: (each: Commit) => number, goal: string) => [
        load.name,
        String(commits.length),
        name,
        ...quantiles(
          commits.map((each) => lastAppliedUs(each.id, workers) - from(each)),
          [0.5, 0.9, 0.99, 1],
        ),
        goal,
      ];
      return [
        row('returned', ({ returnedUs }) => returnedUs, load.goal),
        row('sent', ({ sentUs }) => sentUs, ''),
      ];
    }),
  };
}
