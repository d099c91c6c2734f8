// npm run bench                          everything, in some minutes; writes docs/benchmarks.md and its plots
// npm run bench -- hit|miss|stampede|churn|memory|database-pages|fragments|goodput|guide|commit|blind|outage|trips|purge|poolers|keys|monitoring|render     only these, printed
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { blind } from './blind.ts';
import { churn } from './churn.ts';
import { commit } from './commit.ts';
import { databasePages } from './database-pages.ts';
import { fragments } from './fragments.ts';
import { goodput } from './goodput.ts';
import { guide } from './guide.ts';
import { hit } from './hit.ts';
import { keys } from './keys.ts';
import { hasWrk } from './load.ts';
import { machine, requireLinux } from './machine.ts';
import { memory } from './memory.ts';
import { miss } from './miss.ts';
import { monitoring } from './monitoring.ts';
import { outage } from './outage.ts';
import { preparePeers } from './peers.ts';
import { barsSvg } from './plot.ts';
import { poolers } from './poolers.ts';
import { purge } from './purge.ts';
import { render } from './render-tables.ts';
import { stampede } from './stampede.ts';
import { markdown, type Table, text } from './table.ts';
import { trips } from './trips.ts';

const benches: Readonly<Record<string, () => Promise<Table[]>>> = {
  hit,
  miss,
  stampede,
  churn,
  memory,
  'database-pages': databasePages,
  fragments,
  goodput,
  guide,
  commit,
  blind,
  outage,
  trips,
  purge,
  poolers,
  keys,
  monitoring,
  render,
};

/** These measure this server alone; nothing has to be installed for them. */
const WITHOUT_PEERS: ReadonlySet<string> = new Set([
  'fragments',
  'goodput',
  'commit',
  'blind',
  'outage',
  'trips',
  'purge',
  'poolers',
  'keys',
  'monitoring',
  'render',
]);

/** The repository: this file runs as dist/bench/main.js. */
const docs = fileURLToPath(new URL('../../docs/', import.meta.url));

async function run(names: readonly string[]): Promise<Table[]> {
  const tables: Table[] = [];
  for (const name of names) {
    console.log(`\n... ${name}`);
    for (const table of (await benches[name]?.()) ?? []) {
      console.log(text(table));
      tables.push(table);
    }
  }
  return tables;
}

function write(tables: readonly Table[]): void {
  mkdirSync(`${docs}benchmarks`, { recursive: true });
  const sections = tables.map((table) => {
    if (table.bars === undefined) return markdown(table);
    const image = `benchmarks/${table.title.toLowerCase().replaceAll(/\W+/g, '-')}.svg`;
    writeFileSync(docs + image, barsSvg(table.title, table.bars));
    return markdown(table, image);
  });
  writeFileSync(`${docs}benchmarks.md`, `${preface()}\n${sections.join('\n')}`);
  console.log('Written: docs/benchmarks.md');
}

function preface(): string {
  return `# Benchmarks

Written by \`npm run bench\`. Do not edit by hand.

Measured on: ${machine()}. Load average at the end: ${loadavg()[1]?.toFixed(1)} over five minutes; above the number
of CPUs others were at work as well, which lengthens times and widens spreads. The ratios stand.

- The figure is **CPU time per request**: microseconds on a CPU of all processes and threads of a server, divided by
  the requests it answered. It says how many requests a machine can serve, and it does not change when a neighbour is
  busy as throughput does.
- Servers are **all up at once and asked in turn**, in bursts of a second; a figure is the median of the bursts, and the
  spread is their least and most. What happens on the machine happens to all. Compare rows of one table, never figures of two runs.
- Ratios are medians over the bursts of what was measured side by side. Those between 0.9 and 1.1 are ties on a machine that is shared.
- The load comes from the same machine, over loopback: from autocannon, and for one path asked for again and again from
  ${hasWrk() ? 'wrk' : 'autocannon too, as wrk is not installed; it cannot keep a fast server busy, which blurs the ratios of hits'}.
`;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  console.error(`No such benchmark: ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}.`);
  process.exitCode = 2;
} else {
  requireLinux();
  const names = asked.length > 0 ? asked : Object.keys(benches);
  const withPeers = names.filter((name) => !WITHOUT_PEERS.has(name));
  if (withPeers.length > 0) preparePeers(withPeers.some((name) => name !== 'database-pages'));
  const tables = await run(names);
  if (asked.length === 0) write(tables);
}
