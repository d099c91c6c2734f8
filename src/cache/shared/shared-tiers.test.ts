import { describe, expect, it } from 'vitest';
import { deferred, entryOf, options, settled, testStack } from '../../../test/support/cache.ts';
import type { FragmentEntry } from '../entry.ts';
import { LocalFlights } from '../render/flights.ts';
import type { Tier } from './tier.ts';

/** A tier of a map, whose next operation a test may hold up or let fail. */
function mapTier(name: 'l2' | 'l3') {
  const entries = new Map<string, FragmentEntry>();
  const control: { before: () => Promise<void>; usable: boolean } = { before: async () => {}, usable: true };
  const tier: Tier<FragmentEntry> = {
    name,
    get usable() {
      return control.usable;
    },
    async get(key) {
      await control.before();
      return entries.get(key);
    },
    async set(key, value) {
      await control.before();
      entries.set(key, value);
    },
    async delete(key) {
      entries.delete(key);
    },
    clear: async () => entries.clear(),
    stats: () => ({}),
    close: async () => {},
  };
  return { tier, entries, control };
}

function joined() {
  const [l2, l3] = [mapTier('l2'), mapTier('l3')];
  return { l2, l3, ...testStack({ shared: [l2.tier, l3.tier] }) };
}

describe('L1, L2, L3, render', () => {
  it('a render reaches every tier, and the client does not wait for it', async () => {
    const { stack, filled, l2, l3 } = joined();
    const slow = deferred();
    let reads = 0;
    l2.control.before = () => (reads++ === 0 ? Promise.resolve() : slow.promise);
    const { value, stored } = await stack.fetch('k', options, async (context) => filled('one', context));
    expect(stored).toBe(true);
    expect(l2.entries.size).toBe(0);
    slow.resolve();
    await stack.flushed();
    expect([l2.entries.get('k'), l3.entries.get('k')]).toEqual([value, value]);
  });

  it('what L3 has goes up to L2 and L1', async () => {
    const { stack, l2, l3, purges, time } = joined();
    l3.entries.set('k', entryOf('kept', { stamp: purges.stamp() }, time));
    const found = await stack.fetch('k', options, async () => expect.fail('rendered'));
    expect(found).toMatchObject({ result: 'hit', tier: 'l3', value: { html: 'kept' } });
    await stack.flushed();
    expect(l2.entries.get('k')?.html).toBe('kept');
    expect(stack.peek('k')?.html).toBe('kept');
  });

  it('what L2 has of before a purge is passed over, and L3 is asked', async () => {
    const { stack, l2, l3, purges, time, purge } = joined();
    l2.entries.set('k', entryOf('old', { stamp: purges.stamp() }, time));
    purge('a');
    l3.entries.set('k', entryOf('new', { stamp: purges.stamp() }, time));
    const found = await stack.fetch('k', options, async () => expect.fail('rendered'));
    expect(found).toMatchObject({ tier: 'l3', value: { html: 'new' } });
    expect(stack.stats().shared).toMatchObject({ l2: { purged: 1 }, l3: { hits: 1 } });
  });

  it('what L2 has stale is served, and made anew once in the background', async () => {
    const { stack, l2, purges, time, filled, background } = joined();
    const stale = entryOf('old', { stamp: purges.stamp() }, time, { freshMs: -1, staleMs: 1000 });
    l2.entries.set('k', stale);
    const fill = async (context: Parameters<typeof filled>[1]) => filled('new', context);
    expect(await stack.fetch('k', options, fill)).toMatchObject({
      result: 'stale',
      tier: 'l2',
      value: { html: 'old' },
    });
    await background.idle();
    await stack.flushed();
    expect(l2.entries.get('k')?.html).toBe('new');
    expect(stack.stats()).toMatchObject({ fills: 1, refreshes: 1 });
  });

  it('what L2 has for the case of failure stands in for a render that failed', async () => {
    const { stack, l2, purges, time } = joined();
    l2.entries.set('k', entryOf('old', { stamp: purges.stamp() }, time, { freshMs: -1, errorMs: 1000 }));
    const error = new Error('down');
    const outcome = await stack.fetch('k', options, async () => Promise.reject(error));
    expect(outcome).toMatchObject({ result: 'stale', error, value: { html: 'old' } });
  });

  it('a tier that fails is a miss, counted; one that hangs costs its time limit', async () => {
    const { stack, filled, l2, l3, time } = joined();
    l2.control.before = async () => Promise.reject(new Error('broken'));
    l3.control.before = () => new Promise(() => {});
    const asked = stack.fetch('k', options, async (context) => filled('one', context));
    await settled();
    time.advance(250);
    expect((await asked).value.html).toBe('one');
    // One read and one write.
    expect(stack.stats().shared).toMatchObject({ l2: { errors: 2 }, l3: { timeouts: 1 } });
  });

  it('a tier that is known to be of no use is not asked', async () => {
    const { stack, filled, l2 } = joined();
    l2.control.usable = false;
    l2.control.before = async () => expect.fail('asked');
    await stack.fetch('k', options, async (context) => filled('one', context));
    await stack.flushed();
    expect(stack.stats().shared).toMatchObject({ l2: { errors: 0 } });
  });

  it('a write that a purge overtook is not written', async () => {
    const { stack, filled, purge, l2, l3 } = joined();
    await stack.fetch('k', options, async (context) => filled('one', context));
    await stack.flushed();
    l2.entries.clear();
    l3.entries.clear();
    const late = stack.fetch('l', options, async (context) => {
      purge('a');
      return filled('late', context);
    });
    expect(await late).toMatchObject({ result: 'miss', stored: false });
    await stack.flushed();
    expect(l2.entries.size + l3.entries.size).toBe(0);
  });
});

