// npm run check:coherence -- [--reads N] [--minutes M] [--fault NAME]... [--seed S] [--defence NAME | --defence all]
//                            [--alone] [--pooler] [--readers N] [--markdown] [--log]
//
// Without --reads and --minutes: one round, in which every fault comes once and some in pairs. With --reads every fault
// comes at least once, however early there are enough. --alone: one host without Redis instead of two. --pooler: pages go
// through pgbouncer, in transaction mode. A read is one answer to one request; what it shows is judged row by row, and it
// is as old as the oldest of them.
// Ends with 1 when a page was older than the bound allows; with --defence (one is switched off), when none was.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { buildServer } from '../support/built-server.ts';
import { type CheckResult, check } from './check.ts';
import { DEFENCES, without } from './defences.ts';
import { seeded } from './random.ts';
import { namesOf, oneRound } from './schedule.ts';
import { markdown, type Tally, table } from './tally.ts';

const { values } = parseArgs({
  options: {
    reads: { type: 'string' },
    minutes: { type: 'string' },
    fault: { type: 'string', multiple: true },
    seed: { type: 'string' },
    bound: { type: 'string', default: '2000' },
    defence: { type: 'string' },
    log: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    pooler: { type: 'boolean', default: false },
    readers: { type: 'string' },
    markdown: { type: 'boolean', default: false },
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
  const { alone, pooler } = values;
  const round = () => values.fault ?? oneRound(random, { alone, pooler });
  const faults = deadline === undefined && reads === undefined ? round() : rounds(round);
  const begun = performance.now();
  const all = new Set(values.fault ?? namesOf({ alone, pooler }));
  const isOver = (tallies: readonly Tally[]) => {
    if (deadline !== undefined && performance.now() > deadline) return true;
    const done = tallies.reduce((sum, tally) => sum + tally.reads, 0);
    const had = new Set(tallies.flatMap(({ name }) => name.split(' + ')));
    return reads !== undefined && done >= reads && [...all].every((name) => had.has(name));
  };
  say(
    `coherence check${alone ? ' of one host without Redis' : ''}${pooler ? ' behind pgbouncer' : ''}, seed ${seed}, bound ${boundMs} ms`,
  );
  const result = await check({
    build: build.folder,
    seed,
    boundMs,
    faults,
    lastMs,
    say,
    alone,
    pooler,
    enough: isOver,
    ...(values.readers !== undefined && { readers: Number(values.readers) }),
  });
  report(result);
  say(`${((performance.now() - begun) / 60_000).toFixed(1)} minutes`);
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
  say(`\n${(values.markdown ? markdown : table)([...tallies, sum])}`);
  say(`${commits} commits; ${sum.reads} reads checked, ${sum.violations} violations`);
}
