// The blind window: how long workers go on with what a purge has made old when its message was silently lost.
//
// Each host reaches Redis through a proxy that takes messages of purges out of the stream of bytes. Connections stay up and
// everything else passes, so nobody is told. What is lost is found by a message that follows, which shows a hole in the
// numbers, or by the next reading of the purge stream (src/invalidation/bus/follower.ts), whichever comes first.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Applied, appliedUs, lastAppliedUs, notesOf, quantiles, startNoting } from './applied-times.ts';
import { nowUs } from './machine.ts';
import type { Table } from './table.ts';
import { BOXES, type TwoBoxes, WORKERS } from './two-hosts.ts';

interface Case {
  readonly name: string;
  readonly goal: string;
  readonly commits: number;
  /** At random between these, so that commits and readings do not keep step. */
  readonly everyMs: readonly [number, number];
  /** Of the nth purge. */
  readonly loses: (n: number) => boolean;
}

const WARM_UP: Case = { name: '', goal: '', commits: 60, everyMs: [20, 40], loses: () => false };
const CASES: readonly Case[] = [
  { name: 'nothing lost', goal: '', commits: 100, everyMs: [30, 70], loses: () => false },
  {
    name: 'every second one; the next follows in 50 ms',
    goal: '',
    commits: 200,
    everyMs: [50, 50],
    loses: (n) => n % 2 === 0,
  },
  {
    name: 'all: none that follows is heard',
    goal: 'most 500',
    commits: 300,
    everyMs: [40, 120],
    loses: () => true,
  },
];
const ROWS = [WARM_UP, ...CASES].reduce((all, { commits }) => all + commits, 0);

interface Sample {
  readonly id: number;
  readonly returnedUs: number;
  readonly isLost: boolean;
}

export async function blind(): Promise<Table[]> {
  await using boxes = await startNoting(ROWS, true);
  const thief = new Thief(boxes);
  const client = new pg.Client({ connectionString: boxes.url });
  await client.connect();
  let next = 0;
  const run = async ({ commits, everyMs: [least, most], loses }: Case): Promise<readonly Sample[]> => {
    const samples: Sample[] = [];
    for (let n = 0; n < commits; n++) {
      const id = next++;
      const isLost = loses(n);
      if (isLost) thief.take(id);
      await client.query('UPDATE commits SET version = version + 1 WHERE id = $1', [id]);
      samples.push({ id, returnedUs: nowUs(), isLost });
      await pause(least + Math.random() * (most - least));
    }
    // All that is lost is found before the next ones come.
    await pause(1000);
    return samples;
  };
  await run(WARM_UP);
  const measured: { readonly tried: Case; readonly samples: readonly Sample[] }[] = [];
  for (const tried of CASES) measured.push({ tried, samples: await run(tried) });
  await client.end();
  const workers = await notesOf(boxes);
  return [
    {
      title: 'A message that is silently lost',
      notes: [
        `Milliseconds until workers know of a commit whose purge was taken out on its way from Redis to all ${BOXES * WORKERS} workers of ${BOXES} hosts, one commit at a time.`,
        'Connections stay, and nobody is told. `COMMIT returned`: until the last worker has applied it, what the goal is about. `taken out`: since the message was lost,',
        'of each worker by itself, until a reading or a message showed that something is missing (`found`) and until it was applied (`applied`).',
        'Readings come every 250 ms (an eighth of `COHERENCE_BOUND_MS`) and do not keep step between workers: the last of four is later than one of them.',
        'All bytes to and from Redis pass through a proxy in the process that measures, which adds a little to every row.',
      ],
      columns: ['lost', 'commits', 'from', 'to', 'p50 ms', 'p99', 'most', 'goal'],
      rows: measured.flatMap(({ tried, samples }) => rowsOf(tried, samples, workers, thief)),
    },
  ];
}

function rowsOf(
  tried: Case,
  samples: readonly Sample[],
  workers: readonly Applied[],
  thief: Thief,
): string[][] {
  const lost = samples.filter(({ isLost }) => isLost);
  const counted = lost.length > 0 ? lost : samples;
  const row = (from: string, to: string, timesUs: readonly number[], goal = '') => [
    tried.name,
    String(counted.length),
    from,
    to,
    ...quantiles(timesUs, [0.5, 0.99, 1]),
    goal,
  ];
  const all = row(
    'COMMIT returned',
    'last worker applied',
    counted.map(({ id, returnedUs }) => lastAppliedUs(id, workers) - returnedUs),
    tried.goal,
  );
  if (lost.length === 0) return [all];
  const each = (at: (id: number, worker: Applied) => number) =>
    lost.flatMap(({ id }) => workers.map((worker) => at(id, worker) - thief.takenUs(id)));
  return [
    all,
    row('taken out', 'found, each worker', each(foundUs)),
    row('taken out', 'applied, each worker', each(appliedUs)),
  ];
}

function foundUs(id: number, { missedUs }: Applied): number {
  const us = missedUs[id];
  if (us === undefined)
    throw new Error(`A worker was told of row ${id}, whose message should have been lost`);
  return us;
}

/** Takes the purges of rows out of what Redis says. */
class Thief {
  /** When the first of those who listen should have heard of it; undefined: it has not come yet. */
  readonly #takenUs = new Map<number, number | undefined>();

  constructor(boxes: TwoBoxes) {
    for (const way of boxes.waysToRedis)
      way.inspect((piece, from) => (from === 'server' && this.#takes(piece) ? 'lose' : 'pass'));
  }

  take(id: number): void {
    this.#takenUs.set(id, undefined);
  }

  takenUs(id: number): number {
    const us = this.#takenUs.get(id);
    if (us === undefined) throw new Error(`The purge of row ${id} never came by`);
    return us;
  }

  /** What came together with one that is lost (two in a piece, or two commits in one purge) goes with it. */
  #takes(piece: Buffer): boolean {
    const text = piece.toString('latin1');
    if (!text.startsWith('>3\r\n$7\r\nmessage\r\n')) return false;
    const ids = [...text.matchAll(/"commits#(\d+)"/g)].map(([, id]) => Number(id));
    if (!ids.some((id) => this.#takenUs.has(id))) return false;
    for (const id of ids) this.#takenUs.set(id, this.#takenUs.get(id) ?? nowUs());
    return true;
  }
}
