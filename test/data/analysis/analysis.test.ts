import { loadModule } from 'libpg-query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/postgres.ts';
import { report, reproduced } from './report.ts';
import { Tally, tell, World } from './world.ts';

// The long form: npm run check:sql. A story again: ANALYSIS_SEED=17 ANALYSIS_SCHEMAS=1.
const schemas = Number(process.env.ANALYSIS_SCHEMAS ?? 5);
const firstSeed = Number(process.env.ANALYSIS_SEED ?? Math.floor(Math.random() * 1e9));
const scale = { statements: 50, changes: 25, ddlShare: 0.1, full: process.env.ANALYSIS_FULL === '1' };

describe('what a statement read and what a change touched', () => {
  let database: TestDatabase;
  let world: World;
  const tally = new Tally();

  beforeAll(async () => {
    await loadModule();
    database = await testDatabase();
    world = await World.open(database.url, tally);
    await world.prepare();
  });

  afterAll(async () => {
    await world?.close();
    await database?.close();
  });

  it(
    'meet in a key whenever the result differs',
    async () => {
      for (let seed = firstSeed; seed < firstSeed + schemas; seed++) {
        const failure = await tell(world, seed, scale, tally);
        if (failure !== null) expect.fail(await reproduced(world, failure));
      }
      process.stdout.write(report(tally, firstSeed));
    },
    schemas * 60_000,
  );
});
