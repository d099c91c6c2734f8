import { describe, expect, it } from 'vitest';
import { parseMessage, parseStreamEntry, timeText } from './purge-message.ts';

const committedMs = 1_700_000_000_123.456;

describe('a purge as text', () => {
  it('carries the time of its commit, to the microsecond', () => {
    expect(parseMessage(`e 7 purge@${timeText(committedMs)} ["a"]`)).toEqual({
      epoch: 'e',
      seq: 7,
      kind: 'purge',
      keys: ['a'],
      committedMs,
    });
  });

  it('needs no time: nothing was committed where a purge was made by hand', () => {
    expect(parseMessage('e 7 expire ["a"]')).toEqual({ epoch: 'e', seq: 7, kind: 'expire', keys: ['a'] });
    expect(timeText(undefined)).toBe('');
  });

  it.each(['', 'x', '-1', '1e5', '1.2345', '123456789012345', 'NaN', '1 2'])(
    'is refused with the time %j',
    (time) => {
      expect(parseMessage(`e 7 purge@${time} ["a"]`)).toBeUndefined();
    },
  );

  it.each([Number.NaN, -1, 1e14, Number.POSITIVE_INFINITY])('is never sent with the time %d', (time) => {
    expect(timeText(time)).toBe('');
  });
});

describe('a purge in the stream', () => {
  const entry = (...fields: string[]) =>
    parseStreamEntry('e', '7-0', ['kind', 'purge', 'keys', '["a"]', ...fields]);

  it('carries the time, too, so that one that had to be fetched is not left out of the figures', () => {
    expect(entry('at', timeText(committedMs))?.committedMs).toBe(committedMs);
    expect(entry('at', '')?.committedMs).toBeUndefined();
    expect(entry()?.keys).toEqual(['a']);
  });

  it('is not lost for a time that is none', () => {
    expect(entry('at', 'yesterday')).toEqual({ epoch: 'e', seq: 7, kind: 'purge', keys: ['a'] });
  });
});
