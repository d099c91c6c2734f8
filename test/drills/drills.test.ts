// Drills in a short form. The long form has more of them and writes the table of docs/reliability.md: `npm run drills`.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { drillTable } from './document.ts';
import { DRILLS } from './drills.ts';
import { type Played, play } from './play.ts';

let build: Build;
const played: Played[] = [];

beforeAll(() => {
  build = buildServer();
});

afterAll(() => {
  build?.remove();
  process.stdout.write(`\n${drillTable(played)}\n`);
});

test.each(DRILLS.filter(({ isLong }) => isLong !== true))('$name', { timeout: 90_000 }, async (drill) => {
  const one = await play(drill, { build: build.folder, connections: 8, warmUp: 150 });
  played.push(one);
  expect(one.violations).toEqual([]);
});
