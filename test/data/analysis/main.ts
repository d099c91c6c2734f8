// npm run check:sql -- [--cases N] [--seed S] [--full]
//
// Random schemas, statements and changes on a real Postgres of its own: whenever a result differs, its keys must have met
// those of the change. Goes on from seed S, one schema a seed, until there are N cases (250,000 unless told), and says after
// each twenty schemas with which seed to go on. Several may run at once, from seeds 10,000 apart. --full: every table has
// REPLICA IDENTITY FULL. A miss is told again with less, printed, and counted; ends with 1 if there was one.
import { randomInt } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadModule } from 'libpg-query';
import { startEmbeddedPostgres } from '../../../src/embedded/postgres.ts';
import { silent } from '../../support/silent.ts';
import { report, reproduced } from './report.ts';
import { Tally, tell, World } from './world.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '250000' },
    seed: { type: 'string' },
    full: { type: 'boolean', default: false },
  },
});

const SAY_EVERY = 20;
const say = (text: string) => void process.stdout.write(`${text}\n`);
const scale = { statements: 50, changes: 25, ddlShare: 0.1, full: values.full };
const wanted = Number(values.cases);
const first = values.seed === undefined ? randomInt(1_000_000_000) : Number(values.seed);

const folder = mkdtempSync(join(tmpdir(), 'coherent-analysis-'));
chmodSync(folder, 0o755); // as root, Postgres runs as another user, who has to get in
await loadModule();
const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const server = await startEmbeddedPostgres({ dataDir: folder, logger: silent, settings });
try {
  process.exitCode = (await checked(server.url)) ? 0 : 1;
} finally {
  await server.close();
  for (const each of [server.folder, folder]) rmSync(each, { recursive: true, force: true });
}

async function checked(url: string): Promise<boolean> {
  const tally = new Tally();
  const world = await World.open(url, tally);
  await world.prepare();
  let misses = 0;
  let seed = first;
  for (; tally.cases < wanted; seed++) {
    const failure = await tell(world, seed, scale, tally);
    if (failure !== null) {
      misses++;
      say(`\n${await reproduced(world, failure)}\n`);
    }
    if ((seed - first) % SAY_EVERY === SAY_EVERY - 1)
      say(`${tally.cases} cases, ${misses} missed; go on with --seed ${seed + 1}`);
  }
  await world.close();
  say(report(tally, first, misses));
  return misses === 0 && tally.cases > 0;
}
