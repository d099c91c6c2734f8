// V8 builds a Map or Set anew in one step when it grows or shrinks: the larger it is, the longer nobody is answered.
import { describe, expect, it } from 'vitest';
import { MemoryTier } from '../../src/cache/memory/memory.ts';
import { weighFragment } from '../../src/cache/memory/weight.ts';
import { PurgeClock } from '../../src/invalidation/clock/clock.ts';
import { Dependencies } from '../../src/invalidation/graph/dependencies.ts';
import { entryOf } from '../support/cache.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { silent } from '../support/silent.ts';

const ENTRIES = 140_000;

/** Wraps calls, and knows the size of the largest Map or Set that anything was put into during them. */
function largestTable() {
  let largest = 0;
  const { set } = Map.prototype;
  const { add } = Set.prototype;
  const watched = {
    set(this: Map<unknown, unknown>, key: unknown, value: unknown) {
      set.call(this, key, value);
      largest = Math.max(largest, this.size);
      return this;
    },
    add(this: Set<unknown>, member: unknown) {
      add.call(this, member);
      largest = Math.max(largest, this.size);
      return this;
    },
  };
  const during = (act: () => void) => {
    Map.prototype.set = watched.set;
    Set.prototype.add = watched.add;
    try {
      act();
    } finally {
      Map.prototype.set = set;
      Set.prototype.add = add;
    }
  };
  return { during, largest: () => largest };
}

describe('the index of very many entries that were all made from one key', () => {
  it('lies in tables of which none is long in the making, and a purge empties it', () => {
    const clock = new ManualClock();
    const validity = new PurgeClock({ epoch: 'e1', slots: 2 ** 20 });
    const dependencies = new Dependencies({ clock, logger: silent, maxRefreshes: 0 });
    const index = dependencies.tierObserver('fragment');
    const tables = largestTable();
    const entered = (id: string, keys: readonly string[]) => tables.during(() => index.entered(id, keys));
    const memory = new MemoryTier({
      clock,
      validity,
      weigh: weighFragment,
      maxBytes: 1e9,
      maxGroupShare: 1,
      tierObserver: { ...index, entered },
    });
    dependencies.attach('fragment', { refresh: () => false, dropPurged: (id) => memory.dropPurged(id) });
    const stamp = { stamp: validity.stamp() };
    for (let n = 0; n < ENTRIES; n++) {
      memory.set(`/${n}`, entryOf('x', stamp, clock, { keys: [`users#${n}`, 'users.name'] }), 'g');
    }
    expect(memory.stats().entries).toBe(ENTRIES);
    expect(tables.largest()).toBeLessThanOrEqual(131_072);
    expect([...dependencies.madeFrom(['users.name'], ENTRIES + 1)]).toHaveLength(ENTRIES);

    validity.apply(1, ['users.name'], 'purge');
    dependencies.purge({ epoch: 'e1', seq: 1, kind: 'purge', keys: ['users.name'] });
    while (clock.pending > 0) clock.advanceToNext();
    expect(memory.stats()).toMatchObject({ entries: 0, bytes: 0, purged: ENTRIES });
    expect(dependencies.stats()).toMatchObject({ entries: 0, edges: 0 });
  });
});
