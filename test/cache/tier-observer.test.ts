import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryTier } from '../../src/cache/memory/memory.ts';
import { weighFragment } from '../../src/cache/memory/weight.ts';
import { PurgeClock } from '../../src/invalidation/clock/clock.ts';
import { Dependencies } from '../../src/invalidation/graph/dependencies.ts';
import { entryOf, options, testStack } from '../support/cache.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { silent } from '../support/silent.ts';

const id = fc.constantFrom('/1', '/2', '/3', '/4');
const key = fc.constantFrom('a', 'b', 'c');
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('fetch' as const),
      id,
      keys: fc.uniqueArray(key),
      pin: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('evict' as const),
      id,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('purge' as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('clear' as const, 'wait' as const, 'sweep' as const) }),
  },
);

function site(maxBytes: number) {
  const time = new ManualClock();
  const purges = new PurgeClock({ epoch: 'e1', slots: 1024 });
  const dependencies = new Dependencies({ clock: time, logger: silent, maxRefreshes: 0 });
  const common = { clock: time, validity: purges, weigh: weighFragment, maxBytes };
  const memory = new MemoryTier({
    ...common,
    tierObserver: dependencies.tierObserver('page'),
    maxEntryBytes: maxBytes,
    maxPinnedBytes: maxBytes,
  });
  const { stack } = testStack({ time, purges, memory });
  dependencies.attach('page', { dropPurged: (each) => stack.dropPurged(each), refresh: () => false });
  return { time, purges, dependencies, stack };
}

describe('what tiers in memory tell of what they hold', () => {
  // Small enough that entries displace each other, and large enough that they do not.
  it.each([700, 1e6])('is what they hold, whatever happens (%i bytes)', async (maxBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { time, purges, dependencies, stack } = site(maxBytes);
        for (const each of steps) {
          if (each.do === 'fetch') {
            await stack.fetch(each.id, { ...options, pin: each.pin }, async (context) => ({
              value: entryOf('x', context, time, { keys: each.keys }),
              store: true,
            }));
          } else if (each.do === 'purge') {
            const seq = purges.seq + 1;
            purges.apply(seq, [each.key], 'purge');
            dependencies.purge({ epoch: 'e1', seq, kind: 'purge', keys: [each.key] });
          } else if (each.do === 'clear') await stack.clear();
          else if (each.do === 'wait') time.advance(61_000);
          else if (each.do === 'sweep') time.advance(0);
          else if (each.do === 'evict') stack.evict(each.id);

          const held = new Map<string, readonly string[]>();
          for (const name of ['/1', '/2', '/3', '/4']) {
            for (const { value } of await stack.holders(name)) held.set(name, value.keys);
          }
          for (const name of ['a', 'b', 'c']) {
            const made = [...held].filter(([, keys]) => keys.includes(name)).map(([page]) => page);
            expect([...dependencies.explainKey(name).pages].sort()).toEqual(made);
          }
        }
        const all = async () =>
          (await Promise.all(['/1', '/2', '/3', '/4'].map((name) => stack.holders(name)))).flat();
        const before = await all();
        time.advance(0);
        // The sweep has dropped all that was purged, and nothing else.
        expect(await all()).toEqual(before.filter(({ verdict }) => verdict !== 'purged'));
      }),
      { numRuns: 300 },
    );
  });
});
