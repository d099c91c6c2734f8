// Twice as much as a worker can do, from visitors who do not wait for each other: how much of its CPU still goes into answers of use.
//
// The peak is what it costs to answer eight visitors who do. Figures are CPU time of the server alone, so the generator of the load,
// which is as busy and shares the machine, changes nothing in them.
import { openLoop } from '../test/support/open-loop.ts';
import { Backing } from './backing.ts';
import { Field } from './contestant.ts';
import { burst, median } from './load.ts';
import { cpuMicroseconds } from './machine.ts';
import { newPage, startOurs } from './peers.ts';
import type { Table } from './table.ts';

const ROUNDS = 5;
const SECONDS = 4;
/** What a visitor puts up with. */
const USEFUL_MS = 1000;

export async function goodput(): Promise<Table[]> {
  await using backing = await Backing.start();
  await using field = new Field();
  const ours = await field.add(startOurs(1, { DATABASE_URL: backing.url, L3: 'off' }));
  let next = 0;
  const path = () => `/work/${newPage}g${next++}`;
  await burst(ours, { path, connections: 8, seconds: 3 });
  const rows: { peak: number; useful: number; refused: number; share: number; busy: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { cpu: peak } = await burst(ours, { path, connections: 8, seconds: 2 });
    const before = cpuMicroseconds(ours.pid);
    const perSecond = (2 * 1e6) / peak;
    const { answers, seconds, sent } = await openLoop({
      origin: ours.origin,
      path,
      perSecond,
      seconds: SECONDS,
      patienceMs: 2 * USEFUL_MS,
    });
    const spent = cpuMicroseconds(ours.pid) - before;
    const useful = answers.filter(({ status, latencyMs }) => status === 200 && latencyMs <= USEFUL_MS).length;
    rows.push({
      peak,
      useful: useful / seconds,
      refused: (100 * answers.filter(({ status }) => status === 503).length) / sent,
      share: (100 * useful * peak) / spent,
      busy: (100 * spent) / (seconds * 1e6),
    });
  }
  const middle = (of: (row: (typeof rows)[number]) => number) => median(rows.map(of)).toFixed(0);
  return [
    {
      title: 'Goodput at twice the saturation',
      notes: [
        `New pages of some milliseconds of CPU each, asked for at twice the rate at which they would take a whole CPU, for ${SECONDS} s, ${ROUNDS} times.`,
        'Goodput is the CPU that answers of use would have taken at the peak, of all that was spent: the rest went into refusals and work for those who had gone.',
        'An answer is of use within a second. Where the machine gives the server less than a CPU, the load is more than twice what it can do.',
      ],
      columns: [
        'CPU us/page at the peak',
        'useful a second',
        '% refused',
        '% of a CPU used',
        'goodput, % of the peak',
      ],
      rows: [
        [
          middle((row) => row.peak),
          middle((row) => row.useful),
          middle((row) => row.refused),
          middle((row) => row.busy),
          middle((row) => row.share),
        ],
      ],
    },
  ];
}
