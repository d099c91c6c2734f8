import { describe, expect, it } from 'vitest';
import { options, settled, testStack } from '../../../test/support/cache.ts';
import type { Filled } from '../contract.ts';
import type { FragmentEntry } from '../entry.ts';
import type { Tier } from '../shared/tier.ts';
import type { FlightCoordinator } from './flights.ts';
import { RenderCosts } from './render-costs.ts';

const CHEAP_MS = 2;

function known(times: number, ms: number, costs = new RenderCosts(CHEAP_MS)): RenderCosts {
  for (let render = 0; render < times; render++) costs.rendered(`page ${ms} ${render}`, '/page', ms);
  return costs;
}

describe('what a render costs', () => {
  it('is known of a group once it was rendered eight times', () => {
    expect(known(7, 1).isCheap('another', '/page')).toBe(false);
    expect(known(8, 1).isCheap('another', '/page')).toBe(true);
    expect(known(8, 1).isCheap('another', '/other')).toBe(false);
  });

  it('is judged of a key by its own last render, before its group', () => {
    const costs = known(20, 1);
    costs.rendered('k', '/page', 300);
    expect(costs.isCheap('k', '/page')).toBe(false);
    costs.rendered('k', '/page', 1);
    expect(costs.isCheap('k', '/page')).toBe(true);
    const dear = known(20, 300);
    dear.rendered('k', '/page', 1);
    expect([dear.isCheap('k', '/page'), dear.isCheap('another', '/page')]).toEqual([true, false]);
  });

  it('is that of nearly all renders of a group, not of its mean: one in ten that is dear makes it dear', () => {
    const costs = known(64, 0.1);
    known(3, 300, costs);
    expect(costs.isCheap('another', '/page')).toBe(true);
    known(3, 300, costs);
    expect(costs.isCheap('another', '/page')).toBe(false);
    known(64, 0.1, costs);
    expect(costs.isCheap('another', '/page')).toBe(true);
  });

  it('is never cheap where nothing counts as cheap', () => {
    const costs = known(20, 0, new RenderCosts(0));
    expect(costs.isCheap('k', '/page')).toBe(false);
  });
});

/** A stack over two tiers that note how they are used, and an agreement that notes who asks. */
function watched() {
  const counts = { l2: 0, l3: 0, looks: 0, asked: 0 };
  const tier = (name: 'l2' | 'l3'): Tier<FragmentEntry> => ({
    name,
    usable: true,
    get: async () => {
      counts.looks++;
      return undefined;
    },
    set: async () => void counts[name]++,
    delete: async () => {},
    clear: async () => {},
    stats: () => ({}),
    close: async () => {},
  });
  const flights: FlightCoordinator = {
    enter: async () => {
      counts.asked++;
      return { role: 'leader', done: async () => {} };
    },
    close: async () => {},
  };
  const made = testStack({ shared: [tier('l2'), tier('l3')], flights, cheapMs: CHEAP_MS });
  const render = async (key: string, ms: number, how: Partial<Filled<FragmentEntry>> = {}) => {
    const outcome = await made.stack.fetch(key, options, (context) => {
      made.time.advance(ms);
      return { ...made.filled(key, context), ...how };
    });
    await settled();
    return outcome;
  };
  const eight = async (ms: number, how?: Partial<Filled<FragmentEntry>>) => {
    for (let page = 0; page < 8; page++) await render(`first ${page}`, ms, how);
  };
  return { ...made, counts, render, eight };
}

describe('a cheap page', () => {
  it('is rendered at once, without a look elsewhere, a question to others or a copy for them', async () => {
    const { counts, stack, time, filled, eight } = watched();
    await eight(1);
    const before = { ...counts };
    const outcome = stack.fetch('then', options, (context) => {
      time.advance(1);
      return filled('then', context);
    });
    expect(outcome).toMatchObject({ result: 'miss', stored: true, value: { html: 'then' } });
    await settled();
    expect(counts).toEqual(before);
    expect(stack.peek('then')?.html).toBe('then');
  });

  it('is rendered once in a process for all who want it meanwhile', async () => {
    const { stack, time, filled, eight } = watched();
    await eight(1);
    let renders = 0;
    const ask = () =>
      stack.fetch('then', options, async (context) => {
        renders++;
        await settled();
        time.advance(1);
        return filled('then', context);
      });
    const outcomes = await Promise.all([ask(), ask(), ask()]);
    expect(renders).toBe(1);
    expect(outcomes.map(({ collapsed }) => collapsed)).toEqual([false, true, true]);
  });

  it('is written to the disk where the warm list asks for it, and nowhere when it is compressed', async () => {
    const { stack, counts, purges, eight, time, filled } = watched();
    await eight(1);
    const before = { ...counts };
    await stack.fetch('listed', { ...options, reason: 'warm' }, (context) => {
      time.advance(1);
      return filled('listed', context);
    });
    await settled();
    expect(counts).toEqual({ ...before, l3: before.l3 + 1 });
    const cached = stack.peek('listed');
    if (cached === undefined) expect.fail('it is held');
    stack.replace(
      'listed',
      cached,
      { ...cached, stamp: purges.stamp() },
      { group: options.group, share: true },
    );
    await settled();
    expect(counts).toEqual({ ...before, l3: before.l3 + 1 });
  });

  it('that fails is looked for elsewhere then', async () => {
    const { stack, counts, eight } = watched();
    await eight(1);
    const before = counts.looks;
    const failed = stack.fetch('then', options, () => {
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(counts.looks).toBe(before + 2);
    expect(stack.stats().fillErrors).toBe(1);
  });

  it('is dear again when it has become slow', async () => {
    const { counts, render, eight } = watched();
    await eight(1);
    await render('slow', 200);
    const before = { ...counts };
    await render('slow', 200);
    expect(counts).toEqual(before);
    await render('after', 200);
    expect(counts.asked).toBe(before.asked + 1);
  });
});

describe('a page stays dear', () => {
  it('that waits long, however little it computes', async () => {
    const { stack, counts, time, filled } = watched();
    for (let page = 0; page < 20; page++) {
      await stack.fetch(`page ${page}`, options, async (context) => {
        await settled();
        time.advance(300);
        return filled('x', context);
      });
    }
    expect(counts.asked).toBe(20);
  });

  it('that asks another service, however quick that was', async () => {
    const { counts, eight, render } = watched();
    await eight(1, { cost: 'dear' });
    await render('then', 1, { cost: 'dear' });
    expect(counts.asked).toBe(9);
  });

  it('of which only what is not there was asked for: a scan of addresses makes nothing cheap', async () => {
    const { counts, eight, render } = watched();
    for (let scan = 0; scan < 10; scan++) await eight(0, { cost: 'unlike' });
    const before = counts.asked;
    await render('a real one', 300);
    expect(counts.asked).toBe(before + 1);
  });
});
