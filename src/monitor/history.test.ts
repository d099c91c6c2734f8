import { describe, expect, it } from 'vitest';
import { History } from './history.ts';

function filled(rows: readonly (readonly [number, number, number])[], capacity = 720) {
  const history = new History(['requests', 'heap'], capacity);
  for (const [atMs, requests, heap] of rows) history.add(atMs, { requests, heap });
  return history;
}

describe('a history', () => {
  it('makes rates of counters by the time that passed, not by the number of rows', () => {
    const history = filled([
      [0, 100, 1],
      [5000, 150, 1],
      [15_000, 250, 1],
    ]);
    expect(history.perSecond('requests', 60_000)).toBe(10);
    expect(history.increase('requests', 10_000)).toBe(100);
  });

  it('counts on where every worker was replaced and its counter began anew', () => {
    const history = filled([
      [0, 1000, 1],
      [5000, 1010, 1],
      [10_000, 4, 1],
      [15_000, 6, 1],
    ]);
    expect(history.increase('requests', 60_000)).toBe(16);
  });

  it('keeps the newest rows and forgets the others', () => {
    const rows = Array.from({ length: 1000 }, (_, index) => [index * 1000, index, index % 7] as const);
    const history = filled(rows, 10);
    expect(history.length).toBe(10);
    expect(history.points('requests', 1e9).map(({ value }) => value)).toEqual([
      990, 991, 992, 993, 994, 995, 996, 997, 998, 999,
    ]);
    expect(history.spanMs(1e9)).toBe(9000);
    expect(history.highest('heap', 3000)).toBe(5);
    expect(history.latest('requests')).toBe(999);
  });

  it('says nothing before there is something', () => {
    const history = filled([]);
    expect(history.latest('heap')).toBeUndefined();
    expect(history.perSecond('requests', 1000)).toBeUndefined();
    expect(history.highest('heap', 1000)).toBeUndefined();
    expect(history.increase('requests', 1000)).toBe(0);
    expect(filled([[0, 5, 1]]).perSecond('requests', 1000)).toBeUndefined();
  });

  it('leaves out what was not known at the time', () => {
    const history = filled([
      [0, 1, Number.NaN],
      [1, 1, 5],
    ]);
    expect(history.points('heap', 1000)).toEqual([{ at: 1, value: 5 }]);
  });
});