describe('workers that agree', () => {
  it('render once and share the result over the tiers', async () => {
    const { tier } = mapTier('l2');
    const flights = new LocalFlights();
    const [one, two] = [testStack({ shared: [tier], flights }), testStack({ shared: [tier], flights })];
    const reading = deferred();
    const first = one.stack.fetch('k', options, async (context) => {
      await reading.promise;
      return one.filled('once', context);
    });
    const second = two.stack.fetch('k', options, async () => expect.fail('rendered twice'));
    await settled();
    reading.resolve();
    expect((await first).value.html).toBe('once');
    // It waited for a render, so it is no hit.
    expect(await second).toMatchObject({ result: 'miss', collapsed: true, value: { html: 'once' } });
    expect(two.stack.stats()).toMatchObject({ followed: 1, misses: 1, hitsL2: 0 });
  });

  it('look again once it is their turn: another may have stored it since', async () => {
    const { tier, entries } = mapTier('l2');
    const worker = testStack({
      shared: [tier],
      flights: {
        enter: async () => {
          entries.set('k', entryOf('by another', { stamp: worker.purges.stamp() }, worker.time));
          return { role: 'leader', done: async () => {} };
        },
        close: async () => {},
      },
    });
    const found = await worker.stack.fetch('k', options, async () => expect.fail('rendered twice'));
    expect(found).toMatchObject({ result: 'hit', tier: 'l2', value: { html: 'by another' } });
  });

  it('keep their turn until the others can see the result', async () => {
    const { tier, control, entries } = mapTier('l2');
    const stored: boolean[] = [];
    const worker = testStack({
      shared: [tier],
      flights: {
        enter: async () => ({ role: 'leader', done: async () => void stored.push(entries.has('k')) }),
        close: async () => {},
      },
    });
    const slow = deferred();
    await worker.stack.fetch('k', options, async (context) => {
      control.before = () => slow.promise;
      return worker.filled('x', context);
    });
    await settled();
    expect(stored).toEqual([]);
    slow.resolve();
    await settled();
    expect(stored).toEqual([true]);
  });

  it('do not wait in a row for what is never stored', async () => {
    const { tier } = mapTier('l2');
    const flights = new LocalFlights();
    const stacks = Array.from({ length: 4 }, () => testStack({ shared: [tier], flights }));
    const all = await Promise.all(
      stacks.map(({ stack, filled }) =>
        stack.fetch('k', options, async (context) => ({ ...filled('own', context), store: false })),
      ),
    );
    expect(all.map(({ stored }) => stored)).toEqual([false, false, false, false]);
  });

  it('give the turn back when the render fails or its time is over', async () => {
    const { tier } = mapTier('l2');
    const flights = new LocalFlights();
    const [one, two] = [testStack({ shared: [tier], flights }), testStack({ shared: [tier], flights })];
    const failed = one.stack.fetch('k', options, () => Promise.reject(new Error('no')));
    await expect(failed).rejects.toThrow('no');
    expect((await two.stack.fetch('k', options, async (context) => two.filled('yes', context))).result).toBe(
      'miss',
    );
    const hung = one.stack.fetch('l', { ...options, hardTimeoutMs: 100 }, () => new Promise(() => {}));
    await settled();
    one.time.advance(100);
    await expect(hung).rejects.toMatchObject({ code: 'E_RENDER_TIMEOUT' });
    expect((await two.stack.fetch('l', options, async (context) => two.filled('yes', context))).result).toBe(
      'miss',
    );
  });
});
