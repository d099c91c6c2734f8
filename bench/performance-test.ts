// npm run performance-test: what the performance guide of Coherent.js has its performance-test.js show, improvement by
// caching and effectiveness of the cache, for the sample application on a real Postgres.
//
// Two built servers of one worker over one database, both up all the time: one as it is started by default, one with every
// part of the cache off (ROLLOUT). Bursts go to them in turn. Each page is asked for in its turn, so that in the server
// without a cache requests at the same time are for different pages and share no render.
//
// DATABASE_URL names a database with the sample (`node dist/server.js db setup --sample`) and logical decoding. Without it
// a Postgres is started for the test.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts';
import { followed } from './backing.ts';
import { Contestant } from './contestant.ts';
import { median } from './load.ts';
import { cpuMicroseconds, machine, requireLinux } from './machine.ts';
import { freePort } from './peers.ts';
import { silent } from './silent.ts';
import { text } from './table.ts';

const ROUNDS = 5;
const ONE_BY_ONE = 300;
const AT_ONCE = 600;
const CONNECTIONS = 16;
const PAGES = ['/', ...each('/users/', 250), ...each('/posts/', 250)];
const WITHOUT_CACHE = 'l1=0,l2=0,l3=0,fragments=0,static=0,refresh=0';

/** This file runs as dist/bench/performance-test.js. */
const server = fileURLToPath(new URL('../server.js', import.meta.url));
const app = fileURLToPath(new URL('../app', import.meta.url));

/** Requests so far: the next page in turn. */
let asked = 0;

interface Burst {
  readonly timesMs: readonly number[];
  readonly cpuUs: number;
  readonly requests: number;
  readonly hits: number;
}

const folder = mkdtempSync(path.join(tmpdir(), 'coherent-performance-'));
const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];

async function test(url: string): Promise<void> {
  const cached = await start('cached', url, {});
  // users, posts, comments: until then pages live for a second.
  await followed(url, 3);
  const uncached = await start('uncached', url, { ROLLOUT: WITHOUT_CACHE, FEED: 'off' });
  // autocannon takes a few of the first requests it prepares for itself: so many more, that every page is seen.
  const cold = await burst(cached, PAGES.length + 100, CONNECTIONS);
  await burst(uncached, PAGES.length, CONNECTIONS);
  const single = await inTurn(cached, uncached, ONE_BY_ONE, 1);
  const many = await inTurn(cached, uncached, AT_ONCE, CONNECTIONS);
  report(cold, single, many);
}

interface Pair {
  readonly cached: readonly Burst[];
  readonly uncached: readonly Burst[];
}

async function inTurn(
  cached: Contestant,
  uncached: Contestant,
  amount: number,
  connections: number,
): Promise<Pair> {
  const pair = { cached: [] as Burst[], uncached: [] as Burst[] };
  for (let round = 0; round < ROUNDS; round++) {
    pair.cached.push(await burst(cached, amount, connections));
    pair.uncached.push(await burst(uncached, amount, connections));
  }
  return pair;
}

/** Errors: any answer but 200, since the figure would be of something else. */
async function burst({ name, origin, pid }: Contestant, amount: number, connections: number): Promise<Burst> {
  const timesMs: number[] = [];
  let hits = 0;
  const before = cpuMicroseconds(pid);
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(
      {
        url: origin,
        amount,
        connections,
        requests: [
          {
            setupRequest: (request) => ({ ...request, path: PAGES[asked++ % PAGES.length] ?? '/' }),
            onResponse: (_status, _body, _context, headers) => {
              if (/; ?hit/.test(String(headers?.['cache-status'] ?? ''))) hits++;
            },
          },
        ],
      },
      (error, ended) => (error ? reject(error) : resolve(ended)),
    );
    run.on('response', (_client, _status, _bytes, tookMs) => timesMs.push(tookMs));
  });
  if (result.errors > 0 || result.non2xx > 0)
    throw new Error(`${name}: ${result.non2xx} answers were not 2xx, ${result.errors} requests failed`);
  const requests = timesMs.length;
  return {
    timesMs,
    cpuUs: (cpuMicroseconds(pid) - before) / requests,
    requests,
    hits,
  };
}

function report(cold: Burst, single: Pair, many: Pair): void {
  const timeMs = (bursts: readonly Burst[]) => median(bursts.map(({ timesMs }) => median(timesMs)));
  const cpuUs = (bursts: readonly Burst[]) => median(bursts.map((each) => each.cpuUs));
  const time = [timeMs(single.uncached), timeMs(single.cached)] as const;
  const cpu = [cpuUs(many.uncached), cpuUs(many.cached)] as const;
  const warm = [...single.cached, ...many.cached];
  console.log(
    text({
      title: `Performance test: the sample, ${PAGES.length} pages, one worker`,
      notes: [],
      columns: ['figure', 'guide', 'without cache', 'with cache', 'improvement'],
      rows: [
        ['time of a request, alone', '75-85 %', ms(time[0]), ms(time[1]), saved(...time)],
        [`CPU of a request, of ${CONNECTIONS} at once`, '', us(cpu[0]), us(cpu[1]), saved(...cpu)],
        ['cache effectiveness, every page seen', '99 %', hitShare([...many.uncached]), hitShare(warm), ''],
        ['cache effectiveness, first asks too', '', '', hitShare([cold, ...warm]), ''],
      ],
    }),
  );
  console.log(
    `Time: median of ${ROUNDS} bursts of what a client on this machine sees; the way to the server and back is in it, which no\n` +
      'cache shortens, and other work on the machine. CPU: all processes and threads of the server, to which other work does\n' +
      'little; Postgres is not counted, which without the cache works for every request. Take the CPU for how much a cache\n' +
      'spares and the time for what a client gains.\n' +
      `${machine()}.`,
  );
}

async function start(name: string, url: string, env: Readonly<Record<string, string>>): Promise<Contestant> {
  const port = await freePort();
  const contestant = await Contestant.start({
    name,
    what: name,
    command: process.execPath,
    args: [server],
    port,
    env: {
      PORT: String(port),
      HOST: '127.0.0.1',
      OPS_PORT: String(await freePort()),
      WORKERS: '1',
      APP: app,
      DATA_DIR: path.join(folder, name),
      DATABASE_URL: url,
      LOG_LEVEL: 'error',
      ...env,
    },
    readyPath: '/users/1',
  });
  closing.push(() => contestant[Symbol.asyncDispose]());
  return contestant;
}

async function ownDatabase(): Promise<string> {
  console.log('Starting a Postgres and writing the sample into it ...');
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'db'), logger: silent });
  closing.push(
    () => rmSync(postgres.folder, { recursive: true, force: true }),
    () => postgres.close(),
  );
  execFileSync(process.execPath, [server, 'db', 'setup', '--sample'], {
    env: { ...process.env, DATABASE_URL: postgres.url, DATA_DIR: path.join(folder, 'setup') },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return postgres.url;
}

function each(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

function hitShare(bursts: readonly Burst[]): string {
  const sum = (of: (burst: Burst) => number) => bursts.reduce((total, each) => total + of(each), 0);
  return `${((sum(({ hits }) => hits) / sum(({ requests }) => requests)) * 100).toFixed(1)} %`;
}

const ms = (value: number): string => `${value.toPrecision(2)} ms`;
const us = (value: number): string => `${value.toFixed(0)} us`;
const saved = (without: number, withCache: number): string =>
  `${((1 - withCache / without) * 100).toFixed(0)} %`;

requireLinux();
try {
  await test(process.env.DATABASE_URL ?? (await ownDatabase()));
} finally {
  for (const close of closing.reverse()) await close();
}
