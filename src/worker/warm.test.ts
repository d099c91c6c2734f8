import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LogLines } from '../../test/support/log-lines.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { recall } from '../cache/warm/remembered.ts';
import { Warmer } from './warm.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crs-warm-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const pathOf = (segments: readonly string[], query: string) =>
  `/${segments.join('/')}${query === '' ? '' : `?${query}`}`;

/** A worker whose pages are made at once; `made` in their order. */
function workerOf(slot: number, listed: readonly string[] = [], wanted: string[] = []) {
  const made: string[] = [];
  const clock = new ManualClock();
  const warmer = new Warmer({
    config: { dataDir: folder, warmTimeoutMs: 1000, workers: 2 },
    slot,
    listed,
    pipeline: {
      warm: async ({ segments, query }) => {
        made.push(pathOf(segments, query));
        return segments[0] !== 'gone';
      },
      addressesOf: async () => wanted,
    },
    cache: { recentKeys: () => [] },
    clock,
    log: new LogLines(),
  });
  return { warmer, made, clock };
}

it('makes what is listed, then what was remembered, and each worker begins elsewhere', async () => {
  writeFileSync(join(folder, 'warm.json'), JSON.stringify(['/c?x=1', '/a', '/d']));
  const [first, second] = [workerOf(0, ['/a', '/b']), workerOf(1, ['/a', '/b'])];
  expect(await first.warmer.start()).toMatchObject({ done: 4, failed: 0 });
  expect(await second.warmer.start()).toMatchObject({ done: 4, failed: 0 });
  expect(first.made).toEqual(['/a', '/b', '/c?x=1', '/d']);
  expect(second.made).toEqual(['/c?x=1', '/d', '/a', '/b']);
});

it('is not held up by addresses that are none or that no page has any more', async () => {
  writeFileSync(join(folder, 'warm.json'), JSON.stringify(['no address', '//', '/gone', '/a']));
  const { warmer, made } = workerOf(0);
  expect(await warmer.start()).toMatchObject({ failed: 0, left: 0 });
  expect(made).toEqual(['/gone', '/a']);
});

it('is written down by the first worker alone, each minute and at its end', async () => {
  const file = join(folder, 'warm.json');
  const [first, second] = [workerOf(0, [], ['/x']), workerOf(1, [], ['/y'])];
  await first.warmer.start();
  await second.warmer.start();
  expect([first.clock.pending, second.clock.pending]).toEqual([1, 0]);
  first.clock.advance(60_000);
  await expect.poll(() => recall(file)).toEqual(['/x']);
  writeFileSync(file, '[]');
  await second.warmer.close();
  expect(await recall(file)).toEqual([]);
  await first.warmer.close();
  expect(await recall(file)).toEqual(['/x']);
  expect(first.clock.pending).toBe(0);
});

it('leaves the list alone after a run that nobody visited', async () => {
  const file = join(folder, 'warm.json');
  writeFileSync(file, '["/x"]');
  const { warmer } = workerOf(0, [], []);
  await warmer.start();
  await warmer.close();
  expect(await recall(file)).toEqual(['/x']);
});
