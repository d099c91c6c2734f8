// What Redis is asked by requests that the cache answers. Each host reaches it through a proxy that sees every piece that a
// client sends: a command, or several that go together, is one piece, and one trip.
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';
import type { Table } from './table.ts';
import { TwoBoxes } from './two-hosts.ts';

const PAGES = 500;
const HITS_IN_MEMORY = 10_000;
const CONNECTIONS = 8;
const IDLE_MS = 5_000;
/** The purge bus is read all the time, whoever asks for pages. */
const OF_THE_BUS = '{coherent:bus}';

interface Counts {
  /** Made for requests, by the cache. */
  cache: number;
  /** What no request waits for: a page is written, and once more when it has been compressed well; a breaker probes. */
  behind: number;
  bus: number;
}

interface Row {
  readonly name: string;
  readonly goal: string;
  /** Requests that were answered from there. */
  readonly answered: number;
  /** While they were. */
  readonly cache: number;
  readonly behind: number;
  readonly busPerSecond: number;
}

export async function trips(): Promise<Table[]> {
  await using boxes = await TwoBoxes.start({
    schema: 'CREATE TABLE stock (id int PRIMARY KEY);',
    proxied: true,
  });
  const counts: Counts = { cache: 0, behind: 0, bus: 0 };
  for (const way of boxes.waysToRedis)
    way.inspect((piece, from) => {
      if (from === 'client') counts[kindOf(piece)]++;
      return 'pass';
    });
  const [first = '', second = ''] = boxes.origins;
  const rows: Row[] = [];
  const measure = async (name: string, goal: string, run: () => Promise<Asked>) => {
    await settled(counts);
    const { bus, behind } = counts;
    const beganMs = performance.now();
    const { answered, trips } = await run();
    const busPerSecond = ((counts.bus - bus) / (performance.now() - beganMs)) * 1000;
    rows.push({ name, goal, answered, cache: trips, behind: counts.behind - behind, busPerSecond });
  };
  const each = Array.from({ length: PAGES }, (_, n) => `/card/trip-${n}`);
  /** Of a few, at random: which worker answers must not go with which page. */
  const again = (count: number) =>
    Array.from({ length: count }, () => `/card/trip-${Math.floor(Math.random() * 10)}`);

  await ask(first, each, 'fwd=uri-miss', counts);
  await measure('none', '', async () => {
    const { cache } = counts;
    await pause(IDLE_MS);
    return { answered: 0, trips: counts.cache - cache };
  });
  await measure('hit in Redis, rendered by the other host', '1', () =>
    ask(second, each, 'detail=L2', counts),
  );
  // Both workers come to hold them.
  await ask(second, again(1000), 'detail=L1', counts);
  await measure('hit in memory', '0', () => ask(second, again(HITS_IN_MEMORY), 'detail=L1', counts));
  return [
    {
      title: 'Trips to Redis',
      notes: [
        'Two hosts of two workers each. A trip: one command, or several that go out together (a hit in Redis asks for the page and for how long it still lives).',
        'Counted on the way, in pieces of bytes that clients send. The purge bus has a rhythm of its own, and asks no more where pages are asked for.',
        'Each kind of hit is taken from `Cache-Status` of every single answer; one request at a time.',
        '`behind`: what no request waits for. A page is written once more when it has been compressed well, and a breaker probes.',
      ],
      columns: [
        'requests',
        'number',
        'trips for them',
        'of each',
        'goal',
        'behind',
        'trips of the bus a second',
      ],
      rows: rows.map(({ name, answered, goal, cache, behind, busPerSecond }) => [
        name,
        String(answered),
        String(cache),
        answered === 0 ? '' : (cache / answered).toFixed(3),
        goal,
        String(behind),
        busPerSecond.toFixed(1),
      ]),
    },
  ];
}

interface Asked {
  readonly answered: number;
  readonly trips: number;
}

/**
 * One request at a time, in turn on connections to both workers, so that trips do not travel together. Counts what was
 * answered from there; on a busy machine Redis may be late for a page, which is then rendered.
 */
async function ask(
  origin: string,
  paths: readonly string[],
  from: string,
  counts: Readonly<Counts>,
): Promise<Asked> {
  const clients = Array.from({ length: CONNECTIONS }, () => new Client(origin));
  let [answered, trips] = [0, 0];
  for (const [n, path] of paths.entries()) {
    const before = counts.cache;
    const response = await clients[n % CONNECTIONS]?.request({ method: 'GET', path });
    await response?.body.dump();
    if (String(response?.headers['cache-status']).includes(from)) {
      answered++;
      trips += counts.cache - before;
    }
  }
  await Promise.all(clients.map((client) => client.close()));
  return { answered, trips };
}

function kindOf(piece: Buffer): keyof Counts {
  if (piece.includes(OF_THE_BUS)) return 'bus';
  const text = piece.toString('latin1');
  // What waits to be written may go out together with a question.
  if (text.includes('\r\n$4\r\npttl\r\n')) return 'cache';
  return /^\*\d+\r\n\$\d\r\n(set|ping)\r\n/.test(text) ? 'behind' : 'cache';
}

/** Nothing more is written behind what was asked for. */
async function settled(counts: Readonly<Counts>): Promise<void> {
  for (let before = -1; before !== counts.cache + counts.behind; ) {
    before = counts.cache + counts.behind;
    await pause(1500);
  }
}
