// A site in use: a few pages are asked for often, many now and then, and some once and never again.
import { Backing } from './backing.ts';
import { Field } from './contestant.ts';
import { inTurn } from './load.ts';
import { startBento, startFastify, startNext, startOurs } from './peers.ts';
import { cpuTable, type Table } from './table.ts';

const HOT = 1000;
const LONG_TAIL = 50_000;

export async function churn(): Promise<Table[]> {
  await using backing = await Backing.start();
  await using field = new Field();
  const everybody = [
    await field.add(startFastify()),
    await field.add(startBento()),
    await field.add(startNext()),
    await field.add(startOurs(1, { DATABASE_URL: backing.url })),
  ];
  const stats = await inTurn(everybody, { path: visit, connections: 8, seconds: 2, rounds: 5 });
  return [
    cpuTable(
      'Churn',
      [
        `Nine requests of ten go to ${HOT} pages, the more popular the more often; one goes to one of ${LONG_TAIL} others.`,
        'Fastify + Map keeps everything for ever, which no server in production may; the others are bounded.',
      ],
      stats,
    ),
  ];
}

/** Every contestant is asked for the same row of pages: the nth request of a burst is the same for all. */
export function visit(n: number): string {
  const [a, b] = [scatter(n), scatter(n + 1_000_003)];
  if (n % 10 === 9) return `/card/t${Math.floor(a * LONG_TAIL)}`;
  return `/card/h${Math.floor(HOT ** b * (0.5 + a / 2))}`;
}

/** A number in [0, 1) that looks like chance and is the same for the same n (a mixing of bits by multiplication). */
function scatter(n: number): number {
  let bits = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b);
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
}
