// Load, and what it cost. Bursts go to contestants in turn (A B C A B C ...), all of them up all the time, so that
// whatever else happens on the machine happens to all alike. The figure is CPU time of the contestant's processes
// per answered request; requests per second on a shared machine would mostly measure the neighbours.
//
// autocannon makes the load. It is itself slower than a good server, which then waits between requests and pays for
// being woken; where one path is asked for again and again and wrk is installed, wrk keeps the server busy instead.
import { spawnSync } from 'node:child_process';
import autocannon from 'autocannon';
import type { Contestant } from './contestant.ts';
import { cpuMicroseconds } from './machine.ts';

export interface Load {
  /** One path for all requests, or the path of the nth since the start of the burst. */
  readonly path: string | ((n: number) => string);
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections?: number;
  readonly seconds?: number;
  readonly rounds?: number;
  /** So many requests a burst, however long they take. */
  readonly amount?: number;
  /** Before each burst, outside of what is measured. */
  readonly before?: (contestant: Contestant) => Promise<void>;
  /** Of every answer. Where it does not hold the figure would be of something else. */
  readonly expect?: (body: string) => boolean;
}

export interface Figures {
  readonly name: string;
  readonly what: string;
  /** CPU microseconds per request, one for each round, in the order of the rounds. */
  readonly cpu: readonly number[];
}

/** What a browser sends along. */
export const BROWSER: Readonly<Record<string, string>> = {
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'accept-language': 'en-GB,en;q=0.9',
  'accept-encoding': 'identity',
  'cache-control': 'max-age=0',
  'sec-ch-ua': '"Chromium";v="142", "Not_A Brand";v="99"',
  'sec-ch-ua-mobile': '?0',
  'sec-ch-ua-platform': '"Linux"',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'same-origin',
  'upgrade-insecure-requests': '1',
  cookie: 'theme=dark; consent=1; sid=0123456789abcdef',
};

export async function inTurn(contestants: readonly Contestant[], load: Load): Promise<Figures[]> {
  const rounds = load.rounds ?? 7;
  const cpu = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
  for (const contestant of contestants) await burst(contestant, load);
  for (let round = 0; round < rounds; round++) {
    // Another begins each time, so that nobody always follows the same one.
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(round + turn) % contestants.length];
      if (contestant !== undefined) cpu.get(contestant)?.push((await burst(contestant, load)).cpu);
    }
  }
  return contestants.map((contestant) => ({
    name: contestant.name,
    what: contestant.what,
    cpu: cpu.get(contestant) ?? [],
  }));
}

export interface Burst {
  /** CPU microseconds per request. */
  readonly cpu: number;
  readonly requests: number;
}

/** A burst in which nobody was answered (a slow server on a busy machine) is prolonged up to here. */
const LONGEST_BURST_SECONDS = 30;

/** Errors: any answer that is not 2xx or not as expected, and any connection that failed: then the figure would be of something else. */
export async function burst(contestant: Contestant, load: Load): Promise<Burst> {
  const { path } = load;
  await load.before?.(contestant);
  const before = cpuMicroseconds(contestant.pid);
  for (let seconds = load.seconds ?? 1; seconds <= LONGEST_BURST_SECONDS; seconds *= 2) {
    const requests =
      typeof path === 'string' && hasWrk()
        ? byWrk(contestant, path, { ...load, seconds })
        : await byAutocannon(contestant, typeof path === 'string' ? () => path : path, { ...load, seconds });
    if (requests > 0) return { cpu: (cpuMicroseconds(contestant.pid) - before) / requests, requests };
  }
  throw new Error(`${contestant.name} answered nothing within ${LONGEST_BURST_SECONDS} s`);
}

export function hasWrk(): boolean {
  return spawnSync('wrk', ['-v']).error === undefined;
}

function byWrk({ name, origin }: Contestant, path: string, load: Load): number {
  const headers = Object.entries(load.headers ?? {}).flatMap(([header, value]) => [
    '-H',
    `${header}: ${value}`,
  ]);
  const args = ['-t1', `-c${load.connections ?? 32}`, `-d${load.seconds ?? 1}s`, ...headers, origin + path];
  const { stdout } = spawnSync('wrk', args, { encoding: 'utf8' });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${name}: wrk says\n${stdout}`);
  return requests;
}

async function byAutocannon(
  { name, origin }: Contestant,
  path: (n: number) => string,
  load: Load,
): Promise<number> {
  const { amount, expect } = load;
  let sent = 0;
  let unexpected: string | undefined;
  const result = await autocannon({
    url: origin,
    connections: load.connections ?? 32,
    ...(amount === undefined ? { duration: load.seconds ?? 1 } : { amount }),
    headers: { ...load.headers },
    requests: [
      {
        setupRequest: (request) => ({ ...request, path: path(sent++) }),
        ...(expect !== undefined && {
          onResponse: (_status: number, body: string) => {
            if (!expect(body)) unexpected ??= body;
          },
        }),
      },
    ],
  });
  const { non2xx, errors } = result;
  if (unexpected !== undefined) throw new Error(`${name} answered something else: ${unexpected}`);
  if (errors > 0 || non2xx > 0)
    throw new Error(`${name}: of ${sent} requests ${non2xx} got no 2xx, ${errors} failed`);
  return result.requests.total;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

export function median(values: readonly number[]): number {
  return sorted(values)[values.length >> 1] ?? Number.NaN;
}
