import { expect, test } from 'vitest';
import { settled } from '../../test/support/cache.ts';
import { LogLines } from '../../test/support/log-lines.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { DatabaseWatch } from './database-watch.ts';

test('a database that answers needs no word', async () => {
  const log = new LogLines();
  const watch = new DatabaseWatch({ run: async () => [] }, new ManualClock(), log);
  expect(await watch.start()).toBeUndefined();
  expect(log.lines).toEqual([]);
});

test('one that is down is told of once, tried again ever more slowly, and told of when it is back', async () => {
  const clock = new ManualClock();
  const log = new LogLines();
  let tries = 0;
  let down = true;
  const run = async () => {
    tries += 1;
    if (down) throw new Error('The database is not reachable.');
  };
  const watch = new DatabaseWatch({ run }, clock, log);
  expect(await watch.start()).toContain('the server keeps trying');
  for (const [delayMs, expected] of [
    [250, 2],
    [500, 3],
    [1000, 4],
    [2000, 5],
    [4000, 6],
    [5000, 7],
    [5000, 8],
  ] as const) {
    clock.advance(delayMs - 1);
    await settled();
    expect(tries).toBe(expected - 1);
    clock.advance(1);
    await settled();
    expect(tries).toBe(expected);
  }
  down = false;
  clock.advance(5000);
  await settled();
  expect(log.lines.map((line) => line.message)).toEqual([
    'the database cannot be reached; pages answer 503 until it can',
    'the database can be reached',
  ]);
  clock.advance(60_000);
  await settled();
  expect(tries).toBe(9);
});

test('nothing is tried once it is closed', async () => {
  const clock = new ManualClock();
  let tries = 0;
  const watch = new DatabaseWatch(
    { run: () => Promise.reject(new Error(`down ${++tries}`)) },
    clock,
    new LogLines(),
  );
  await watch.start();
  watch.close();
  clock.advance(60_000);
  await settled();
  expect(tries).toBe(1);
});
