import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
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
    for (let index = 0; index <= 20_000; index++) recent.add('old', [`k:${index}`], 'purge');
    expect(recent.takeOfOtherEpochs('new')).toBe('too many');
  });
});
