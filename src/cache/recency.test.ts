import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Recency } from './recency.ts';

class Entry {
  readonly key: string;
  older: Entry | undefined;
  newer: Entry | undefined;

  constructor(key: string) {
    this.key = key;
  }
}

const step = fc.record({
  do: fc.constantFrom('toggle' as const, 'get' as const, 'peek' as const),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
});

describe('entries in the order in which they were wanted', () => {
  it('are found, and stand in that order, however many tables they lie in', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 2, 100), (steps, limit) => {
        const recency = new Recency<Entry>(limit);
        // A map is walked in the order in which its keys came.
        const model = new Map<string, Entry>();
        for (const each of steps) {
          const known = model.get(each.key);
          if (each.do === 'peek') expect(recency.peek(each.key)).toBe(known);
          else if (each.do === 'get') {
            expect(recency.get(each.key)).toBe(known);
            if (known !== undefined) {
              model.delete(each.key);
              model.set(each.key, known);
            }
          } else if (known === undefined) {
            const entry = new Entry(each.key);
            recency.add(entry);
            model.set(each.key, entry);
          } else {
            recency.remove(known);
            model.delete(each.key);
            expect([known.older, known.newer]).toEqual([undefined, undefined]);
          }
          expect([...recency.newestFirst()].reverse()).toEqual([...model.values()]);
          expect(recency.oldest).toBe([...model.values()][0]);
          expect(recency.size).toBe(model.size);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
