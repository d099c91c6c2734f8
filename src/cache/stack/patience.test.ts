// Several processes that agree on who renders, a page that takes a good part of its time limit, and nothing stored.
import { describe, expect, it } from 'vitest';
import { settled, testStack } from '../../../test/support/cache.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import type { FetchOptions } from '../contract.ts';
import type { FragmentEntry } from '../entry.ts';
import { type FlightCoordinator, LocalFlights } from '../render/flights.ts';
import type { Tier } from '../shared/tier.ts';

const EMPTY: Tier<FragmentEntry> = {
  name: 'l3',
  usable: true,
  get: async () => undefined,
  set: async () => {},
  delete: async () => {},
  clear: async () => {},
  stats: () => ({}),
  close: async () => {},
};
const options = { group: '/page', hardTimeoutMs: 10_000, softTimeoutMs: 10_000 };

function processes(count: number, flights: FlightCoordinator) {
  const time = new ManualClock();
  const purges = new PurgeClock({ epoch: 'e1', slots: 64 });
  const all = Array.from({ length: count }, () => testStack({ time, purges, flights, shared: [EMPTY] }));
  const answeredAfterMs: (number | 'failed')[] = [];
  let renders = 0;
  const ask = async (
    process: (typeof all)[number],
    renderMs: number,
    store: boolean,
    how: FetchOptions = options,
  ) => {
    try {
      await process.stack.fetch('k', how, async (context) => {
        renders++;
        await new Promise<void>((resolve) => void time.after(renderMs, resolve));
        return { ...process.filled('page', context), store };
      });
      answeredAfterMs.push(time.monotonic());
    } catch {
      answeredAfterMs.push('failed');
    }
  };
  const run = async (ms: number) => {
    for (let step = 0; step < ms; step += 100) {
      await settled();
      time.advance(100);
    }
    await settled();
  };
  return { all, answeredAfterMs, renders: () => renders, ask, run };
}

describe('whoever waits for what others render', () => {
  it('begins himself while there is time, when what he waited for was of no use', async () => {
    const { all, answeredAfterMs, ask, run } = processes(3, new LocalFlights());
    for (const process of all) void ask(process, 4000, false);
    await run(10_000);
    // One, then the others at once: in a row the third would have needed 12 s.
    expect(answeredAfterMs).toHaveLength(3);
    expect(Math.max(...answeredAfterMs.map((ms) => (ms === 'failed' ? Number.NaN : ms)))).toBeLessThan(9000);
  });

  it('goes on waiting in turn while the renders are short', async () => {
    const { all, answeredAfterMs, renders, ask, run } = processes(4, new LocalFlights());
    for (const process of all) void ask(process, 500, false);
    await run(1000);
    expect(renders()).toBe(2 + 2);
    expect(answeredAfterMs).toHaveLength(2);
    await run(1000);
    expect(answeredAfterMs).toHaveLength(4);
    expect(answeredAfterMs).not.toContain('failed');
  });

  it('asks nobody about a page that is kept nowhere', async () => {
    const { all, answeredAfterMs, ask, run } = processes(3, new LocalFlights());
    for (const process of all) void ask(process, 4000, false, { ...options, neverKept: true });
    await run(4100);
    expect(answeredAfterMs).toEqual([4000, 4000, 4000]);
  });

  it('does not give up a render that still goes on, however often he has asked for it', async () => {
    let isOver = false;
    let asked = 0;
    const time: { advance?: () => void } = {};
    const flights: FlightCoordinator = {
      async enter() {
        asked++;
        if (isOver) return { role: 'leader', done: async () => {} };
        const over = new Promise<boolean>((resolve) => {
          time.advance = () => resolve(false);
        });
        return { role: 'follower', over };
      },
      close: async () => {},
    };
    const { all, renders, ask, run } = processes(1, flights);
    for (const process of all) void ask(process, 100, true);
    for (let wait = 0; wait < 3; wait++) {
      await run(1000);
      time.advance?.();
    }
    await run(100);
    expect(asked).toBe(4);
    expect(renders()).toBe(0);
    isOver = true;
    time.advance?.();
    await run(500);
    expect(renders()).toBe(1);
  });
});
