import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryIndex } from './entry-index.ts';

const id = fc.constantFrom('p1', 'p2', 'p3', 'p4');
const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
const step = fc.oneof(fc.record({ id, keys }), fc.record({ id }));

describe('EntryIndex', () => {
  it('knows at every moment exactly the entries that were made from a key', () => {
    fc.assert(
      fc.property(fc.array(step), fc.constantFrom(3, 100), (steps, splitAt) => {
        const index = new EntryIndex(splitAt);
        const model = new Map<string, readonly string[]>();
        for (const each of steps) {
          const held = model.get(each.id);
          if (held !== undefined) index.leave(each.id, held);
          if ('keys' in each) {
            index.enter(each.id, each.keys);
            model.set(each.id, each.keys);
          } else {
            model.delete(each.id);
          }
          for (const key of ['a', 'b', 'c', 'd', 'e']) {
            const made = [...model].filter(([, from]) => from.includes(key)).map(([name]) => name);
            expect([...index.entriesOf(key)].sort()).toEqual(made.sort());
            expect(index.count(key)).toBe(made.length);
          }
          expect([...index.keys()].sort()).toEqual([...new Set([...model.values()].flat())].sort());
          expect(index.edges).toBe([...model.values()].flat().length);
          expect(index.size).toBe(model.size);
          expect([...new Set(index.entries())].sort()).toEqual([...model.keys()].sort());
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('can be walked while entries leave and others make a key popular', () => {
    const index = new EntryIndex(4);
    for (const each of ['1', '2', '3']) index.enter(each, ['a']);
    const newcomers = ['4', '5', '6', '7'];
    const seen: string[] = [];
    for (const each of index.entriesOf('a')) {
      seen.push(each);
      if (!newcomers.includes(each)) index.leave(each, ['a']);
      if (each === '1') for (const newcomer of newcomers) index.enter(newcomer, ['a']);
    }
    expect(seen).toEqual(expect.arrayContaining(['1', '2', '3']));
    expect([...index.entriesOf('a')].sort()).toEqual(['4', '5', '6', '7']);
  });
});
