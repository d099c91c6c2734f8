// What a page costs in CPU time, from the data to the bytes, beside others in the same run:
//   npm ci --prefix bench/peers && node scripts/build.mjs tsconfig.bench.json && node dist/bench/render/main.js [seconds per workload]
import { loadavg } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Contender, contenders } from './contenders.ts';
import { type WorkloadName, workloads } from './workload.ts';

const reference = 'TSX, precompiled';
/** As others publish it for their renderers. */
const published: WorkloadName = 'table';
const rounds = 15;
const seconds = Number(process.argv[2] ?? 12);

interface Timing {
  readonly contender: Contender;
  readonly perRound: number;
  readonly microseconds: number[];
  turn: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' }) => void;

/** CPU time of the whole process: what the garbage collector does beside us is part of the price. */
function cpuMicroseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function repeat(timing: Timing, workload: WorkloadName, times: number): number {
  const view = timing.contender.views[workload];
  if (view === undefined) throw new Error(`${timing.contender.name} has no ${workload}.`);
  return cpuMicroseconds(() => {
    for (let i = 0; i < times; i++) view(timing.turn++);
  });
}

/** Enough calls for the compiler to have done its work, and as many a round as take the time there is. */
function warmUp(contender: Contender, workload: WorkloadName, roundMs: number): Timing {
  const timing: Timing = { contender, perRound: 1, microseconds: [], turn: 0 };
  let spent = 0;
  while (spent < 400_000) {
    spent += repeat(timing, workload, 20);
  }
  const last = repeat(timing, workload, 20) / 20;
  return { ...timing, perRound: Math.max(5, Math.round((roundMs * 1000) / last)) };
}

/**
 * The same page from all, but for what each cannot write otherwise: `<br/>`, and how it spells an escaped character
 * (one of them escapes `=` too). All data of the workloads is clean, so that every contender looks for characters to
 * escape, and none is spared writing them. In attributes @kitajs/html looks for `"` alone.
 */
function checkEqual(all: readonly Contender[], workload: WorkloadName): number {
  const normal = (bytes: Buffer) =>
    bytes
      .toString()
      .replaceAll('/>', '>')
      .replaceAll('&#34;', '&quot;')
      .replaceAll('&#61;', '=')
      .replaceAll('&#38;', '&amp;');
  const [first, ...others] = all.map((contender) => ({
    contender,
    html: normal(contender.views[workload]?.(3) ?? Buffer.alloc(0)),
  }));
  for (const { contender, html } of others) {
    if (html !== first?.html) {
      const at = [...html].findIndex((character, i) => character !== first?.html[i]);
      throw new Error(`${workload}: ${contender.name} differs at ${at}: ${html.slice(at - 40, at + 40)}`);
    }
  }
  return Buffer.byteLength(first?.html ?? '');
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function measure(all: readonly Contender[], workload: WorkloadName): Timing[] {
  const roundMs = (seconds * 1000) / rounds / all.length;
  const timings = all.map((contender) => warmUp(contender, workload, roundMs));
  for (let round = 0; round < rounds; round++) {
    for (const timing of timings) {
      // What one contender leaves behind is not for the next to clear away. The young generation only: a forced
      // collection of all also drops the shapes of objects, and compiled code with them, as no server does a second.
      collectGarbage({ type: 'minor' });
      timing.microseconds.push(repeat(timing, workload, timing.perRound) / timing.perRound);
    }
  }
  return timings;
}

function report(timings: readonly Timing[]): void {
  const base = timings.find((timing) => timing.contender.name === reference)?.microseconds ?? [];
  for (const { contender, microseconds } of timings) {
    const ratios = microseconds.map((value, round) => value / (base[round] ?? Number.NaN));
    const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
    console.log(
      `  ${contender.name.padEnd(30)} ${median(microseconds).toFixed(1).padStart(9)} µs` +
        `   x ${median(ratios).toFixed(2).padStart(6)}   (${low.toFixed(2)} to ${high.toFixed(2)})`,
    );
  }
}

const print = { log: console.log, warn: console.warn, error: console.error };
const all = await contenders();
// The reference renderer warns about every page; what it prints is not what is measured.
console.warn = () => {};
console.error = () => {};
for (const [workload, title] of Object.entries(workloads) as [WorkloadName, string][]) {
  const taking = all.filter(({ views }) => workload in views);
  const bytes = checkEqual(taking, workload);
  print.log(`${title}: ${bytes} bytes; CPU time a page, and how many times that of ${reference}`);
  const timings = measure(taking, workload);
  report(timings);
  if (workload !== published) continue;
  const rates = timings.map(
    ({ contender, microseconds }) => `${contender.name} ${Math.round(1e6 / median(microseconds))}`,
  );
  print.log(`  Renders a second: ${rates.join(' · ')}`);
}
print.log(
  `Node ${process.version}, ${process.arch}, load ${loadavg()[0]?.toFixed(1)}. ` +
    `Median of ${rounds} interleaved rounds, and the range of the ratios.`,
);
