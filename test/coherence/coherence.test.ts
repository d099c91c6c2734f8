// The coherence check in its short form: the whole fleet, a few faults. The long form is `npm run check:coherence`.
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { type CheckOptions, type CheckResult, check } from './check.ts';
import { DEFENCES, editsOf, without } from './defences.ts';
import { table } from './tally.ts';

const BOUND_MS = 2000;
const seed = randomInt(1_000_000_000);

let build: Build;

beforeAll(() => {
  build = buildServer();
});

afterAll(() => build?.remove());

async function run(title: string, options: Pick<CheckOptions, 'build' | 'faults'>): Promise<CheckResult> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const result = await check({ seed, boundMs: BOUND_MS, lastMs: BOUND_MS + 1500, say, ...options });
  process.stdout.write(
    `\n${title}, seed ${seed}\n${[...lines, table([...result.tallies, result.sum])].join('\n')}\n`,
  );
  return result;
}

test('no page is older than the bound, whatever fails', { timeout: 180_000 }, async () => {
  const faults = ['kill feeds + kill subscribers', 'silence Redis + kill worker', 'empty Redis'];
  const { sum, tallies } = await run('coherence check', { build: build.folder, faults });
  expect(sum.violations).toBe(0);
  for (const tally of tallies) expect(tally.reads).toBeGreaterThan(20);
  expect(sum.workers.size).toBeGreaterThanOrEqual(4);
});

test('the check notices when the lease is missing', { timeout: 120_000 }, async () => {
  const copy = without('lease', build);
  try {
    const { sum } = await run('without the lease', { build: copy.folder, faults: ['calm', 'silence Redis'] });
    expect(sum.violations).toBeGreaterThan(0);
  } finally {
    copy.remove();
  }
});

test('every defence can be switched off as the server is built now', () => {
  for (const name of Object.keys(DEFENCES)) expect(editsOf(name, build).size).toBeGreaterThan(0);
});
