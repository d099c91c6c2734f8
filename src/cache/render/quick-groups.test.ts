import { describe, expect, it } from 'vitest';
import { options, settled, testStack } from '../../../test/support/cache.ts';
import type { FragmentEntry } from '../entry.ts';
import type { Tier } from '../shared/tier.ts';
import type { FlightCoordinator } from './flights.ts';
import { QuickGroups } from './quick-groups.ts';

describe('quick groups', () => {
  it('are those that have shown it, on average', () => {
    const groups = new QuickGroups(5);
    for (let render = 0; render < 7; render++) groups.took('/quick', 1);
    expect(groups.has('/quick')).toBe(false);
    groups.took('/quick', 1);
    expect(groups.has('/quick')).toBe(true);
    expect(groups.has('/unknown')).toBe(false);
    groups.took('/quick', 100);
    expect(groups.has('/quick')).toBe(false);
  });

  it('are none where nothing counts as quick', () => {
    const groups = new QuickGroups(0);
    for (let render = 0; render < 20; render++) groups.took('/a', 0);
    expect(groups.has('/a')).toBe(false);
  });
});

/** A stack over two tiers that note what is written to them, and an agreement that notes who asks. */
function watched() {
  const written = { l2: 0, l3: 0 };
  const tier = (name: 'l2' | 'l3'): Tier<FragmentEntry> => ({
    name,
    usable: true,
    get: async () => undefined,
    set: async () => void written[name]++,
    delete: async () => {},
    clear: async () => {},
    stats: () => ({}),
    close: async () => {},
  });
  let asked = 0;
  const flights: FlightCoordinator = {
    enter: async () => {
      asked++;
      return { role: 'leader', done: async () => {} };
    },
    close: async () => {},
  };
  const made = testStack({ shared: [tier('l2'), tier('l3')], flights, quickMs: 5 });
  const render = async (key: string, ms: number) => {
    const fetched = made.stack.fetch(key, options, async (context) => {
      made.time.advance(ms);
      return made.filled(key, context);
    });
    await fetched;
    await settled();
  };
  return { ...made, written, render, asked: () => asked };
}

describe('a page that is quickly made', () => {
  it('costs no file and no question to others, once it is known to be', async () => {
    const { written, render, asked } = watched();
    for (let page = 0; page < 8; page++) await render(`first${page}`, 1);
    expect([written.l3, asked()]).toEqual([8, 8]);
    for (let page = 0; page < 10; page++) await render(`then${page}`, 1);
    expect([written.l3, asked()]).toEqual([8, 8]);
    expect(written.l2).toBe(18);
  });

  it('is written when somebody has come back for it', async () => {
    const { stack, written, render, purges } = watched();
    for (let page = 0; page < 9; page++) await render(`page${page}`, 1);
    const held = stack.peek('page8');
    expect(written.l3).toBe(8);
    if (held === undefined) expect.fail('it is held');
    stack.replace('page8', held, { ...held, stamp: purges.stamp() }, { group: options.group, share: true });
    await settled();
    expect(written.l3).toBe(9);
  });

  it('is treated like any other again when it has become slow', async () => {
    const { written, render, asked } = watched();
    for (let page = 0; page < 9; page++) await render(`quick${page}`, 1);
    await render('slow', 200);
    const before = [written.l3, asked()];
    await render('after', 200);
    expect([written.l3, asked()]).toEqual(before.map((count) => count + 1));
  });
});
