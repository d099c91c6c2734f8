// npm run check:hostile -- [--connections N] [--per-second N] [--seconds N]
//
// Ten thousand hostile connections of all kinds, beside visitors. Ends with 1 when something did not hold: descriptors,
// open and busy connections are where they were a minute later, memory within 32 MB, no visitor was lost, and the p99 of
// the others is at most three times that of the run without. Needs as many open files (`ulimit -n`).
import { parseArgs } from 'node:util';
import { buildServer } from '../support/built-server.ts';
import { check, MEMORY_SLACK_MB } from './check.ts';
import { KINDS } from './kinds.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    'per-second': { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
  },
});
const build = buildServer();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.once('exit', () => build.remove());

const { before, after, calm, attacked, attacks, logBytes } = await check({
  build,
  connections: Number(values.connections),
  perSecond: Number(values['per-second']),
  seconds: Number(values.seconds),
  restMs: 60_000,
});
const rows = [
  ['descriptors', before.descriptors, after.descriptors, after.descriptors <= before.descriptors],
  ['open connections', before.connections, after.connections, after.connections <= before.connections],
  ['busy connections', before.inFlight, after.inFlight, after.inFlight <= before.inFlight],
  ['memory, MB', before.rssMb, after.rssMb, after.rssMb <= before.rssMb + MEMORY_SLACK_MB],
  ['p99 of visitors, ms', calm.p99Ms, attacked.p99Ms, attacked.p99Ms <= 3 * calm.p99Ms],
  ['visitors without a page', calm.lost, attacked.lost, attacked.lost === 0],
] as const;
process.stdout.write(`${attacks} hostile connections of ${KINDS.length} kinds; ${logBytes} bytes of log\n\n`);
process.stdout.write('| | without, or before | with, or after | |\n|---|---|---|---|\n');
for (const [name, one, other, holds] of rows)
  process.stdout.write(
    `| ${name} | ${one.toFixed(1)} | ${other.toFixed(1)} | ${holds ? 'holds' : 'DOES NOT HOLD'} |\n`,
  );
process.exitCode = rows.every(([, , , holds]) => holds) ? 0 : 1;
