import { describe, expect, it } from 'vitest';
import { median, slope } from './trend.ts';

const line = (count: number, value: (index: number) => number) =>
  Array.from({ length: count }, (_, index) => ({ at: index * 5, value: value(index) }));

describe('a slope', () => {
  it('is that of a straight line', () => {
    expect(slope(line(100, (index) => 7 + index * 10))).toBeCloseTo(2);
  });

  it('is not bent by the jumps of a collector', () => {
    // A sawtooth on a level: the least squares of its first part alone would say that it rises.
    const sawtooth = line(720, (index) => 100 + (index % 40));
    expect(Math.abs(slope(sawtooth) ?? Number.NaN)).toBeLessThan(0.02);
    const outlier = line(60, (index) => (index > 50 ? 100_000 : index));
    expect(slope(outlier)).toBeLessThan(1);
  });

  it('is unknown from too little', () => {
    expect(slope(line(7, (index) => index))).toBeUndefined();
    expect(slope([])).toBeUndefined();
    expect(slope(Array.from({ length: 20 }, () => ({ at: 1, value: 1 })))).toBeUndefined();
  });
});

it('a median of an even number is between the two in the middle', () => {
  expect([median([3, 1]), median([5, 1, 3]), median([])]).toEqual([2, 3, undefined]);
});
