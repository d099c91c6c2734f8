// The short form of `npm run check:hostile`: every kind of hostile client, some times each. Memory and latencies are for
// the long form, on a machine that nobody else uses.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Build, buildServer } from '../support/built-server.ts';
import { check } from './check.ts';
import { KINDS } from './kinds.ts';

let build: Build;
beforeAll(() => {
  build = buildServer();
}, 120_000);
afterAll(() => build?.remove());

test('hostile clients of every kind cost visitors nothing, and leave nothing behind', async () => {
  const connections = 10 * KINDS.length;
  const outcome = await check({ build, connections, perSecond: 50, seconds: 3, restMs: 20_000 });
  const { before, after, calm, attacked } = outcome;
  expect(after.connections).toBe(0);
  expect(after.inFlight).toBe(0);
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
  expect([calm.lost, attacked.lost]).toEqual([0, 0]);
  // A line a failure, and no more than so many a second.
  expect(outcome.logBytes).toBeLessThan(200_000);
}, 120_000);
