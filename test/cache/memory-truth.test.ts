// Is L1's count of its bytes what the process really holds? And does memory stay flat when every address comes once?
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { PageEntry } from '../../src/cache/entry.ts';
import { MemoryTier } from '../../src/cache/memory.ts';
import { page } from '../../src/cache/tier.contract.ts';
import { weighFragment, weighPage } from '../../src/cache/weight.ts';
import { PurgeClock } from '../../src/invalidation/clock.ts';
import { entryOf, testStack } from '../support/cache.ts';
import { ManualClock } from '../support/manual-clock.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

function heldBytes(): number {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const clock = new ManualClock();
const validity = new PurgeClock({ epoch: 'e1', slots: 1024 });
const common = { clock, validity, maxBytes: 1e9, maxGroupShare: 1 };
const now = clock.now();
const stamp = validity.stamp();

/** Strings and buffers of their own, as a render makes them. */
function pageOf(index: number, bodyBytes: number, keyCount: number): PageEntry {
  return page(now, {
    stamp,
    identity: Buffer.allocUnsafeSlow(bodyBytes).fill(index),
    gzip: Buffer.allocUnsafeSlow(Math.ceil(bodyBytes / 4)).fill(index),
    brotli: Buffer.allocUnsafeSlow(Math.ceil(bodyBytes / 5)).fill(index),
    headers: [['content-type', `text/html; charset=utf-8; ${index}`]],
    tag: `tag-${index}`,
    keys: Array.from({ length: keyCount }, (_, key) => `users#${index}-${key}`),
  });
}

describe('the bytes that L1 counts', () => {
  it.each([
    ['small pages', 300, 2],
    ['pages', 12_000, 10],
    ['pages of many dependencies', 2000, 100],
  ])('are what %s take, within a quarter', (_, bodyBytes, keyCount) => {
    const memory = new MemoryTier<PageEntry>({ ...common, weigh: weighPage });
    const before = heldBytes();
    for (let index = 0; index < 4000; index++) {
      memory.set(`p1"build"/users/[id]{"id":"${index}"}{}{}`, pageOf(index, bodyBytes, keyCount), 'g');
    }
    const held = heldBytes() - before;
    const { bytes, entries } = memory.stats();
    expect(entries).toBe(4000);
    const ratio = held / bytes;
    expect(ratio, `held ${held} counted ${bytes}`).toBeGreaterThan(0.75);
    expect(ratio, `held ${held} counted ${bytes}`).toBeLessThan(1.25);
  });

  it('are what fragments take, within a quarter', () => {
    const memory = new MemoryTier({ ...common, weigh: weighFragment });
    const before = heldBytes();
    for (let index = 0; index < 10_000; index++) {
      const html = Buffer.alloc(500, `<li>${index}</li>`).toString('latin1');
      memory.set(
        `f1"build""card"${index}`,
        entryOf(html, { stamp }, clock, { keys: [`users#${index}`] }),
        'g',
      );
    }
    const held = heldBytes() - before;
    const ratio = held / memory.stats().bytes;
    expect(ratio, `held ${held} counted ${memory.stats().bytes}`).toBeGreaterThan(0.75);
    expect(ratio, `held ${held} counted ${memory.stats().bytes}`).toBeLessThan(1.25);
  });
});

describe('10,000 addresses, once each', () => {
  it('leave the heap as it was after the first thousand', async () => {
    const { stack, filled } = testStack({ maxBytes: 200_000 });
    const visit = async (from: number, to: number) => {
      for (let index = from; index < to; index++) {
        const fetchOptions = { group: '/users/[id]', hardTimeoutMs: 10_000, softTimeoutMs: 10_000 };
        await stack.fetch(`k${index}`, fetchOptions, async (context) =>
          filled(`${index}`.repeat(200), context),
        );
      }
    };
    await visit(0, 1000);
    const before = heldBytes();
    await visit(1000, 11_000);
    const grown = heldBytes() - before;
    // Ten thousand entries of 1 kB would be 10 MB.
    expect(grown, `${grown} bytes more`).toBeLessThan(300_000);
    expect(stack.stats().l1.bytes).toBeLessThanOrEqual(200_000);
    expect(stack.stats()).toMatchObject({ inFlight: 0, failing: 0 });
  });
});
