import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { RecentPurges } from './recent-purges.ts';

describe('RecentPurges', () => {
  it('gives back what was published under another epoch, once', () => {
    const recent = new RecentPurges(new ManualClock());
    recent.add('old', ['users#1'], 'purge');
    recent.add('new', ['users#2'], 'purge');
    expect(recent.takeOfOtherEpochs('new')).toMatchObject([{ keys: ['users#1'] }]);
    expect(recent.takeOfOtherEpochs('new')).toEqual([]);
  });

  it('forgets what is older than any takeover takes', () => {
    const clock = new ManualClock();
    const recent = new RecentPurges(clock);
    recent.add('old', ['users#1'], 'purge');
    clock.advance(10_001);
    expect(recent.takeOfOtherEpochs('new')).toEqual([]);
  });

  it('says so when it had to forget what might be needed', () => {
    const recent = new RecentPurges(new ManualClock());
    for (let index = 0; index <= 200_000; index++) recent.add('old', [`k:${index}`], 'purge');
    expect(recent.takeOfOtherEpochs('new')).toBe('too many');
  });

  it('makes up for everything where a purge is too large to be kept at all', () => {
    const recent = new RecentPurges(new ManualClock());
    recent.add('old', ['k'.repeat(9_000_000)], 'purge');
    expect(recent.size).toBe(0);
    recent.add('old', ['users#1'], 'purge');
    expect(recent.takeOfOtherEpochs('new')).toBe('too many');
  });

  it('keeps seconds, not numbers: of 5,000 keys a second no more than ten', () => {
    const clock = new ManualClock();
    const recent = new RecentPurges(clock);
    for (let index = 0; index < 100_000; index++) {
      recent.add('e', [`posts.user_id=${index}`], 'purge');
      clock.advance(0.2);
      expect(recent.size).toBeLessThanOrEqual(50_001);
    }
    clock.advance(11_000);
    recent.add('e', ['users#1'], 'purge');
    expect(recent.size).toBe(1);
  });

  it('keeps no more than its bytes, however large the purges are', () => {
    const recent = new RecentPurges(new ManualClock());
    const keys = Array.from({ length: 10_000 }, (_, index) => `a-rather-long-key-of-something#${index}`);
    for (let index = 0; index < 1000; index++) {
      recent.add('e', keys, 'purge');
      expect(recent.size).toBeLessThan(20);
    }
  });
});
