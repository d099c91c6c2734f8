// npm run check:coherence -- [--reads N] [--minutes M] [--fault NAME]... [--seed S] [--defence NAME | --defence all]
//
// Without --reads and --minutes: one round, in which every fault comes once and some in pairs. Ends with 1 when a
// page was older than the bound allows; with --defence (one is switched off), when none was.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { buildServer } from '../support/built-server.ts';
import { type CheckResult, check } from './check.ts';
import { DEFENCES, without } from './defences.ts';
import { seeded } from './random.ts';
import { oneRound } from './schedule.ts';
import { table } from './tally.ts';

const { values } = parseArgs({
  options: {
    reads: { type: 'string' },
    minutes: { type: 'string' },
    fault: { type: 'string', multiple: true },
    seed: { type: 'string' },
    bound: { type: 'string', default: '2000' },
    defence: { type: 'string' },
    log: { type: 'boolean', default: false },
  },
});

const say = (line: string) => void process.stdout.write(`${line}\n`);
const seed = values.seed === undefined ? randomInt(1_000_000_000) : Number(values.seed);
const boundMs = Number(values.bound);
const lastMs = boundMs + 1500;
const build = buildServer();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.once('exit', () => build.remove());

try {
  process.exitCode = (await (values.defence === undefined ? whole() : withoutDefences(values.defence)))
    ? 0
    : 1;
} finally {
  build.remove();
}

async function whole(): Promise<boolean> {
  const deadline =
    values.minutes === undefined ? undefined : performance.now() + 60_000 * Number(values.minutes);
  const reads = values.reads === undefined ? undefined : Number(values.reads);
  const random = seeded(seed);
  const round = () => values.fault ?? oneRound(random);
  const faults = deadline === undefined && reads === undefined ? round() : rounds(round);
  say(`coherence check, seed ${seed}, bound ${boundMs} ms`);
  const result = await check({
    build: build.folder,
    seed,
    boundMs,
    faults,
    lastMs,
    say,
    enough: (tallies) =>
      (deadline !== undefined && performance.now() > deadline) ||
      (reads !== undefined && tallies.reduce((all, tally) => all + tally.reads, 0) >= reads),
  });
  report(result);
  if (result.sum.violations > 0) say(`Run again with: npm run check:coherence -- --seed ${seed}`);
  return result.sum.violations === 0 && result.sum.reads > 0;
}

/** Far more rounds than anybody waits for; time and reads end it. */
function rounds(round: () => readonly string[]): string[] {
  return Array.from({ length: 500 }, round).flat();
}

async function withoutDefences(named: string): Promise<boolean> {
  let allNoticed = true;
  for (const name of named === 'all' ? Object.keys(DEFENCES) : [named]) {
    const copy = without(name, build);
    try {
      say(`\nwithout ${name} (against ${DEFENCES[name]?.against}), seed ${seed}`);
      const faults = DEFENCES[name]?.faults ?? [];
      const result = await check({ build: copy.folder, seed, boundMs, faults, lastMs, say });
      report(result);
      const noticed = result.sum.violations > 0;
      say(noticed ? `the check notices that ${name} is missing` : `NOT NOTICED: ${name} is missing`);
      allNoticed &&= noticed;
    } finally {
      copy.remove();
    }
  }
  return allNoticed;
}

function report({ tallies, sum, commits, serverOutput }: CheckResult): void {
  if (values.log) say(serverOutput);
  say(`\n${table([...tallies, sum])}`);
  say(`${commits} commits; ${sum.reads} reads checked, ${sum.violations} violations`);
}
