import { describe, expect, it } from 'vitest';
import { durations, someCounts } from '../../test/support/snapshots.ts';
import { sumCounts, zeroCounts } from './counts.ts';

describe('the sum of counts', () => {
  it('of one is that one, and nothing adds nothing', () => {
    expect(sumCounts([someCounts()])).toEqual(someCounts());
    expect(sumCounts([])).toEqual(zeroCounts());
    expect(sumCounts([zeroCounts(), someCounts(), zeroCounts()])).toEqual(someCounts());
  });

  it('adds items up by their texts, and histograms bucket by bucket', () => {
    const own = (route: string, status: string, count: number) => ({
      ...zeroCounts().http,
      answered: [{ route, method: 'GET', status, durations: durations({ 3: count }) }],
    });
    const parts = [own('/', '200', 2), own('/', '200', 3), own('/', '500', 1), own('/a', '200', 1)];
    const { http } = sumCounts(parts.map((part) => ({ ...zeroCounts(), http: part })));
    expect(http.answered.map(({ route, status, durations: { count } }) => [route, status, count])).toEqual([
      ['/', '200', 5],
      ['/', '500', 1],
      ['/a', '200', 1],
    ]);
    expect(http.answered[0]?.durations).toEqual(durations({ 3: 5 }));
  });

  it('leaves its parts as they are', () => {
    const part = someCounts();
    sumCounts([part, part]);
    expect(part).toEqual(someCounts());
  });
});
