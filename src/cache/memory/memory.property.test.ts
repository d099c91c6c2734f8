import fc from 'fast-check';
import { expect, it } from 'vitest';
import { entryOf } from '../../../test/support/cache.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import type { FragmentEntry } from '../entry.ts';
import { MemoryTier } from './memory.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const MAX_BYTES = 4000;
const MAX_PINNED_BYTES = 1500;
const GROUP_SHARE = 0.6;

const key = fc.constantFrom(...KEYS);
const from = fc.constantFrom('x', 'y');
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      key,
      length: fc.integer({ min: 0, max: 2500 }),
      group: fc.constantFrom('g', 'h'),
      keys: fc.uniqueArray(from),
      pin: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('get' as const, 'fresh' as const, 'delete' as const, 'sweep' as const),
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('purge' as const), from }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('clear' as const, 'wait' as const) }) },
);

/** What the index was told, which must never hear of an entry twice. */
class Told {
  readonly cached = new Map<string, readonly string[]>();

  entered(id: string, keys: readonly string[]): void {
    expect(this.cached.has(id)).toBe(false);
    this.cached.set(id, keys);
  }

  left(id: string, keys: readonly string[]): void {
    expect(this.cached.get(id)).toBe(keys);
    this.cached.delete(id);
  }

  weigh(keys: number): number {
    return 10 * keys;
  }
}

it('whatever happens, the bytes are the sum, no group is over its share, and the index knows what is held', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new ManualClock();
      const validity = new PurgeClock({ epoch: 'e1', slots: 1024 });
      const told = new Told();
      const memory = new MemoryTier<FragmentEntry>({
        clock,
        validity,
        weigh: (_key, { html }) => 1 + html.length,
        maxBytes: MAX_BYTES,
        maxPinnedBytes: MAX_PINNED_BYTES,
        maxEntryBytes: MAX_BYTES,
        maxGroupShare: GROUP_SHARE,
        tierObserver: told,
      });
      for (const each of steps) {
        if (each.do === 'set') {
          const entry = entryOf('x'.repeat(each.length), { stamp: validity.stamp() }, clock, each);
          const taken = memory.set(each.key, entry, each.group, each.pin);
          expect(memory.look(each.key)?.value === entry).toBe(taken);
        } else if (each.do === 'get' || each.do === 'fresh' || each.do === 'delete')
          memory[each.do](each.key);
        else if (each.do === 'sweep') memory.dropPurged(each.key);
        else if (each.do === 'purge') validity.apply(validity.seq + 1, [each.from], 'purge');
        else if (each.do === 'clear') memory.clear();
        else clock.advance(30_000);

        const all = KEYS.flatMap((name) => memory.look(name) ?? []);
        const sum = (pinned: boolean) =>
          all
            .filter(({ isPinned }) => isPinned === pinned)
            .reduce((bytes, cached) => bytes + cached.bytes, 0);
        const { pinned, ...lru } = memory.stats();
        expect(lru).toMatchObject({ bytes: sum(false), entries: all.length - pinned.entries });
        expect(pinned.bytes).toBe(sum(true));
        expect(lru.bytes).toBeLessThanOrEqual(MAX_BYTES);
        expect(pinned.bytes).toBeLessThanOrEqual(MAX_PINNED_BYTES);
        for (const name of ['g', 'h']) {
          const own = all.filter(({ group, isPinned }) => group === name && !isPinned);
          const bytes = own.reduce((total, cached) => total + cached.bytes, 0);
          expect(
            memory.groups().find(({ group }) => group === name) ?? { group: name, entries: 0, bytes: 0 },
          ).toEqual({
            group: name,
            entries: own.length,
            bytes,
          });
          expect(bytes).toBeLessThanOrEqual(MAX_BYTES * GROUP_SHARE);
        }
        expect([...told.cached.keys()].sort()).toEqual(all.map((cached) => cached.key).sort());
        expect(memory.recentKeys(100).sort()).toEqual(all.map((cached) => cached.key).sort());
      }
    }),
    { numRuns: 1000 },
  );
});
