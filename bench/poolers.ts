// What a read costs over sessions of Postgres, in a form that relies on none, and through pgbouncer in transaction mode.

import { systemClock as clock } from '../src/core/clock.ts';
import type { Pooler } from '../src/data/pool/session-settings.ts';
import { Database } from '../src/data/read/database.ts';
import { Pgbouncer } from '../test/support/pgbouncer.ts';
import { findProgram, PGBOUNCER } from '../test/support/programs.ts';
import { startPosts } from './list-site.ts';
import { silent } from './silent.ts';
import type { Table } from './table.ts';

const READS = 5_000;
const ROUNDS = 5;
const AT_ONCE = 8;
const IDS = 50;
const keyRecorder = { add: () => {}, untracked: () => {} };

interface Way {
  readonly name: string;
  readonly url: string;
  readonly pooler: Pooler;
  readonly readUs: number[];
}

export async function poolers(): Promise<Table[]> {
  await using posts = await startPosts();
  const ways: Way[] = [
    { name: 'sessions (`DB_POOLER=none`)', url: posts.url, pooler: 'none', readUs: [] },
    { name: 'no pooler, `DB_POOLER=transaction`', url: posts.url, pooler: 'transaction', readUs: [] },
  ];
  const pooler =
    findProgram(PGBOUNCER) === undefined
      ? undefined
      : await Pgbouncer.start(posts.url, { mode: 'transaction', poolSize: AT_ONCE });
  if (pooler !== undefined)
    ways.push({ name: 'pgbouncer, transaction mode', url: pooler.url, pooler: 'auto', readUs: [] });
  // In turn, so that what slows the machine slows all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) way.readUs.push(await readUs(way));
  }
  await pooler?.close();
  const base = median(ways[0]?.readUs ?? []);
  return [
    {
      title: 'Reads behind a pooler',
      notes: [
        `One row by its primary key, ${AT_ONCE} reads at the same time, ${READS} reads, the median of ${ROUNDS} rounds in turn.`,
        'Behind a pooler each read brings its settings along, and is planned anew.',
      ],
      columns: ['connections', 'us a read', 'beside sessions'],
      rows: ways.map(({ name, readUs }) => [
        name,
        median(readUs).toFixed(0),
        (median(readUs) / base).toFixed(2),
      ]),
    },
  ];
}

async function readUs({ url, pooler }: Way): Promise<number> {
  const database = new Database({ connectionString: url, logger: silent, clock, max: AT_ONCE, pooler });
  const db = database.readScope({ signal: new AbortController().signal, keyRecorder });
  const read = (id: number) => db.query('select id, name from users where id = $1', [id]);
  let left = 0;
  const reader = async () => {
    while (left-- > 0) await read((left % IDS) + 1);
  };
  const run = async (reads: number) => {
    left = reads;
    const beganMs = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, reader));
    return ((performance.now() - beganMs) / reads) * 1000;
  };
  await run(READS / 5);
  const us = await run(READS);
  await database.close();
  return us;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
