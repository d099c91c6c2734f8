// Twice as much as a worker can do, for seconds, from people who do not wait for each other. It must go on doing about as
// much as before, tell the rest quickly, and serve hits all the while. The same load on a server that sheds nothing shows
// what would happen otherwise. All figures are ratios within one run.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Build, buildServer, type RunningServer, startBuilt } from '../support/built-server.ts';
import {
  type Answered,
  closedLoop,
  type OpenLoopResult,
  openLoop,
  percentile,
} from '../support/open-loop.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { type WorkingApp, workingApp } from '../support/working-app.ts';

const WORK_MS = 50;
const SECONDS = 8;
/** What a person puts up with; an answer after that is no use to anybody. */
const USEFUL_MS = 1000;

/** Nothing is refused and nobody waits in line: as many renders at once as are asked for. */
const WITHOUT_SHEDDING = {
  RENDER_CONCURRENCY: '10000',
  RENDER_LINE_MS: '3600000',
  OVERLOAD_LOOP_DELAY_MS: '60000',
  OVERLOAD_UTILIZATION: '100',
};

let build: Build;
let app: WorkingApp;
let database: TestDatabase;
let page = 0;

beforeAll(async () => {
  build = buildServer();
  app = workingApp(build);
  database = await testDatabase('');
}, 120_000);
afterAll(async () => {
  await database?.close();
  build?.remove();
});

interface Drill {
  readonly peakPerSecond: number;
  readonly flood: OpenLoopResult;
  readonly hits: OpenLoopResult;
  /** Useful pages a second under the flood, to those at the peak. */
  readonly goodput: number;
}

async function drill(name: string, env: Readonly<Record<string, string>>): Promise<Drill> {
  const server: RunningServer = await startBuilt(build, {
    DATA_DIR: join(build.folder, name),
    ...app.env(WORK_MS),
    NODE_ENV: 'production',
    DATABASE_URL: database.url,
    FEED: 'off',
    L3: 'off',
    ...env,
  });
  try {
    const { url: origin } = server;
    const path = () => `/work/${page++}`;
    // Every worker has it in memory before the flood: a first render would have to stand in line like others.
    await closedLoop({ origin, path: () => '/hot', visitors: 8, seconds: 0.5 });
    // Once to be compiled, once to be measured.
    await closedLoop({ origin, path, visitors: 8, seconds: 2 });
    const peak = await closedLoop({ origin, path, visitors: 8, seconds: 4 });
    const peakPerSecond = peak.answers.filter(({ status }) => status === 200).length / peak.seconds;
    const perSecond = 2 * peakPerSecond;
    const [flood, hits] = await Promise.all([
      openLoop({ origin, path, perSecond, seconds: SECONDS, patienceMs: 10_000 }),
      openLoop({ origin, path: () => '/hot', perSecond: 20, seconds: SECONDS, patienceMs: 10_000 }),
    ]);
    const useful = flood.answers.filter(({ status, latencyMs }) => status === 200 && latencyMs <= USEFUL_MS);
    return { peakPerSecond, flood, hits, goodput: useful.length / SECONDS / peakPerSecond };
  } finally {
    await server.stop();
  }
}

const median = (answers: readonly Answered[]) =>
  percentile(
    answers.map(({ latencyMs }) => latencyMs),
    0.5,
  );

function told(name: string, { peakPerSecond, flood, hits, goodput }: Drill): string {
  const latencies = (status: number) =>
    flood.answers.filter((answer) => answer.status === status).map(({ latencyMs }) => latencyMs);
  const p99 = (values: readonly number[]) => `${percentile(values, 0.99).toFixed(0)} ms`;
  return (
    `${name}: peak ${peakPerSecond.toFixed(0)}/s; at twice that: goodput ${(goodput * 100).toFixed(0)} % of the peak, ` +
    `${latencies(200).length} of ${flood.sent} answered 200 (p99 ${p99(latencies(200))}), ` +
    `${latencies(503).length} refused (p99 ${p99(latencies(503))}), ${flood.gone} gone, ${flood.failed} failed; ` +
    `hits p99 ${p99(hits.answers.map(({ latencyMs }) => latencyMs))}`
  );
}

describe('twice what a worker can do', () => {
  it('costs it little of what it does, and those whom it serves little time', async () => {
    // At the same time: their work is sleep, so neither takes anything from the other.
    const [shedding, not] = await Promise.all([drill('shedding', {}), drill('not', WITHOUT_SHEDDING)]);
    process.stdout.write(`${told('with shedding', shedding)}\n${told('without', not)}\n`);

    const { flood, hits, goodput } = shedding;
    const accepted = flood.answers.filter(({ status }) => status === 200);
    const refused = flood.answers.filter(({ status }) => status === 503);
    // 0.9 is aimed at, and printed where the machine is quiet (render-slots.load.test.ts holds it on a clock of its own).
    // The rest is for neighbours who take the CPU between the two measurements.
    expect(goodput).toBeGreaterThan(0.5);
    expect(goodput).toBeGreaterThan(1.3 * not.goodput);
    expect(median(accepted)).toBeLessThan(median(not.flood.answers));
    expect(accepted.length + refused.length).toBe(flood.sent);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers } of refused) {
      expect(headers.connection).toBe('close');
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(2);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(10);
    }
    expect(new Set(refused.map(({ headers }) => headers['retry-after'])).size).toBeGreaterThan(1);
    // Nobody is turned away who can be answered from memory.
    expect(hits.answers.map(({ status }) => status)).toEqual(Array(hits.sent).fill(200));
  }, 120_000);
});
